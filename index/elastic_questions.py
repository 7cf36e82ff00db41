"""Counts on a search server: series, shares, words. Exact where the embedded engine is exact.

In:  filters and windows. Out: numbers by step, value or word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.answers import Bucket, Keyword, Series, Window
from index.elastic_client import Server
from index.elastic_query import Query, within
from index.score import jlh
from index.series import CST_S, Grid
from keqing.errors import IndexRejected

STEPS = 20_000  # of one request, each of three buckets; a server refuses more than 65,536
VALUES = 20_000
WORDS = (8_000, 60_000)
BACKGROUND = 10_000  # words of one look at the background: it costs as much for one as for all

Columns = NDArray[np.int64]  # 5 × steps: posts, negative, voices, negative voices, positive


def series(
    server: Server,
    target: str,
    brands: Sequence[str],
    window: Window,
    step_s: int,
    source: str | None,
) -> dict[str, Series]:
    """Dense series per brand."""
    clock = "published_at" if window.clock == "published" else "first_seen_at"
    grid = Grid.over(window, step_s)
    found = {brand: np.zeros((5, grid.size), np.int64) for brand in brands}
    for piece in _pieces(window, step_s):
        bodies = [_series(brand, piece, clock, step_s, source) for brand in brands]
        for brand, answer in zip(brands, _asked(server, target, bodies), strict=True):
            _put(found[brand], answer, grid)
    return {brand: grid.series(list(columns)) for brand, columns in found.items()}


def _asked(server: Server, target: str, bodies: list[Query]) -> list[dict[str, Any]]:
    if len(bodies) == 1:
        return [server.search(target, bodies[0])]
    return server.searches(target, bodies) if bodies else []


def values(server: Server, target: str, field: str, query: Query) -> list[Bucket]:
    """Posts and negative posts per value of a tag.

    Raises:
        IndexRejected: more values than can be listed.
    """
    negative = {"negative": {"sum": {"field": "negative"}}}
    counted = {"terms": {"field": field, "size": VALUES, "shard_size": VALUES}, "aggs": negative}
    answer = server.search(target, {"query": query, "size": 0, "aggs": {"values": counted}})
    found = answer["aggregations"]["values"]
    if found.get("sum_other_doc_count") or found.get("doc_count_error_upper_bound"):
        raise IndexRejected(f"{field} has more than {VALUES:,} values here; narrow the window")
    return [
        Bucket(b["key"], int(b["doc_count"]), int(b["negative"]["value"])) for b in found["buckets"]
    ]


def keywords(
    server: Server, target: str, query: Query, background: Window, size: int
) -> list[Keyword]:
    """The words that stand out most, exactly as if all words were scored.

    Words come in falling counts. A word that the background does not know scores highest for its
    count, so that reading stops where even such a word would not reach the list.
    """
    behind: Query = {"bool": {"filter": [within(background)]}}
    first, usually = server.searches(target, [_counted(query, WORDS[0]), _total(behind)])
    m = _posts(usually)
    best: list[Keyword] = []
    seen: set[str] = set()
    for n, words, rest in _words(server, target, query, first):
        fresh = [(word, count) for word, count in words if word not in seen]
        for at in range(0, len(fresh), BACKGROUND):
            part = fresh[at : at + BACKGROUND]
            if _settled(best, size, jlh(part[0][1], n, 0, m)):
                return best
            usual = _of_words(server, target, behind, [word for word, _ in part])
            best += [Keyword(w, c, usual.get(w, 0), jlh(c, n, usual.get(w, 0), m)) for w, c in part]
            best = sorted(best, key=lambda k: (-k.score, -k.count, k.word))[:size]
        seen |= {word for word, _ in fresh}
        if rest == 0 or _settled(best, size, jlh(rest, n, 0, m)):
            return best
    raise IndexRejected("too many different words here; narrow the window")


def _settled(best: Sequence[Keyword], size: int, bound: float) -> bool:
    """Whether no word of a score up to `bound` reaches the list any more."""
    return len(best) == size and best[-1].score > bound


def _words(
    server: Server, target: str, query: Query, first: Mapping[str, Any]
) -> Iterator[tuple[int, list[tuple[str, int]], int]]:
    """Posts, words with counts, and the highest count of a word that is not listed."""
    answer = first
    for n, size in enumerate(WORDS):
        if n:
            answer = server.search(target, _counted(query, size))
        found = answer["aggregations"]["words"]
        buckets = [(b["key"], int(b["doc_count"])) for b in found["buckets"]]
        if found.get("doc_count_error_upper_bound"):
            continue  # a shard left out words that others counted: ask for more of them
        rest = buckets[-1][1] if found.get("sum_other_doc_count") else 0
        yield _posts(answer), buckets, rest


def _counted(query: Query, size: int) -> dict[str, Any]:
    words = {"terms": {"field": "keywords", "size": size, "shard_size": size}}
    return {**_total(query), "aggs": {"words": words}}


def _of_words(server: Server, target: str, query: Query, words: list[str]) -> dict[str, int]:
    if not words:
        return {}
    counted = {"terms": {"field": "keywords", "include": words, "size": len(words)}}
    answer = server.search(target, {"query": query, "size": 0, "aggs": {"words": counted}})
    buckets = answer["aggregations"]["words"]["buckets"]
    return {b["key"]: int(b["doc_count"]) for b in buckets}


def _total(query: Query) -> dict[str, Any]:
    return {"query": query, "size": 0, "track_total_hits": True}


def _posts(answer: Mapping[str, Any]) -> int:
    return int(answer["hits"]["total"]["value"])


def _pieces(window: Window, step_s: int) -> Iterator[tuple[int, int]]:
    """The window in spans of whole steps, in seconds."""
    grid = Grid.over(window, step_s)
    start, end = grid.bounds
    for first in range(grid.first, grid.last, STEPS):
        edge = first * step_s - CST_S
        yield max(start, edge), min(end, edge + STEPS * step_s)


def _series(
    brand: str, span: tuple[int, int], clock: str, step_s: int, source: str | None
) -> dict[str, Any]:
    wanted: list[Query] = [
        {"term": {"facts.brands": brand}},
        {"term": {"timed": True}},
        {"range": {clock: {"gte": span[0] * 1000, "lt": span[1] * 1000}}},
    ]
    if source is not None:
        wanted.append({"term": {"facts.source": source}})
    voices = {"voices": {"sum": {"field": "voice"}}}
    parts = {
        **voices,
        "negative": {"filter": {"term": {"facts.negative": brand}}, "aggs": voices},
        "positive": {"filter": {"term": {"facts.positive": brand}}},
    }
    steps = {
        "field": clock,
        "fixed_interval": f"{step_s}s",
        "offset": f"{-CST_S % step_s}s",
        "min_doc_count": 1,
    }
    counted = {"steps": {"date_histogram": steps, "aggs": parts}}
    return {
        "query": {"bool": {"filter": wanted}}, "size": 0, "track_total_hits": False, "aggs": counted,
    }  # fmt: skip


def _put(columns: Columns, answer: Mapping[str, Any], grid: Grid) -> None:
    """Write the counts of an answer into their steps."""
    buckets = answer["aggregations"]["steps"]["buckets"]
    if not buckets:
        return
    keys = np.array([b["key"] for b in buckets], np.int64)
    columns[:, grid.steps(keys // 1000)] = [
        [b["doc_count"] for b in buckets],
        [b["negative"]["doc_count"] for b in buckets],
        [b["voices"]["value"] for b in buckets],
        [b["negative"]["voices"]["value"] for b in buckets],
        [b["positive"]["doc_count"] for b in buckets],
    ]
