"""What robots.txt asks: which pages we leave alone, and how long we wait between two.

In:  requests and the answers of robots.txt. Out: requests that may pass, delays of a host.

Source: RFC 9309, Robots Exclusion Protocol.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any
from urllib.parse import urlsplit

from scrapy import signals
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.extensions.throttle import AutoThrottle

ROBOTS_AGENT = "keqing"


class RobotsForbidden(IgnoreRequest):  # type: ignore[misc]
    """robots.txt forbids this page."""


class RobotsUnreachable(IgnoreRequest):  # type: ignore[misc]
    """robots.txt cannot be had, so that nothing may be fetched (RFC 9309, 2.3.1.4)."""


class Robots(RobotsTxtMiddleware):  # type: ignore[misc]
    """robots.txt by RFC 9309, fetched once per host, also when many requests wait for it.

    Scrapy 2.14-2.19 lets requests that wait share one Deferred, and from the third on the rules are
    skipped; it reads the body of a 404 as rules, and allows everything when the fetch fails.
    """

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self._tasks: dict[str, asyncio.Future[Any]] = {}
        self._unreachable: set[str] = set()

    async def process_request(self, request: Any, spider: Any = None) -> None:
        """Let a request pass that the rules allow."""
        if request.meta.get("dont_obey_robotstxt"):
            return
        netloc = urlsplit(request.url).netloc
        if netloc not in self._tasks:
            self._tasks[netloc] = asyncio.ensure_future(self.robot_parser(request))
        rules = await asyncio.shield(self._tasks[netloc])
        if rules is None and netloc in self._unreachable:
            raise RobotsUnreachable(f"{netloc}/robots.txt cannot be had")
        if rules is not None and not rules.allowed(request.url, ROBOTS_AGENT):
            raise RobotsForbidden(f"{request.url}: forbidden by robots.txt")

    async def _parse_robots(self, response: Any, netloc: str, request: Any) -> None:
        if response.status >= 500:
            self._unreachable.add(netloc)
            raise IgnoreRequest("robots.txt: server error")
        if response.status >= 300:
            response = response.replace(status=200, body=b"")
        await super()._parse_robots(response, netloc, request)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        self._unreachable.add(netloc)
        super()._robots_error(exc, netloc)


class Floor(AutoThrottle):  # type: ignore[misc]
    """AutoThrottle that never goes below the crawl-delay that robots.txt asks for."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self._floors: dict[str, float] = {}
        crawler.signals.connect(self._robots_parsed, signal=signals.robots_parsed)

    def _robots_parsed(self, robotparser: Any, request: Any) -> None:
        delay = robotparser.crawl_delay(ROBOTS_AGENT)
        if delay:
            downloader = self.crawler.engine.downloader
            key = downloader.get_slot_key(request)
            self._floors[key] = max(float(delay), self.mindelay)
            downloader.per_slot_settings[key] = {"delay": self._floors[key], "jitter": 0.0}
            if key in downloader.slots:
                self._raise(downloader.slots[key], self._floors[key])

    def _adjust_delay(self, slot: Any, latency: float, response: Any) -> None:
        super()._adjust_delay(slot, latency, response)
        slots = self.crawler.engine.downloader.slots  # the response does not know its request yet
        key = next((key for key, one in slots.items() if one is slot), None)
        if key in self._floors:
            self._raise(slot, self._floors[key])

    def _raise(self, slot: Any, floor: float) -> None:
        """Jitter only upwards: a site that names its delay gets at least that."""
        slot.jitter = 0.0
        slot.delay = max(slot.delay if slot.delay < 2 * floor else 0.0, floor) * (
            1 + random.uniform(0.0, 0.2)
        )
