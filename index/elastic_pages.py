"""Pages of posts on a search server, in the same orders as the embedded engine.

In:  a filter, a sort, a cursor. Out: rows (server hit, posts of its story among the matches) and the
next cursor. A cursor is the place of the last row in the sort order, so pages hold while posts come.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from index.answers import Count, Sort
from index.elastic_client import Server
from index.elastic_copies import Copies, Row
from index.elastic_query import Query
from index.elastic_rows import NEWEST, STORY, Order, Raw, Rows, story_of
from keqing.errors import UsageError

ORDERS: dict[str, Order] = {
    "time": NEWEST,
    "risk": [("risk", "desc"), *NEWEST],
    "interactions": [("interactions", "desc"), *NEWEST],
}
DISTINCT = 40_000  # up to here distinct counts are exact, above within a few percent
TOTALS: dict[str, Any] = {
    "stories": {"cardinality": {"field": STORY, "precision_threshold": DISTINCT}},
    "voices": {"cardinality": {"field": "facts.voices", "precision_threshold": DISTINCT}},
}
# On its own and over everything it is read from the end of an index; inside another question each
# document would be looked at.
LATEST: dict[str, Any] = {
    "size": 0,
    "track_total_hits": False,
    "aggs": {"newest": {"max": {"field": "first_seen_at"}}},
}


@dataclass(frozen=True)
class Page:
    """Rows of one page, the cursor behind the last if more follow, and what stands around it."""

    rows: list[Row]
    cursor: str | None
    total: Count
    newest: datetime | None


class Pages:
    """Reads pages of one index or alias."""

    def __init__(self, server: Server, target: str) -> None:
        self.server, self.target = server, target
        self._rows = Rows(server, target)
        self._copies = Copies(self._rows)

    def page(
        self,
        query: Query,
        sort: Sort,
        size: int,
        cursor: str | None,
        fold: bool,
        *,
        one_month: bool = False,
    ) -> Page:
        """One page; `fold` shows of each story the first post in this order.

        Args:
            one_month: whether all matches lie in one.
        """
        place = _place(cursor, 4 if sort == "similar" else len(ORDERS[sort]))
        # To count is what takes longest; rows need few posts, since an index lies in order of time.
        with ThreadPoolExecutor(1, "keqing-page") as beside:
            counted = beside.submit(self.server.searches, self.target, [_counting(query), LATEST])
            if sort == "similar":
                rows, more = self._copies.page(query, size, place, fold, one_month)
            else:
                rows, more = self._in_order(query, ORDERS[sort], size, place, fold)
            answer, latest = counted.result()
        return Page(rows, more, _count(answer), _newest(latest))

    def total(self, query: Query) -> Count:
        """Posts, distinct stories, distinct voices."""
        return _count(self.server.search(self.target, _counting(query)))

    def latest(self) -> datetime | None:
        """The newest first sight of all posts."""
        return _newest(self.server.search(self.target, LATEST))

    def every(self, query: Query, order: Order, *columns: str) -> list[Raw]:
        """All hits with these columns."""
        return self._rows.every(query, order, *columns)

    def _in_order(
        self,
        query: Query,
        order: Order,
        size: int,
        place: list[Any] | None,
        fold: bool,
    ) -> tuple[list[Row], str | None]:
        found = self._rows.first(query, order, size + 1, place, fold)
        copies = self._rows.copies(query, [story_of(hit) for hit in found[:size]])
        rows = [(hit, copies[story_of(hit)]) for hit in found[:size]]
        return rows, json.dumps(found[size - 1]["sort"]) if len(found) > size else None


def _counting(query: Query) -> dict[str, Any]:
    return {"query": query, "size": 0, "track_total_hits": True, "aggs": TOTALS}


def _count(answer: Mapping[str, Any]) -> Count:
    found = answer["aggregations"]
    stories, voices = (int(found[name]["value"]) for name in ("stories", "voices"))
    return Count(int(answer["hits"]["total"]["value"]), stories, voices)


def _newest(answer: Mapping[str, Any]) -> datetime | None:
    newest = answer["aggregations"]["newest"]["value"]
    return None if newest is None else datetime.fromtimestamp(int(newest) // 1000, UTC)


def _place(cursor: str | None, keys: int) -> list[Any] | None:
    if cursor is None:
        return None
    refusal = UsageError(f"cursor {cursor!r} is none of ours; start at the first page")
    try:
        place = json.loads(cursor)
    except ValueError as error:
        raise refusal from error
    numbers = isinstance(place, list) and all(isinstance(v, int | float) for v in place[:-1])
    if not numbers or len(place) != keys or not isinstance(place[-1], str):
        raise refusal
    return list(place)
