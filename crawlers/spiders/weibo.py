"""Weibo: timelines of watched users, long texts, comments.

In:  targets of kind timeline (key = uid). Out: posts, reposted originals, comments.
A guest sees the first pages of comments only; the login wall behind them is counted, not met again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from crawlers.keeper import Sight
from crawlers.pages.page import Item, Page, Parsed
from crawlers.pages.walls import Answer
from crawlers.pages.weibo import parse_comments, parse_extend, parse_timeline
from crawlers.site import Refused
from crawlers.spiders.base import SourceSpider
from crawlers.walk import Found, is_covered, newest_first, said_empty
from keqing.settings import Target
from keqing.workflow.db import begin, read
from keqing.workflow.targets import ThreadRow

TIMELINE = "api/container/getIndex?containerid=107603{uid}"
LONG_TEXT = "statuses/extend?id={mid}"
STATUS = "https://m.weibo.cn/status/{mid}"  # a comment has no page of its own
COMMENTS = "comments/hotflow?id={mid}&mid={mid}&max_id_type=0"
MAX_COMMENT_PAGES = 50
GUEST_LIMIT = "guest_limit"


class WeiboSpider(SourceSpider):
    """Timelines with comments."""

    name: ClassVar[str] = "weibo"

    async def walk(self, target: Target) -> None:
        """One user's timeline."""
        first = self.site.url(TIMELINE.format(uid=target.key))
        first_walk = self.job.row(target).covered_at is None

        async def read(url: str, until: datetime | None) -> Found:
            page = await self.site.get(url, "json")
            parsed = parse_timeline(page)
            sights = await self._keep(page, parsed, first_walk)
            unpinned = [s.seen_at for s in sights if not s.item.pinned and not s.item.embedded]
            following = f"{first}&{parsed.next_page}" if parsed.next_page else None
            return Found(len(sights), is_covered(unpinned, until), following, said_empty(parsed))

        await newest_first(self.job, target, first, read)

    async def _keep(self, page: Page, parsed: Parsed, first_walk: bool) -> list[Sight]:
        keeper = self.job.keeper
        sights = keeper.sights(self.sound(page, parsed).items)
        whole = [await self._whole(sight) for sight in sights]
        keeper.take(whole, page.body, first_walk)
        for item in whole if self.job.card.comments else ():
            if item.comments and item.native_id and not item.embedded:
                await self._comments(item.native_id, item.comments, first_walk)
        return sights

    async def _whole(self, sight: Sight) -> Item:
        """The item with its long text; one that is known already is not asked for again."""
        item = sight.item
        if not item.truncated or sight.seen_at is not None or not item.native_id:
            return item
        facts = {"mid": item.native_id}
        try:
            page = await self.site.get(
                self.site.url(LONG_TEXT.format(mid=item.native_id)), "json", facts
            )
        except Refused as error:
            if error.answer is Answer.GONE:
                return item
            raise
        found = parse_extend(page).items
        return replace(item, text=found[0].text, truncated=False) if found else item

    async def _comments(self, mid: str, count: int, first_walk: bool) -> None:
        """Read the comments of a post whose number has moved."""
        job, mark = self.job, str(count)
        with read(job.engine) as tx:
            known = job.thread(tx, "comments", mid)
        if known is not None and known.state != "todo" and known.mark == mark:
            return
        url = self.site.url(COMMENTS.format(mid=mid))
        row = ThreadRow(job.card.name, "comments", mid, "todo", mark, url, job.clock())
        state = await self._comment_pages(mid, url, first_walk)
        with begin(job.engine) as tx:
            job.put_thread(tx, replace(row, state=state))

    async def _comment_pages(self, mid: str, first: str, first_walk: bool) -> str:
        """Pages until one brings nothing new; gives the thread's state."""
        url: str | None = first
        for number in range(MAX_COMMENT_PAGES):
            if url is None:
                break
            try:
                page = await self.site.get(url, "json", {"mid": mid})
            except Refused as error:
                if error.answer is Answer.GONE:
                    return "gone"
                if error.answer is Answer.LOGIN_WALL and number:
                    self.job.keeper.tally.notes[GUEST_LIMIT] += 1
                    return "blocked"
                raise
            parsed, keeper = self.sound(page, parse_comments(page)), self.job.keeper
            items = [replace(i, url=i.url or STATUS.format(mid=mid)) for i in parsed.items]
            sights = keeper.sights(items)
            keeper.take(items, page.body, first_walk)
            if sights and all(sight.seen_at is not None for sight in sights):
                break
            url = f"{first}&{parsed.next_page}" if parsed.next_page else None
        return "done"
