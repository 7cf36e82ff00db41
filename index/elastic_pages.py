"""Pages of posts on a search server, in the same orders as the embedded engine.

In:  a filter, a sort, a cursor. Out: rows (server hit, posts of its story among the matches) and the
next cursor. A cursor is the place of the last row in the sort order, so pages hold while posts come.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from index.answers import Count, Sort
from index.elastic_client import Server
from index.elastic_document import SHOWN
from index.elastic_query import Query, after
from keqing.errors import IndexTimeout, UsageError

NEWEST = [("published_at", "desc"), ("tie", "desc"), ("id", "desc")]
ORDERS: dict[str, list[tuple[str, str]]] = {
    "time": NEWEST,
    "risk": [("risk", "desc"), *NEWEST],
    "interactions": [("interactions", "desc"), *NEWEST],
}
STORY = "facts.story"
DISTINCT = 40_000  # up to here distinct counts are exact, above within a few percent
TOTALS: dict[str, Any] = {
    "stories": {"cardinality": {"field": STORY, "precision_threshold": DISTINCT}},
    "voices": {"cardinality": {"field": "facts.voices", "precision_threshold": DISTINCT}},
    "all": {"global": {}, "aggs": {"newest": {"max": {"field": "first_seen_at"}}}},
}
MOST_STORIES = 65_000  # values that one filter may list on a server

Row = tuple[Mapping[str, Any], int]


@dataclass(frozen=True)
class Page:
    """Rows of one page, and the cursor behind the last, if more follow."""

    rows: list[Row]
    cursor: str | None


class Pages:
    """Reads pages of one index or alias."""

    def __init__(self, server: Server, target: str) -> None:
        self.server, self.target = server, target

    def page(self, query: Query, sort: Sort, size: int, cursor: str | None, fold: bool) -> Page:
        """One page; `fold` shows of each story the first post in this order."""
        place = _place(cursor, 4 if sort == "similar" else len(ORDERS[sort]))
        if sort == "similar":
            return self._by_copies(query, size, place, fold)
        found = self._rows(query, ORDERS[sort], size + 1, place, fold)
        copies = self._copies(query, [_story(hit) for hit in found[:size]])
        rows = [(hit, copies[_story(hit)]) for hit in found[:size]]
        more = json.dumps(found[size - 1]["sort"]) if len(found) > size else None
        return Page(rows, more)

    def total(self, query: Query) -> tuple[Count, datetime | None]:
        """Posts, distinct stories, distinct voices; and the newest first sight of all posts."""
        body = {"query": query, "size": 0, "track_total_hits": True, "aggs": TOTALS}
        answer = self.server.search(self.target, body)
        found = answer["aggregations"]
        stories, voices = (int(found[name]["value"]) for name in ("stories", "voices"))
        newest = found["all"]["newest"]["value"]
        at = None if newest is None else datetime.fromtimestamp(int(newest) // 1000, UTC)
        return Count(int(answer["hits"]["total"]["value"]), stories, voices), at

    def every(self, query: Query, order: list[tuple[str, str]]) -> list[Mapping[str, Any]]:
        """All hits, read in pages of 1,000."""
        found: list[Mapping[str, Any]] = []
        place: list[Any] | None = None
        while True:
            hits = self._read(query, order, 1000, place)
            found += hits
            if len(hits) < 1000:
                return found
            place = hits[-1]["sort"]

    def _rows(
        self,
        query: Query,
        order: list[tuple[str, str]],
        size: int,
        place: list[Any] | None,
        fold: bool,
    ) -> list[Mapping[str, Any]]:
        if not fold:
            return self._read(query, order, size, place)
        return self._folded(query, order, size, place)

    def _read(
        self, query: Query, order: list[tuple[str, str]], size: int, place: list[Any] | None
    ) -> list[Mapping[str, Any]]:
        body = _body(query, order, size)
        if place is not None:
            body["search_after"] = place
        return list(self.server.search(self.target, body)["hits"]["hits"])

    def _folded(
        self, query: Query, order: list[tuple[str, str]], size: int, place: list[Any] | None
    ) -> list[Mapping[str, Any]]:
        """The first post of each story behind `place`, but for stories that began before it."""
        found: list[Mapping[str, Any]] = []
        passed: set[str] = set()
        ahead = [] if place is None else [after(order, place)]
        while len(found) < size:
            done = passed | {_story(hit) for hit in found}
            left = {"bool": {"filter": [query, *ahead], "must_not": _stories(done)}}
            body = _body(left, order, size) | {"collapse": {"field": STORY}}
            hits = self.server.search(self.target, body)["hits"]["hits"]
            begun = self._begun(query, ahead, [_story(hit) for hit in hits])
            found += [hit for hit in hits if _story(hit) not in begun]
            passed |= begun
            if len(hits) < size:
                break
        return found[:size]

    def _begun(self, query: Query, ahead: list[Query], stories: Sequence[str]) -> set[str]:
        """Which of these stories have a post on an earlier page."""
        if not ahead or not stories:
            return set()
        before = {"bool": {"filter": [query], "must_not": ahead}}
        return {story for story, n in self._copies(before, stories).items() if n}

    def _copies(self, query: Query, stories: Sequence[str]) -> dict[str, int]:
        """Matching posts of each of these stories."""
        wanted = list(dict.fromkeys(stories))
        if not wanted:
            return {}
        counted = {"terms": {"field": STORY, "include": wanted, "size": len(wanted)}}
        narrowed = {"bool": {"filter": [query, *_stories(set(wanted))]}}
        body = {"query": narrowed, "size": 0, "aggs": {"stories": counted}}
        answer = self.server.search(self.target, body)
        buckets = answer["aggregations"]["stories"]["buckets"]
        return dict.fromkeys(wanted, 0) | {b["key"]: int(b["doc_count"]) for b in buckets}

    def _by_copies(self, query: Query, size: int, place: list[Any] | None, fold: bool) -> Page:
        """Posts of the most repeated stories first: one search for each number of copies."""
        repeated = self._repeated(query)
        levels = sorted({*repeated.values(), 1}, reverse=True)
        rows: list[Row] = []
        for level in levels:
            if place is not None and level > place[0]:
                continue
            behind = place[1:] if place is not None and level == place[0] else None
            part = _level(query, repeated, level)
            hits = self._rows(part, NEWEST, size + 1 - len(rows), behind, fold)
            rows += [(hit, level) for hit in hits]
            if len(rows) > size:
                hit, copies = rows[size - 1]
                return Page(rows[:size], json.dumps([copies, *hit["sort"]]))
        return Page(rows, None)

    def _repeated(self, query: Query) -> dict[str, int]:
        """Stories with two or more matching posts."""
        found: dict[str, int] = {}
        pages: dict[str, Any] = {
            "size": 10_000,
            "sources": [{"story": {"terms": {"field": STORY}}}],
        }
        while True:
            body = {"query": query, "size": 0, "aggs": {"stories": {"composite": pages}}}
            answer = (
                self.server.search(self.target, body).get("aggregations", {}).get("stories", {})
            )
            buckets = answer.get("buckets", [])
            many = {b["key"]["story"]: int(b["doc_count"]) for b in buckets if b["doc_count"] > 1}
            found |= many
            if "after_key" not in answer:
                return found
            pages["after"] = answer["after_key"]


def _level(query: Query, repeated: Mapping[str, int], level: int) -> Query:
    """The matches whose story has this many."""
    if level == 1:
        return {"bool": {"filter": [query], "must_not": _stories(set(repeated))}}
    of_level = {story for story, copies in repeated.items() if copies == level}
    return {"bool": {"filter": [query, *_stories(of_level)]}}


def _stories(stories: set[str]) -> list[Query]:
    if len(stories) > MOST_STORIES:
        raise IndexTimeout("too many different stories for this order; narrow the window")
    return [{"terms": {STORY: sorted(stories)}}] if stories else []


def _body(query: Query, order: list[tuple[str, str]], size: int) -> dict[str, Any]:
    return {
        "query": query,
        "size": size,
        "sort": [{field: direction} for field, direction in order],
        "_source": [*SHOWN, STORY],
        "version": True,
        "track_total_hits": False,
    }


def _story(hit: Mapping[str, Any]) -> str:
    return str(hit["_source"]["facts"]["story"])


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
