"""One card's site as a crawl sees it: ask for a page, get a Page or the reason why there is none.

In:  addresses of the card's host. Out: Pages, counted in the run's tally; refusals as exceptions.
Every request passes the downloader middlewares of `crawlers.politeness`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost

from crawlers.keeper import Tally
from crawlers.pages.page import Page
from crawlers.pages.walls import Answer, Expects, classify
from crawlers.politeness import OutOfScope, RobotsForbidden, RobotsUnreachable, Throttled
from keqing.errors import CrawlError, RobotsRefused, SourceChanged, Unreachable
from keqing.settings import SourceCard

DEAD = (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    ConnectError,
    ConnectionDone,
    ConnectionLost,
    OSError,
)
NOT_MODIFIED = 304


class Refused(CrawlError):
    """The site answers, but not with the page; `answer` says how it refuses."""

    def __init__(self, url: str, answer: Answer) -> None:
        super().__init__(f"{url}: {answer}")
        self.answer = answer


class BudgetSpent(CrawlError):
    """The card's requests of this run are used up."""


class Site:
    """Pages of one card; `engine` is Scrapy's, `clock` tells when a page was fetched."""

    def __init__(
        self, engine: Any, card: SourceCard, tally: Tally, clock: Callable[[], datetime]
    ) -> None:
        self.card, self.tally, self.clock = card, tally, clock
        self._engine, self._asked = engine, 0

    def url(self, address: str) -> str:
        """Absolute address of a path of the card's site."""
        return urljoin(self.card.base_url, address)

    async def get(
        self,
        url: str,
        expects: Expects,
        facts: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Page:
        """The page at `url`.

        Raises:
            BudgetSpent: the run has asked as often as its card allows.
            RobotsRefused, Unreachable: robots.txt forbids it; nothing answers after all retries.
            Refused: a wall, a throttle, no permission, gone.
            SourceChanged: an answer without a body, or a link that leaves the site.
        """
        if self._asked >= self.card.pace.max_requests_per_run:
            raise BudgetSpent(f"{url}: {self._asked} requests are spent; the next run goes on here")
        self._asked += 1
        response = await self._response(url, headers or {})
        page = self._page(response, facts or {})
        self.tally.fetched_pages += 1
        self._check(page, expects)
        return page

    async def _response(self, url: str, headers: Mapping[str, str]) -> Any:
        request = Request(url, headers=dict(headers), dont_filter=True)
        try:
            return await self._engine.download_async(request)
        except RobotsForbidden as error:
            raise RobotsRefused(str(error)) from error
        except Throttled as error:
            self.tally.wait_s = error.wait_s
            raise Refused(url, Answer.THROTTLED) from error
        except OutOfScope as error:
            raise SourceChanged(f"{url}: {error}") from error
        except (RobotsUnreachable, *DEAD) as error:
            raise Unreachable(f"{url}: {type(error).__name__}: {error}") from error

    def _page(self, response: Any, facts: Mapping[str, str]) -> Page:
        location = (response.headers.get("Location") or b"").decode("latin-1")
        moved = 300 <= response.status < 400 and location
        return Page(
            body=response.body,
            url=urljoin(response.url, location) if moved else response.url,
            status=response.status,
            headers={k.lower(): v for k, v in response.headers.to_unicode_dict().items()},
            fetched_at=self.clock(),
            zone=self.card.zone,
            facts=facts,
        )

    def _check(self, page: Page, expects: Expects) -> None:
        if page.status == NOT_MODIFIED:
            return
        if page.status >= 500:
            raise Unreachable(f"{page.url}: answers {page.status} after all retries")
        answer = classify(page, expects)
        if answer not in (Answer.OK, Answer.EMPTY, Answer.CHANGED):
            raise Refused(page.url, answer)
        if 300 <= page.status < 400:
            raise SourceChanged(f"{page.url}: the page has moved to another site")
        if not page.body.strip():
            raise SourceChanged(f"{page.url}: an empty body where {expects} is due")
