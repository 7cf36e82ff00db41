"""Discourse forums: lists of topics, and the posts of topics that moved.

In:  targets of kind category (key = `latest`, or a category's path `c/<slug>/<id>`).
Out: posts of topics. A topic's first page names all its posts; the rest is asked for by 20.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlencode, urljoin

from crawlers.pages.discourse import parse_topics, title_of, unread_ids
from crawlers.pages.json_sites import parse_discourse
from crawlers.pages.page import Item, Page
from crawlers.spiders.base import SourceSpider
from crawlers.threads import Listed, count_left, moved, read_left, read_thread
from crawlers.walk import Found, newest_first, said_empty
from keqing.settings import Target
from keqing.workflow.targets import ThreadRow

TOPIC, POSTS = "t/{tid}.json", "t/{tid}/posts.json?{ids}"
AT_ONCE = 20


class DiscourseSpider(SourceSpider):
    """Topics of watched lists."""

    name: ClassVar[str] = "discourse"

    async def walk(self, target: Target) -> None:
        """One list."""
        first_walk = self.job.row(target).covered_at is None

        async def pages(row: ThreadRow) -> str:
            return await self._pages(row, first_walk)

        await read_left(self.job, pages)

        async def read(url: str, until: datetime | None) -> Found:
            page = await self.site.get(url, "json")
            parsed = self.sound(page, parse_topics(page))
            listed = [
                Listed(ref.key, ref.facts["mark"], self._topic(ref.key), bool(ref.facts["pinned"]))
                for ref in parsed.refs
            ]
            todo = moved(self.job, listed)
            for row in todo:
                await read_thread(self.job, row, pages)
            pinned = {row.tid for row in listed if row.pinned}
            covered = until is not None and all(row.tid in pinned for row in todo)
            following = _json_address(page.url, parsed.next_page)
            return Found(len(listed), bool(listed) and covered, following, said_empty(parsed))

        await newest_first(self.job, target, self.site.url(f"{target.key}.json"), read)

    async def finish(self) -> None:
        """Tell what was listed and not read."""
        count_left(self.job)

    def _topic(self, tid: str) -> str:
        return self.site.url(TOPIC.format(tid=tid))

    async def _pages(self, row: ThreadRow, first_walk: bool) -> str:
        page = await self.site.get(row.url, "json")
        title = title_of(page)
        self._keep(page, row.tid, title, first_walk)
        unread = unread_ids(page)
        for at in range(0, len(unread), AT_ONCE):
            ids = urlencode([("post_ids[]", i) for i in unread[at : at + AT_ONCE]])
            more = await self.site.get(self.site.url(POSTS.format(tid=row.tid, ids=ids)), "json")
            self._keep(more, row.tid, title, first_walk)
        return row.url

    def _keep(self, page: Page, tid: str, title: str | None, first_walk: bool) -> None:
        parsed = self.sound(page, parse_discourse(page))
        items = [self._placed(item, tid, title) for item in parsed.items]
        self.job.keeper.take(items, page.body, first_walk)

    def _placed(self, item: Item, tid: str, title: str | None) -> Item:
        first = item.floor == 1
        return replace(
            item,
            thread_id=tid,
            parent_id=None,  # a floor number, no id
            title=title if first else None,
            kind="post" if first else "comment",
            url=self.site.url(item.url or f"t/{tid}/{item.floor}"),
        )


def _json_address(base: str, following: str | None) -> str | None:
    """`/latest?page=1` as the page's JSON: `/latest.json?page=1`."""
    if not following:
        return None
    path, mark, query = following.partition("?")
    return urljoin(base, f"{path.removesuffix('.json')}.json{mark}{query}")
