"""Signing in and out, and the page of one's own account.

In:  forms. Out: a session cookie, or the form again with one sentence that does not tell whether
the account exists. Hashing is dear, so at most two passwords are checked at a time.
"""

from __future__ import annotations

import re
import secrets
from threading import BoundedSemaphore
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from starlette.responses import RedirectResponse

from dashboards.access import Needs, Visitor, address_of, check_form, csrf_of, visitor_of
from dashboards.frame import frame_of
from dashboards.render import in_lang, lang_of, page
from dashboards.site import Site, site_of
from keqing.workflow import accounts, sessions, trail
from keqing.workflow.accounts import Role, User
from keqing.workflow.db import begin, read

LOCAL = re.compile(r"/(?![/\\])[A-Za-z0-9/_.,:=&?%+~-]*")
ENCODED = re.compile(r"%(2f|5c|0[9ad])", re.IGNORECASE)
PRE = "pre"  # token of the login form, before there is a session
Text = Annotated[str, Form(max_length=512)]
Own = Annotated[Visitor, Depends(Needs(Role.VIEWER))]
router = APIRouter()
_hashing = BoundedSemaphore(2)


@router.get("/login")
def form(request: Request, next: str = "/") -> Response:
    """The form; who is signed in already goes on."""
    if visitor_of(request) is not None:
        return RedirectResponse(local(next), 303)
    return _form(request, local(next))


@router.post("/login")
def sign_in(
    request: Request, name: Text = "", password: Text = "", csrf: Text = "", next: Text = "/"
) -> Response:
    """Open a session, or show the form again."""
    site = site_of(request)
    check_form(request, request.cookies.get(PRE, ""), csrf)
    address, now = address_of(request), site.now()
    if wait := site.throttle.wait_s(name, address, now):
        return _form(request, local(next), 429, "slow", wait)
    with read(site.engine) as tx:
        found = accounts.credential(tx, name)
    with _hashing:
        good = accounts.verify(found, password)
    if found is None or not good:
        site.throttle.failed(name, address, now)
        _audit(site, name[:64] or "-", "login", address, "refused")
        return _form(request, local(next), 401, "refused")
    site.throttle.passed(name, address)
    target = "/account" if found.user.one_time else local(next)
    return _opened(request, found.user, in_lang(target, lang_of(request)))


@router.post("/logout")
def sign_out(request: Request, visitor: Own, csrf: Text = "") -> Response:
    """End the session; the browser forgets what it kept."""
    site = site_of(request)
    check_form(request, visitor.token, csrf)
    with begin(site.engine) as tx:
        sessions.end(tx, visitor.token)
    _audit(site, visitor.user.name, "logout", visitor.address, "ok")
    answer = RedirectResponse(in_lang("/login", lang_of(request)), 303)
    answer.delete_cookie(site.cookie, path="/", secure=not site.insecure_dev, httponly=True)
    answer.headers["clear-site-data"] = '"cache", "storage"'
    return answer


@router.get("/account")
def account(request: Request, visitor: Own) -> Response:
    """Name, role, scope, and the form of a new password."""
    return _account(request, visitor)


@router.post("/account")
def change_password(
    request: Request,
    visitor: Own,
    old: Text = "",
    new: Text = "",
    again: Text = "",
    csrf: Text = "",
) -> Response:
    """Set a password of one's own; all other sessions end and this one gets a new token."""
    site, user = site_of(request), visitor.user
    check_form(request, visitor.token, csrf)
    if wait := site.throttle.wait_s(user.name, visitor.address, site.now()):
        return _account(request, visitor, 429, "slow", wait)
    if fault := _fault(site, user, old, new, again):
        if fault == "old":
            site.throttle.failed(user.name, visitor.address, site.now())
        return _account(request, visitor, 422, fault)
    with _hashing, begin(site.engine) as tx:
        accounts.set_password(tx, user.name, new)
        sessions.end_others(tx, user.name, visitor.token)
        sessions.end(tx, visitor.token)
    _audit(site, user.name, "password", visitor.address, "ok")
    return _opened(request, user, in_lang("/", lang_of(request)))


def local(target: str) -> str:
    """A path of ours, or `/`: a link that leads away after login is a phishing tool."""
    good = LOCAL.fullmatch(target) and not ENCODED.search(target) and len(target) < 2048
    return target if good else "/"


def _fault(site: Site, user: User, old: str, new: str, again: str) -> str:
    with read(site.engine) as tx:
        found = accounts.credential(tx, user.name)
    with _hashing:
        if not accounts.verify(found, old):
            return "old"
    if new != again:
        return "again"
    return "same" if new == old else accounts.weakness(user.name, new)


def _opened(request: Request, user: User, target: str) -> Response:
    site, address = site_of(request), address_of(request)
    with begin(site.engine) as tx:
        token = sessions.start(tx, user.name, address, site.now())
        trail.record(tx, user.name, "login", "-", address, "ok", site.now())
    answer = RedirectResponse(target, 303)
    _cookie(answer, site, site.cookie, token)
    answer.delete_cookie(PRE, path="/")
    return answer


def _form(
    request: Request, target: str, status: int = 200, fault: str = "", wait: int = 0
) -> Response:
    site = site_of(request)
    token = request.cookies.get(PRE) or secrets.token_urlsafe(32)
    with read(site.engine) as tx:
        ready = accounts.any_account(tx)
    answer = page(
        request, "login.html", status,
        csrf=csrf_of(token), next=target, fault=fault, wait=wait, ready=ready,
    )  # fmt: skip
    _cookie(answer, site, PRE, token)
    if wait:
        answer.headers["retry-after"] = str(wait)
    return answer


def _account(
    request: Request, visitor: Visitor, status: int = 200, fault: str = "", wait: int = 0
) -> Response:
    site = site_of(request)
    frame = frame_of(site, visitor)
    return page(request, "account.html", status, frame=frame, fault=fault, wait=wait)


def _cookie(answer: Response, site: Site, name: str, token: str) -> None:
    answer.set_cookie(
        name, token, path="/", secure=not site.insecure_dev, httponly=True, samesite="lax"
    )


def _audit(site: Site, who: str, what: str, address: str, result: str) -> None:
    with begin(site.engine) as tx:
        trail.record(tx, who, what, "-", address, result, site.now())
