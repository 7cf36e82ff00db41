"""Everything of a page that became no item, and why; times and counts on their way into Items.

In:  written times, counts and ratings. Out: fields of an Item, and the audit part of a Parsed. A value
that cannot be believed becomes None and is counted; it costs its row nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict

from crawlers.pages.counts import parse_count
from crawlers.pages.page import Item, Page, Parsed, Ref
from crawlers.pages.text import clean
from crawlers.pages.times import anchor_of, parse_time
from keqing.errors import UnreadableTime

MAX_BAD = 200
BEST, WORST = 5, 1


class Times(TypedDict):
    """The time fields of an Item."""

    created_at: datetime | None
    created_raw: str | None
    created_precision: str


class Counts(TypedDict, total=False):
    """The count fields of an Item."""

    likes: int | None
    comments: int | None
    reposts: int | None
    views: int | None
    rounded: tuple[str, ...]
    at_least: tuple[str, ...]


class Tally:
    """Everything of a page that became no item, and why."""

    def __init__(self, page: Page, zone: str | None = None) -> None:
        self.anchor = anchor_of(page)
        self.zone = zone
        self.skipped: Counter[str] = Counter()
        self.bad: list[str] = []
        self.unknown: set[str] = set()

    def skip(self, reason: str, n: int = 1) -> None:
        """Count `n` rows or values left out for `reason`."""
        self.skipped[reason] += n

    def error(self, sentence: str) -> None:
        """A row that should have been readable and was not."""
        if len(self.bad) < MAX_BAD:
            self.bad.append(sentence)

    def time(self, raw: object) -> tuple[Times, tuple[str, ...]]:
        """Time fields of an Item and the flags they bring."""
        words = None if raw is None or raw == "" else clean(str(raw)).strip()
        try:
            when = parse_time(words, self.anchor, self.zone)
        except UnreadableTime:
            self.skip("unreadable_time")
            return Times(created_at=None, created_raw=words, created_precision="unknown"), (
                "unreadable_time",
            )
        if when.flag:
            self.skip(when.flag)
        fields = Times(created_at=when.at, created_raw=words, created_precision=when.precision)
        return fields, (when.flag,) if when.flag else ()

    def number(self, raw: object) -> int | None:
        """A count; what is none is counted and becomes None."""
        count = parse_count(raw)
        if count.bad:
            self.skip("unreadable_count")
        return count.value

    def stars(self, raw: object) -> float | None:
        """A rating from 1 to 5; another one is counted and becomes None."""
        count = parse_count(raw)
        if count.bad or (count.value is not None and not WORST <= count.value <= BEST):
            self.skip("unreadable_rating")
            return None
        return None if count.value is None else float(count.value)

    def counts(
        self,
        *,
        likes: object = None,
        comments: object = None,
        reposts: object = None,
        views: object = None,
    ) -> Counts:
        """Count fields of an Item; one that is no count becomes None and is counted."""
        read = {
            "likes": parse_count(likes),
            "comments": parse_count(comments),
            "reposts": parse_count(reposts),
            "views": parse_count(views),
        }
        for count in read.values():
            if count.bad:
                self.skip("unreadable_count")
        return Counts(
            likes=read["likes"].value,
            comments=read["comments"].value,
            reposts=read["reposts"].value,
            views=read["views"].value,
            rounded=tuple(name for name, count in read.items() if count.rounded),
            at_least=tuple(name for name, count in read.items() if count.at_least),
        )

    def parsed(
        self, items: Iterable[Item] = (), refs: Iterable[Ref] = (), next_page: str | None = None
    ) -> Parsed:
        """The page's result with this audit."""
        return Parsed(
            items=tuple(items),
            refs=tuple(refs),
            next_page=next_page,
            skipped=dict(self.skipped),
            unknown_fields=tuple(sorted(self.unknown)),
            bad=tuple(self.bad),
        )
