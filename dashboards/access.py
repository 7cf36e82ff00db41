"""Who asks, what they may do, and whether a form is really theirs.

In:  a request. Out: a Visitor, or a refusal (NeedsLogin, Forbidden, BadForm). Every route declares
`Depends(Needs(role))` or is in PUBLIC; `app.make_app` refuses to start otherwise.
"""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import Request

from dashboards.site import Site, site_of
from keqing.errors import IndexBusy, KeqingError
from keqing.workflow import sessions
from keqing.workflow.accounts import Role, User
from keqing.workflow.db import begin, read

PUBLIC = ("/login", "/healthz", "/readyz", "/static")
TOUCH_WAIT_S = 0.2
ONE_TIME = ("/account", "/logout")  # all that a one-time password opens


class NeedsLogin(KeqingError):
    """No session, or one that ended."""


class Forbidden(KeqingError):
    """The role does not allow it; the message names the role that does."""


class MustChange(KeqingError):
    """A one-time password opens nothing but the page on which it is changed."""


class BadForm(KeqingError):
    """A form that did not come from our own page."""


@dataclass(frozen=True)
class Visitor:
    """A user with the token of this session."""

    user: User
    token: str
    address: str

    @property
    def csrf(self) -> str:
        """What our own forms carry."""
        return csrf_of(self.token)


class Needs:
    """Dependency of a route: a session whose role includes `role`."""

    def __init__(self, role: Role) -> None:
        self.role = role

    def __call__(self, request: Request) -> Visitor:
        """The visitor.

        Raises:
            NeedsLogin, MustChange, Forbidden.
        """
        visitor = visitor_of(request)
        if visitor is None:
            raise NeedsLogin("no session")
        if visitor.user.one_time and request.url.path not in ONE_TIME:
            raise MustChange("one-time password")
        if not visitor.user.may(self.role):
            raise Forbidden(self.role.value)
        return visitor


def visitor_of(request: Request) -> Visitor | None:
    """Who is signed in, or None."""
    site = site_of(request)
    token = request.cookies.get(site.cookie)
    if not token:
        return None
    with read(site.engine) as tx:
        found = sessions.user_of(tx, token, site.now())
    if found is None:
        return None
    user, is_due = found
    if is_due and "x-keqing-poll" not in request.headers:  # a page that asks by itself is no use
        _touch(site, token)
    return Visitor(user, token, address_of(request))


def _touch(site: Site, token: str) -> None:
    """Keep a session alive; beside a long writer the next page does it, as this one must answer."""
    with suppress(IndexBusy), begin(site.engine, TOUCH_WAIT_S) as tx:
        sessions.touch(tx, token, site.now())


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else "-"


def csrf_of(token: str) -> str:
    """The form token of a session or of a login page."""
    return hmac.new(token.encode(), b"keqing form", hashlib.sha256).hexdigest()


def check_form(request: Request, token: str, sent: str) -> None:
    """Refuse a form of another site.

    Raises:
        BadForm: its origin is not ours, or the token is wrong.
    """
    if not _same_origin(request, site_of(request)):
        raise BadForm("origin")
    if not token or not hmac.compare_digest(csrf_of(token).encode(), sent.encode()):
        raise BadForm("token")


def _same_origin(request: Request, site: Site) -> bool:
    # Sec-Fetch-Site is not sent over plain HTTP, Origin not by old browsers; the token covers both.
    fetched = request.headers.get("sec-fetch-site")
    if fetched not in (None, "same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    scheme = "http" if site.insecure_dev else "https"
    return origin == f"{scheme}://{request.headers.get('host', '')}"
