"""Pages of posts on a search server, in the same orders as the embedded engine.

In:  a filter, a sort, a cursor. Out: rows (server hit, posts of its story among the matches) and the
next cursor. A cursor is the place of the last row in the sort order, so pages hold while posts come.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from index.answers import Count, Sort
from index.elastic_client import Server
from index.elastic_content import COLUMNS, FIELD
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
}
# On its own and over everything it is read from the end of an index; inside another question each
# document would be looked at.
LATEST: dict[str, Any] = {
    "size": 0,
    "track_total_hits": False,
    "aggs": {"newest": {"max": {"field": "first_seen_at"}}},
}
REPEATED = {"field": STORY, "size": 65_000, "shard_size": 65_000, "min_doc_count": 2}
MOST_STORIES = 65_000  # values that one filter may list on a server

Row = tuple[Mapping[str, Any], int]


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

    def page(self, query: Query, sort: Sort, size: int, cursor: str | None, fold: bool) -> Page:
        """One page; `fold` shows of each story the first post in this order."""
        place = _place(cursor, 4 if sort == "similar" else len(ORDERS[sort]))
        if sort == "similar":
            return self._by_copies(query, size, place, fold)
        order = ORDERS[sort]
        if fold and place is not None:
            found = self._folded(query, order, size + 1, place)
            answer, latest = self.server.searches(self.target, [_counting(query), LATEST])
        else:
            hits = _body(query, order, size + 1, place, fold)
            body = {**hits, **_counting(query), "size": size + 1}
            answer, latest = self.server.searches(self.target, [body, LATEST])
            found = answer["hits"]["hits"]
        copies = self._copies(query, [_story(hit) for hit in found[:size]])
        rows = [(hit, copies[_story(hit)]) for hit in found[:size]]
        more = json.dumps(found[size - 1]["sort"]) if len(found) > size else None
        return Page(rows, more, _count(answer), _newest(latest))

    def total(self, query: Query) -> Count:
        """Posts, distinct stories, distinct voices."""
        return _count(self.server.search(self.target, _counting(query)))

    def latest(self) -> datetime | None:
        """The newest first sight of all posts."""
        return _newest(self.server.search(self.target, LATEST))

    def every(
        self, query: Query, order: list[tuple[str, str]], *columns: str
    ) -> list[Mapping[str, Any]]:
        """All hits with these columns, read in pages of 1,000."""
        found: list[Mapping[str, Any]] = []
        place: list[Any] | None = None
        while True:
            body = _body(query, order, 1000, place, columns=columns)
            hits = self.server.search(self.target, body)["hits"]["hits"]
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
        body = _body(query, order, size, place)
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
            body = _body(left, order, size, fold=True)
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
        # `map`: the stories are few, ordinals of all of them would be built anew after each refresh.
        counted = {"terms": {"field": STORY, "include": wanted, "size": len(wanted),
                             "execution_hint": "map"}}  # fmt: skip
        narrowed = {"bool": {"filter": [query, *_stories(set(wanted))]}}
        body = {"query": narrowed, "size": 0, "aggs": {"stories": counted}}
        answer = self.server.search(self.target, body)
        buckets = answer["aggregations"]["stories"]["buckets"]
        return dict.fromkeys(wanted, 0) | {b["key"]: int(b["doc_count"]) for b in buckets}

    def _by_copies(self, query: Query, size: int, place: list[Any] | None, fold: bool) -> Page:
        """Posts of the most repeated stories first, by the number of their copies."""
        body = _counting(query)
        body["aggs"] = {**body["aggs"], "repeated": {"terms": REPEATED}}
        answer, latest = self.server.searches(self.target, [body, LATEST])
        repeated = self._repeated(query, answer["aggregations"]["repeated"])
        rows = self._of_levels(query, repeated, size + 1, place, fold)
        more = None
        if len(rows) > size:
            hit, copies = rows[size - 1]
            more = json.dumps([copies, *hit["sort"]])
        return Page(rows[:size], more, _count(answer), _newest(latest))

    def _of_levels(
        self,
        query: Query,
        repeated: Mapping[str, int],
        size: int,
        place: list[Any] | None,
        fold: bool,
    ) -> list[Row]:
        """Rows behind a place, one search for each number of copies, as many as a page needs."""
        levels = sorted({*repeated.values(), 1}, reverse=True)
        rows: list[Row] = []
        if place is not None:
            levels = [level for level in levels if level <= place[0]]
            if levels and levels[0] == place[0]:
                first = levels.pop(0)
                part = _level(query, repeated, first)
                rows = [(h, first) for h in self._rows(part, NEWEST, size, place[1:], fold)]
        wanted = _needed(levels, repeated, size - len(rows), fold)
        bodies = [
            _body(_level(query, repeated, level), NEWEST, size, fold=fold) for level in wanted
        ]
        answers = self.server.searches(self.target, bodies) if bodies else []
        for level, answer in zip(wanted, answers, strict=True):
            rows += [(hit, level) for hit in answer["hits"]["hits"]]
        return rows[:size]

    def _repeated(self, query: Query, counted: Mapping[str, Any]) -> dict[str, int]:
        """Stories with two or more matching posts."""
        # Buckets come in falling counts, and no shard left one out: those of one post do not matter.
        whole = not counted.get("doc_count_error_upper_bound")
        if whole and not counted.get("sum_other_doc_count"):
            return {b["key"]: int(b["doc_count"]) for b in counted["buckets"]}
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


def _needed(levels: list[int], repeated: Mapping[str, int], size: int, fold: bool) -> list[int]:
    """The first levels that together have `size` rows."""
    stories = Counter(repeated.values())
    wanted: list[int] = []
    for level in levels:
        if size <= 0:
            break
        wanted.append(level)
        size -= stories[level] * (1 if fold else level)
    return wanted


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


def _body(
    query: Query,
    order: list[tuple[str, str]],
    size: int,
    place: list[Any] | None = None,
    fold: bool = False,
    columns: Sequence[str] = (FIELD, STORY),
) -> dict[str, Any]:
    return {
        "query": query,
        "size": size,
        "sort": [{field: direction} for field, direction in order],
        **COLUMNS,
        "docvalue_fields": list(columns),
        "track_total_hits": False,
        **({} if place is None else {"search_after": place}),
        **({"collapse": {"field": STORY}} if fold else {}),
    }


def _counting(query: Query) -> dict[str, Any]:
    return {"query": query, "size": 0, "track_total_hits": True, "aggs": TOTALS}


def _count(answer: Mapping[str, Any]) -> Count:
    found = answer["aggregations"]
    stories, voices = (int(found[name]["value"]) for name in ("stories", "voices"))
    return Count(int(answer["hits"]["total"]["value"]), stories, voices)


def _newest(answer: Mapping[str, Any]) -> datetime | None:
    newest = answer["aggregations"]["newest"]["value"]
    return None if newest is None else datetime.fromtimestamp(int(newest) // 1000, UTC)


def _story(hit: Mapping[str, Any]) -> str:
    return str(hit["fields"][STORY][0])


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
