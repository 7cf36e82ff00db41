"""What every page needs: settings, stores, the clock, and how strict the transport is.

In:  the parts, from `app.make_app`. Out: a Site, kept in `app.state.site`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from starlette.requests import Request

from dashboards.throttle import Throttle
from index.query import IndexEngine
from keqing.settings import Settings
from keqing.workflow.db import Engine

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class Site:
    """One installation as its pages see it."""

    settings: Settings
    engine: Engine
    index: IndexEngine
    segment: Callable[[str], Sequence[str]]
    now: Callable[[], datetime]
    insecure_dev: bool
    throttle: Throttle = field(default_factory=Throttle)

    @property
    def cookie(self) -> str:
        """Name of the session cookie; the `__Host-` promise needs TLS."""
        return "sid" if self.insecure_dev else "__Host-sid"

    def knows_host(self, host: str) -> bool:
        """Whether a Host header names us: loopback, or the host of `[dashboards] base_url`."""
        name = host if host.endswith("]") else host.rsplit(":", 1)[0]
        if name in LOOPBACK:
            return True
        own = self.settings.plan.dashboards.base_url
        return own is not None and name == urlsplit(own).hostname

    def our_brands(self) -> tuple[str, ...]:
        """Keys of the brands that are ours."""
        return tuple(key for key, brand in self.settings.plan.brands.items() if brand.ours)

    def brand_name(self, key: str) -> str:
        """A brand as staff call it."""
        brand = self.settings.plan.brands.get(key)
        return brand.name if brand else key

    def source_title(self, name: str) -> str:
        """A source as staff call it."""
        return self.settings.source_title(name)


def site_of(request: Request) -> Site:
    """The Site of the app that answers this request."""
    site: Site = request.app.state.site
    return site
