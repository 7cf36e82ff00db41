"""Rows of pages on a search server: hits in an order, folded by story, with their copies.

In:  a filter, an order, the place of the row before. Out: hits with the columns that were asked for. A
place is the sort keys of a hit, so pages hold while posts come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from index.elastic_client import Server
from index.elastic_content import COLUMNS, FIELD
from index.elastic_query import Query, after
from keqing.errors import IndexTimeout

Order = list[tuple[str, str]]
Raw = Mapping[str, Any]

NEWEST: Order = [("published_at", "desc"), ("tie", "desc"), ("id", "desc")]
STORY = "facts.story"
MOST_STORIES = 65_000  # values that one filter may list on a server


class Rows:
    """Reads hits of one index or alias."""

    def __init__(self, server: Server, target: str) -> None:
        self.server, self.target = server, target

    def every(self, query: Query, order: Order, *columns: str) -> list[Raw]:
        """All hits with these columns, read in pages of 1,000."""
        found: list[Raw] = []
        place: list[Any] | None = None
        while True:
            asked = body_of(query, order, 1000, place, columns=columns)
            hits = self.server.search(self.target, asked)["hits"]["hits"]
            found += hits
            if len(hits) < 1000:
                return found
            place = hits[-1]["sort"]

    def first(
        self,
        query: Query,
        order: Order,
        size: int,
        place: list[Any] | None,
        fold: bool,
    ) -> list[Raw]:
        """The first rows behind a place; `fold` gives one of each story."""
        if not fold:
            return self.read(query, order, size, place)
        return self._folded(query, order, size, place)

    def read(self, query: Query, order: Order, size: int, place: list[Any] | None) -> list[Raw]:
        """The first hits behind a place."""
        asked = body_of(query, order, size, place)
        return list(self.server.search(self.target, asked)["hits"]["hits"])

    def _folded(self, query: Query, order: Order, size: int, place: list[Any] | None) -> list[Raw]:
        """The first post of each story behind `place`, but for stories that began before it."""
        found: list[Raw] = []
        passed: set[str] = set()
        ahead = [] if place is None else [after(order, place)]
        while len(found) < size:
            done = passed | {story_of(hit) for hit in found}
            left = {"bool": {"filter": [query, *ahead], "must_not": stories_in(done)}}
            asked = body_of(left, order, size, fold=True)
            hits = self.server.search(self.target, asked)["hits"]["hits"]
            begun = self._begun(query, ahead, [story_of(hit) for hit in hits])
            found += [hit for hit in hits if story_of(hit) not in begun]
            passed |= begun
            if len(hits) < size:
                break
        return found[:size]

    def _begun(self, query: Query, ahead: list[Query], stories: Sequence[str]) -> set[str]:
        """Which of these stories have a post on an earlier page."""
        if not ahead or not stories:
            return set()
        before = {"bool": {"filter": [query], "must_not": ahead}}
        return {story for story, n in self.copies(before, stories).items() if n}

    def copies(self, query: Query, stories: Sequence[str]) -> dict[str, int]:
        """Matching posts of each of these stories."""
        wanted = list(dict.fromkeys(stories))
        if not wanted:
            return {}
        # `map`: the stories are few, ordinals of all of them would be built anew after each refresh.
        counted = {"terms": {"field": STORY, "include": wanted, "size": len(wanted),
                             "execution_hint": "map"}}  # fmt: skip
        narrowed = {"bool": {"filter": [query, *stories_in(set(wanted))]}}
        body = {"query": narrowed, "size": 0, "track_total_hits": False,
                "aggs": {"stories": counted}}  # fmt: skip
        answer = self.server.search(self.target, body)
        buckets = answer["aggregations"]["stories"]["buckets"]
        return dict.fromkeys(wanted, 0) | {b["key"]: int(b["doc_count"]) for b in buckets}


def stories_in(stories: set[str]) -> list[Query]:
    """The filter of these stories, none for none.

    Raises:
        IndexTimeout: more than one filter may list.
    """
    if len(stories) > MOST_STORIES:
        raise IndexTimeout("too many different stories for this order; narrow the window")
    return [{"terms": {STORY: sorted(stories)}}] if stories else []


def body_of(
    query: Query,
    order: Order,
    size: int,
    place: list[Any] | None = None,
    fold: bool = False,
    columns: Sequence[str] = (FIELD, STORY),
) -> dict[str, Any]:
    """The search for some rows: columns alone, so that no stored text is unpacked."""
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


def story_of(hit: Raw) -> str:
    """The story of a hit."""
    return str(hit["fields"][STORY][0])
