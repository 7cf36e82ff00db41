"""Shops and review sites with schema.org Reviews: pages of products, newest first.

In:  targets of kind product (key = the page's last path segment, or a whole path).
Out: reviews, known by their number, else by author, date and words.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import ClassVar
from urllib.parse import urljoin

from crawlers.pages.schema_review import parse_reviews
from crawlers.spiders.base import SourceSpider
from crawlers.walk import Found, is_covered, newest_first, said_empty
from keqing.settings import Target


class ReviewSpider(SourceSpider):
    """Reviews of watched products."""

    name: ClassVar[str] = "review"

    async def walk(self, target: Target) -> None:
        """One product."""
        first = self.site.url(target.key if "/" in target.key else f"item/{target.key}")
        first_walk = self.job.row(target).covered_at is None

        async def read(url: str, until: datetime | None) -> Found:
            page = await self.site.get(url, "html")
            parsed, keeper = self.sound(page, parse_reviews(page)), self.job.keeper
            items = [replace(item, url=item.url or first) for item in parsed.items]
            sights = keeper.sights(items)
            keeper.take(items, page.body, first_walk)
            following = urljoin(page.url, parsed.next_page) if parsed.next_page else None
            covered = is_covered([sight.seen_at for sight in sights], until)
            return Found(len(sights), covered, following, said_empty(parsed))

        await newest_first(self.job, target, first, read)
