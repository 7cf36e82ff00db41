"""How we behave on a site: one Scrapy add-on, so that no spider can forget a part of it.

In:  the card of the crawl (setting KEQING_CARD, a SourceCard) and the contact (KEQING_CONTACT).
Out: effective settings: robots.txt by RFC 9309, one request at a time, crawl-delay as a floor,
Retry-After, pauses before a retry, the card's host only, an honest name, no cookies.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlsplit

from crawlers.politeness.patience import Throttled
from crawlers.politeness.robots import ROBOTS_AGENT, RobotsForbidden, RobotsUnreachable
from crawlers.politeness.scope import OutOfScope, is_loopback, is_private
from keqing.settings import SourceCard

__all__ = [
    "OutOfScope",
    "Politeness",
    "RobotsForbidden",
    "RobotsUnreachable",
    "Throttled",
    "is_loopback",
    "is_private",
]
MIN_DELAY_S = 0.5
MEMORY_MB = 1024  # a crawl holds 80 MB; over this something is wrong


def user_agent(contact: str | None) -> str:
    """Who we are, with a way to reach us."""
    try:
        release = version("keqing")
    except PackageNotFoundError:  # run from a checkout
        release = "dev"
    return f"keqing/{release}" + (f" (+{contact})" if contact else "")


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
            "crawlers.politeness.scope.Scope": 50,
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            "crawlers.politeness.robots.Robots": 100,
            "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
            "crawlers.politeness.patience.PatientRetry": 550,
            "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
            "crawlers.politeness.scope.HomeRedirect": 600,
        },
        "EXTENSIONS": {
            "scrapy.extensions.throttle.AutoThrottle": None,
            "crawlers.politeness.robots.Floor": 0,
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
