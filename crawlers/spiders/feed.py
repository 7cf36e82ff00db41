"""RSS and Atom feeds, asked with the validators of the last visit.

In:  targets of kind feed (key = the feed's path on the card's site).
Out: articles. 304 is a healthy answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from crawlers.pages.feed import parse_feed
from crawlers.pages.page import Page
from crawlers.site import NOT_MODIFIED
from crawlers.spiders.base import SourceSpider
from crawlers.walk import said_empty
from keqing.settings import Target
from keqing.workflow.targets import TargetRow


class FeedSpider(SourceSpider):
    """Articles of watched feeds."""

    name: ClassVar[str] = "feed"

    async def walk(self, target: Target) -> None:
        """One feed; all of it stands on one page."""
        row = self.job.row(target)
        page = await self.site.get(self.site.url(target.key), "xml", headers=row.validators)
        if page.status == NOT_MODIFIED:
            self.job.keeper.tally.empty_targets += 1
            self.job.save(replace(row, covered_at=self.job.clock()))
            return
        rows = self._keep(page, row)
        self.job.save(
            replace(
                row,
                covered_at=self.job.clock(),
                had_posts=max(row.had_posts, rows),
                validators=_validators(page),
            )
        )

    def _keep(self, page: Page, row: TargetRow) -> int:
        parsed, keeper = self.sound(page, parse_feed(page)), self.job.keeper
        keeper.take(parsed.items, page.body, row.covered_at is None)
        self.complete(page, parsed)
        if parsed.items:
            keeper.tally.speaking_targets += 1
        elif said_empty(parsed) and not row.had_posts:
            keeper.tally.empty_targets += 1
        else:
            keeper.tally.silent.append(f"{row.kind} {row.key}")
        return len(parsed.items)


def _validators(page: Page) -> dict[str, str]:
    given = {
        "If-None-Match": page.header("etag"),
        "If-Modified-Since": page.header("last-modified"),
    }
    return {name: value for name, value in given.items() if value}
