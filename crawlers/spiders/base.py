"""What all spiders share: targets one after another, and what a refusal means for the rest.

In:  a Job. Out: its keeper's tally. A wall ends the run at once; a target that is gone or that robots
forbids holds back nobody.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar

import scrapy

from crawlers.pages.markup import CUT
from crawlers.pages.page import Page, Parsed
from crawlers.pages.walls import Answer
from crawlers.site import BudgetSpent, Refused, Site
from crawlers.walk import Job
from keqing.errors import RobotsRefused, SourceChanged, Unreachable, UnreadablePage
from keqing.settings import Target

ONE_TARGET_ONLY = (Answer.GONE, Answer.NO_PERMISSION)


class SourceSpider(scrapy.Spider):  # type: ignore[misc]
    """Walks the targets of one card."""

    job: Job
    name: ClassVar[str]
    later: tuple[Any, ...] = ()  # nothing is left to Scrapy's queue: every page is awaited above

    @cached_property
    def site(self) -> Site:
        """The card's site, asked through this crawl's engine."""
        job = self.job
        return Site(self.crawler.engine, job.card, job.keeper.tally, job.clock)

    async def start(self) -> AsyncIterator[Any]:
        """Visit every target; an unforeseen error is kept for the runner, then raised."""
        try:
            for target in self.job.targets:
                if not await self._visit(target):
                    break
            await self.finish()
            self.job.walked = True
        except BaseException as error:
            self.job.fault = error
            raise
        for request in self.later:
            yield request

    def closed(self, reason: str) -> None:
        """Scrapy tells why it ended: `finished`, `shutdown` at a signal, or a limit."""
        self.job.ended = reason

    async def walk(self, target: Target) -> None:
        """Read and keep one target."""
        raise NotImplementedError

    async def finish(self) -> None:
        """Look back over the whole crawl."""

    def sound(self, page: Page, parsed: Parsed) -> Parsed:
        """The page's rows, audited.

        Raises:
            SourceChanged: too much of the page is unreadable.
        """
        fault = self.job.keeper.audit(page, parsed)
        if fault:
            raise SourceChanged(fault)
        return parsed

    def complete(self, page: Page, parsed: Parsed) -> None:
        """To be called when the page's rows are kept.

        Raises:
            SourceChanged: the page was cut; the target, or the thread, is read again next time.
        """
        if parsed.skipped.get(CUT):
            raise SourceChanged(f"{page.url}: the page ends before its end; what it held is kept")

    async def _visit(self, target: Target) -> bool:
        """Walk a target; False if the rest of the run must be left out."""
        tally = self.job.keeper.tally
        try:
            await self.walk(target)
        except Refused as error:
            tally.blocked[str(error.answer)] += 1
            tally.faults.append(str(error))
            self._tried(target)
            return error.answer in ONE_TARGET_ONLY
        except RobotsRefused as error:
            tally.blocked[str(Answer.ROBOTS)] += 1
            tally.faults.append(str(error))
            self._tried(target)
        except (SourceChanged, UnreadablePage) as error:
            tally.changed.append(str(error))
            self._tried(target)
        except Unreachable as error:
            tally.unreachable.append(str(error))
            return False
        except BudgetSpent as error:
            tally.gaps.append(str(error))
            return False
        return True

    def _tried(self, target: Target) -> None:
        wait = self.job.keeper.tally.wait_s
        until = self.job.clock() + timedelta(seconds=wait) if wait else None
        self.job.save(replace(self.job.row(target), wait_until=until))
