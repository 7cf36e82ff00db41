"""How we behave on a site: one Scrapy add-on, so that no spider can forget a part of it.

In:  the card of the crawl (setting KEQING_CARD, a SourceCard) and the contact (KEQING_CONTACT).
Out: effective settings: robots.txt by RFC 9309, one request at a time, crawl-delay as a floor,
Retry-After, pauses before a retry, the card's host only, an honest name, no cookies.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urljoin, urlsplit

from scrapy import signals
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.extensions.throttle import AutoThrottle

from keqing.settings import SourceCard

MIN_DELAY_S = 0.5
MAX_WAIT_S = 900.0
MEMORY_MB = 1024  # a crawl holds 80 MB; over this something is wrong
MAX_THROTTLED = 3
ROBOTS_AGENT = "keqing"
RETRIED = (408, 429, 500, 502, 503, 504, 522, 524)


class RobotsForbidden(IgnoreRequest):  # type: ignore[misc]
    """robots.txt forbids this page."""


class RobotsUnreachable(IgnoreRequest):  # type: ignore[misc]
    """robots.txt cannot be had, so that nothing may be fetched (RFC 9309, 2.3.1.4)."""


class Throttled(IgnoreRequest):  # type: ignore[misc]
    """The site asks to stay away; `wait_s` is how long, if it says."""

    def __init__(self, wait_s: float | None) -> None:
        super().__init__(f"throttled, asked to wait {wait_s} s")
        self.wait_s = wait_s


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


def user_agent(contact: str | None) -> str:
    """Who we are, with a way to reach us."""
    try:
        release = version("keqing")
    except PackageNotFoundError:  # run from a checkout
        release = "dev"
    return f"keqing/{release}" + (f" (+{contact})" if contact else "")


def wait_of(header: str, now: datetime) -> float | None:
    """Seconds of a Retry-After header (number or HTTP date), None if it says nothing."""
    if header.strip().isdigit():
        return float(header)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds())


class Politeness:
    """The add-on."""

    def update_settings(self, settings: Any) -> None:
        """Set what every crawl has in common; wins over spiders, loses to the command line."""
        card: SourceCard | None = settings.get("KEQING_CARD")
        for name, value in _common().items():
            settings.set(name, value, priority="addon")
        if card is not None:
            for name, value in _of_card(card, settings.get("KEQING_CONTACT")).items():
                settings.set(name, value, priority="spider")


def _common() -> dict[str, Any]:
    return {
        "ROBOTSTXT_OBEY": True,
        "ROBOTSTXT_USER_AGENT": ROBOTS_AGENT,
        "COOKIES_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "METAREFRESH_ENABLED": False,
        "HTTPERROR_ALLOW_ALL": True,
        "REFERRER_POLICY": "no-referrer",
        "CONCURRENT_REQUESTS": 1,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "DOWNLOAD_TIMEOUT": 20,
        "DOWNLOAD_MAXSIZE": 5 * 2**20,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "MEMUSAGE_LIMIT_MB": MEMORY_MB,
        "LOG_LEVEL": "WARNING",
        "AUTOTHROTTLE_ENABLED": True,
        "AUTOTHROTTLE_TARGET_CONCURRENCY": 1.0,
        "DOWNLOADER_MIDDLEWARES": {
            "crawlers.politeness.Scope": 50,
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            "crawlers.politeness.Robots": 100,
            "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
            "crawlers.politeness.PatientRetry": 550,
            "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
            "crawlers.politeness.HomeRedirect": 600,
        },
        "EXTENSIONS": {
            "scrapy.extensions.throttle.AutoThrottle": None,
            "crawlers.politeness.Floor": 0,
            "scrapy.extensions.memusage.MemoryUsage": None,
            "crawlers.memory.CurrentMemory": 0,
        },
    }


def _of_card(card: SourceCard, contact: str | None) -> dict[str, Any]:
    here = is_loopback(urlsplit(card.base_url).hostname or "")
    delay = card.pace.min_delay_s if here else max(card.pace.min_delay_s, MIN_DELAY_S)
    return {
        "USER_AGENT": user_agent(contact),
        "DOWNLOAD_DELAY": delay,
        "AUTOTHROTTLE_START_DELAY": delay,
        "HTTPPROXY_ENABLED": not here,
        "KEQING_RETRY_PAUSES_S": list(card.pace.retry_pauses_s),
    }


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


class PatientRetry(RetryMiddleware):  # type: ignore[misc]
    """Pauses before a retry; with one request at a time the whole host rests meanwhile.

    Scrapy retries at once, so that a server away for 20 s costs pages.
    """

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        pauses = settings.getlist("KEQING_RETRY_PAUSES_S")
        self._pauses = [float(pause) for pause in pauses]
        self.max_retry_times = len(self._pauses)
        self.retry_http_codes = set(RETRIED)
        self.give_up_log_level = "INFO"
        self._throttled = 0

    async def process_response(self, request: Any, response: Any, spider: Any = None) -> Any:
        """Wait as the site asks or as long as we think right, then try again."""
        if response.status not in self.retry_http_codes or request.meta.get("dont_retry"):
            return response
        header = (response.headers.get("Retry-After") or b"").decode("latin-1")
        wait = wait_of(header, datetime.now(UTC)) if header else None
        if response.status == 429:
            self._throttled += 1
        if self._throttled >= MAX_THROTTLED or (wait or 0.0) > MAX_WAIT_S:
            raise Throttled(wait)
        again = self._retry(request, str(response.status))
        if again is None:
            return response
        await asyncio.sleep(self._pause(again) if wait is None else wait)
        return again

    async def process_exception(
        self, request: Any, exception: Exception, spider: Any = None
    ) -> Any:
        """The same for time-outs and refused connections."""
        if not isinstance(exception, self.exceptions_to_retry) or request.meta.get("dont_retry"):
            return None
        again = self._retry(request, exception)
        if again is not None:
            await asyncio.sleep(self._pause(again))
        return again

    def _pause(self, again: Any) -> float:
        return self._pauses[min(int(again.meta["retry_times"]), len(self._pauses)) - 1]


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
