"""The most repeated stories first: posts in order of how many copies the matches have.

In:  Rows of an index, a filter, a place. Out: rows with their number of copies. Numbers are exact over
all shards: what one shard leaves out of a list would be a story that is too small by a post.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from index.elastic_query import Query
from index.elastic_rows import MOST_STORIES, NEWEST, STORY, Raw, Rows, body_of, stories_in

FEW = 1_000  # stories of two and more posts that one shard is asked for first
Row = tuple[Raw, int]


class Copies:
    """Reads rows by copies."""

    def __init__(self, rows: Rows) -> None:
        self.rows, self.server, self.target = rows, rows.server, rows.target
        self._single: dict[str, bool] = {}  # whether an index has one shard

    def page(
        self, query: Query, size: int, place: list[Any] | None, fold: bool, one_month: bool
    ) -> tuple[list[Row], str | None]:
        """One page, and the cursor behind it if more follow.

        Args:
            one_month: whether all matches lie in one month: few stories need be listed then.
        """
        rows: list[Row] | None = None
        if one_month and (repeated := self._few(query)) is not None:
            rows = self._of_levels(query, repeated, size + 1, place, fold)
        if rows is None or not all(self._in_one_shard(hit["_index"]) for hit, _ in rows):
            rows = self._of_levels(query, self._repeated(query), size + 1, place, fold)
        more = None
        if len(rows) > size:
            hit, copies = rows[size - 1]
            more = json.dumps([copies, *hit["sort"]])
        return rows[:size], more

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
                rows = [(h, first) for h in self.rows.first(part, NEWEST, size, place[1:], fold)]
        wanted = _needed(levels, repeated, size - len(rows), fold)
        bodies = [
            body_of(_level(query, repeated, level), NEWEST, size, fold=fold) for level in wanted
        ]
        answers = self.server.searches(self.target, bodies) if bodies else []
        for level, answer in zip(wanted, answers, strict=True):
            rows += [(hit, level) for hit in answer["hits"]["hits"]]
        return rows[:size]

    def _in_one_shard(self, index: str) -> bool:
        if index not in self._single:
            found = self.server.ask("GET", f"/{index}/_settings/index.number_of_shards")
            shards = found[index]["settings"]["index"]["number_of_shards"]
            self._single[index] = int(shards) == 1
        return self._single[index]

    def _few(self, query: Query) -> dict[str, int] | None:
        """The same if all matches lie in one shard and there are few; None if there are many."""
        buckets = self._most(query, FEW)["buckets"]
        # They come by falling counts: with room left, all of two and more are listed.
        many = len(buckets) == FEW
        return None if many else {b["key"]: int(b["doc_count"]) for b in buckets}

    def _repeated(self, query: Query) -> dict[str, int]:
        """Stories with two or more matching posts."""
        counted = self._most(query, MOST_STORIES)
        # Buckets come in falling counts, and no shard left one out: those of one post do not matter.
        whole = not counted.get("doc_count_error_upper_bound")
        if whole and not counted.get("sum_other_doc_count"):
            return {b["key"]: int(b["doc_count"]) for b in counted["buckets"]}
        return self._all_repeated(query)

    def _most(self, query: Query, size: int) -> dict[str, Any]:
        """The most repeated stories, from each shard as many."""
        terms = {"field": STORY, "size": size, "shard_size": size, "min_doc_count": 2}
        body = {"query": query, "size": 0, "track_total_hits": False,
                "aggs": {"repeated": {"terms": terms}}}  # fmt: skip
        found = self.server.search(self.target, body).get("aggregations", {})
        return dict(found.get("repeated", {"buckets": []}))

    def _all_repeated(self, query: Query) -> dict[str, int]:
        """The same by reading all stories in pages."""
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
        return {"bool": {"filter": [query], "must_not": stories_in(set(repeated))}}
    of_level = {story for story, copies in repeated.items() if copies == level}
    return {"bool": {"filter": [query, *stories_in(of_level)]}}
