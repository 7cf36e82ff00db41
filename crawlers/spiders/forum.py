"""Discuz! X forums: boards, and the threads that moved since the last visit.

In:  targets of kind board (key = fid). Out: posts of threads; a list's row is no post itself.
A thread is read from the last page known; deleted posts shift floors, so pids decide what is new.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import ClassVar
from urllib.parse import urljoin

from crawlers.pages.discuz import parse_list, parse_thread
from crawlers.pages.page import Page, Parsed
from crawlers.spiders.base import SourceSpider
from crawlers.threads import Listed, count_left, moved, read_left, read_thread
from crawlers.walk import Found, newest_first, said_empty
from keqing.settings import Target
from keqing.workflow.targets import ThreadRow

BOARD = "forum.php?mod=forumdisplay&fid={fid}&page=1"
THREAD = "forum.php?mod=viewthread&tid={tid}"
MAX_THREAD_PAGES = 200


class ForumSpider(SourceSpider):
    """Threads of watched boards."""

    name: ClassVar[str] = "forum"

    async def walk(self, target: Target) -> None:
        """One board."""
        first_walk = self.job.row(target).covered_at is None

        async def pages(row: ThreadRow) -> str:
            return await self._pages(row, first_walk)

        await read_left(self.job, pages)

        async def read(url: str, until: datetime | None) -> Found:
            page = await self.site.get(url, "html")
            parsed = self.sound(page, parse_list(page))
            listed = self._listed(parsed)
            todo = moved(self.job, listed)
            for row in todo:
                await read_thread(self.job, row, pages)
            self.complete(page, parsed)
            pinned = {row.tid for row in listed if row.pinned}
            covered = until is not None and all(row.tid in pinned for row in todo)
            following = urljoin(page.url, parsed.next_page) if parsed.next_page else None
            return Found(len(listed), bool(listed) and covered, following, said_empty(parsed))

        await newest_first(self.job, target, self.site.url(BOARD.format(fid=target.key)), read)

    async def finish(self) -> None:
        """Tell what was listed and not read."""
        count_left(self.job)

    def _listed(self, parsed: Parsed) -> list[Listed]:
        return [
            Listed(
                tid=ref.key,
                mark=f"{item.comments}|{ref.facts.get('last', '')}",
                url=self.site.url(THREAD.format(tid=ref.key)),
                pinned=item.pinned,
            )
            for item, ref in zip(parsed.items, parsed.refs, strict=True)
        ]

    async def _pages(self, row: ThreadRow, first_walk: bool) -> str:
        """Read from the last known page to the end; gives the address of the last page."""
        first = self.site.url(THREAD.format(tid=row.tid))
        url = row.url
        for _ in range(MAX_THREAD_PAGES):
            page = await self.site.get(url, "html", {"tid": row.tid})
            parsed = parse_thread(page)
            if not parsed.items and url == row.url != first:
                url = first  # the page is no more: deleted posts moved the floors
                continue
            self._keep(page, self.sound(page, parsed), row.tid, first_walk)
            if not parsed.next_page:
                break
            url = urljoin(page.url, parsed.next_page)
        return url

    def _keep(self, page: Page, parsed: Parsed, tid: str, first_walk: bool) -> None:
        address = self.site.url(THREAD.format(tid=tid))
        items = [
            replace(item, url=item.url or f"{address}#pid{item.native_id}", thread_id=tid)
            for item in parsed.items
        ]
        self.job.keeper.take(items, page.body, first_walk)
        self.complete(page, parsed)
