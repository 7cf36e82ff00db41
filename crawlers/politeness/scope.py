"""The card's host and no other: requests that leave it, redirects that lead away, inner addresses.

In:  requests, redirects, hosts. Out: what stays on the site.
"""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urljoin, urlsplit

from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest


class OutOfScope(IgnoreRequest):  # type: ignore[misc]
    """A host that is not the card's."""


def is_loopback(host: str) -> bool:
    """True for this machine's own addresses."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_private(host: str) -> bool:
    """True for a literal address of an inner network, which no card may name."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


class HomeRedirect(RedirectMiddleware):  # type: ignore[misc]
    """Follows redirects within the host; one that leads away is the answer (a login wall)."""

    def process_response(self, request: Any, response: Any, spider: Any = None) -> Any:
        """Follow, or hand the redirect to the spider."""
        location = (response.headers.get("Location") or b"").decode("latin-1")
        to = urlsplit(urljoin(request.url, location))
        if location and to.netloc != urlsplit(request.url).netloc:
            return response
        return super().process_response(request, response)


class Scope:
    """Refuses every host but the card's."""

    def __init__(self, netloc: str) -> None:
        self.netloc = netloc

    @classmethod
    def from_crawler(cls, crawler: Any) -> Scope:
        """Built with the card of the crawl."""
        return cls(urlsplit(crawler.settings["KEQING_CARD"].base_url).netloc)

    def process_request(self, request: Any, spider: Any = None) -> None:
        """Refuse a request that leaves the site."""
        if urlsplit(request.url).netloc != self.netloc:
            raise OutOfScope(f"{urlsplit(request.url).netloc} is not {self.netloc}")
