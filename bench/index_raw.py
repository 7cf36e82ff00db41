"""The same questions as written by hand for the plain client: one search body each, nothing checked.

In:  the windows of bench/index_made.py. Out: request bodies by the question's name. They leave out what
our engine does besides: a second look for copies of a story, the newest moment of the whole index,
refusing an answer of which a part is missing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bench.index_made import DAYS, END

Body = dict[str, Any]

NEWEST = [{"published_at": "desc"}, {"tie": "desc"}, {"id": "desc"}]
SOURCE = ["shown", "tokens", "likes", "comments", "reposts", "views", "rating", "followers"]
DISTINCT: Body = {
    name: {"cardinality": {"field": f"facts.{name}", "precision_threshold": 40_000}}
    for name in ("voices",)
} | {"stories": {"cardinality": {"field": "facts.story", "precision_threshold": 40_000}}}
BRAND: Body = {"term": {"brand": "brand0"}}


def bodies() -> dict[str, Body]:
    """One request body per question, by the names of `questions`."""
    week, month, quarter = (timedelta(days=d) for d in (7, 28, DAYS))
    hour = timedelta(hours=1)
    noon = _between(END - timedelta(days=7, hours=5, minutes=7), END - timedelta(minutes=3))
    words = [BRAND, _any("词00010"), _back(month)]
    some, rarer = _either("词00020", "词00030"), _either("词00150", "词00160")
    return {
        "timeline, 7 days hourly": _series([_back(week)], {"fixed_interval": "1h"}),
        "timeline, 90 days daily": _series([_back(quarter)], {"calendar_interval": "day"}),
        "timeline of one source, no whole hours": _series(
            [noon, {"term": {"facts.source": "s3"}}], {"fixed_interval": "1h"}
        ),
        "alert tick, 28 days of 5 min": _series([_back(month)], {"fixed_interval": "5m"}),
        "alert tick, series of 1 h": _series([_back(hour)], {"fixed_interval": "5m"}),
        "alert tick, documents of 1 h": _page(
            [
                {"range": {"severe": {"gte": 0.8}}}, {"term": {"timed": True}},
                {"exists": {"field": "facts.brands"}}, _back(hour),
            ],
            [{"first_seen_at": "asc"}, *NEWEST], 1000,
        ),
        "share of sources, 7 days": _counting(
            [BRAND, _back(week)],
            {"of": {"terms": {"field": "source", "size": 100}, "aggs": {"n": {"sum": {"field": "negative"}}}}},
        ),
        "keywords, 1 day against 28": _keywords(),
        "count, 7 days": _counting([BRAND, _back(week)], DISTINCT, total=True),
        "count and distinct voices, 90 days": _counting([BRAND, _back(quarter)], DISTINCT, total=True),
        "brand AND word NOT word, newest": _search(words, must_not=[_any("词00003")]),
        "OR of three, by risk": _search([some, _back(month)], [{"risk": "desc"}, *NEWEST]),
        "OR of three rarer, by risk": _search([rarer, _back(month)], [{"risk": "desc"}, *NEWEST]),
        "phrase and source, newest": _search([_phrase(), {"term": {"source": "s3"}}, _back(month)]),
        "mentions page, folded": _search([BRAND, _back(week)])
        | {"collapse": {"field": "facts.story", "inner_hits": {"name": "copies", "size": 0}}},
        "most repeated, folded": _repeated([BRAND, _back(week)]),
    }  # fmt: skip


def every(query: Body) -> Body:
    """One page of an export, 1,000 posts newest first."""
    return {
        "query": query,
        "size": 1000,
        "sort": NEWEST,
        "_source": SOURCE,
        "track_total_hits": False,
    }


def brand_in(days: int) -> Body:
    """The posts of the largest brand in the last days."""
    return {"bool": {"filter": [BRAND, _back(timedelta(days=days))]}}


def _between(start: datetime, end: datetime) -> Body:
    at = {"gte": int(start.timestamp() * 1000), "lt": int(end.timestamp() * 1000)}
    return {"range": {"published_at": at}}


def _back(span: timedelta) -> Body:
    return _between(END - span, END)


def _any(word: str) -> Body:
    either = [{"term": {field: word}} for field in ("tokens", "title_tokens")]
    return {"bool": {"should": either, "minimum_should_match": 1}}


def _either(one: str, other: str) -> Body:
    either = [_any(one), _any(other), _phrase()]
    return {"bool": {"should": either, "minimum_should_match": 1}}


def _phrase() -> Body:
    fields = ("tokens", "title_tokens")
    either = [{"match_phrase": {field: "词00001 词00002"}} for field in fields]
    return {"bool": {"should": either, "minimum_should_match": 1}}


def _series(filters: list[Body], step: Body) -> Body:
    voices = {"voices": {"sum": {"field": "voice"}}}
    parts = {
        **voices,
        "negative": {"filter": {"term": {"facts.negative": "brand0"}}, "aggs": voices},
        "positive": {"filter": {"term": {"facts.positive": "brand0"}}},
    }
    steps = {"field": "published_at", "time_zone": "+08:00", "min_doc_count": 1, **step}
    about = [{"term": {"facts.brands": "brand0"}}, {"term": {"timed": True}}, *filters]
    return _counting(about, {"steps": {"date_histogram": steps, "aggs": parts}})


def _counting(filters: list[Body], aggs: Body, *, total: bool = False) -> Body:
    query = {"bool": {"filter": filters}}
    return {"query": query, "size": 0, "track_total_hits": total, "aggs": aggs}


def _page(filters: list[Body], sort: list[Body], size: int) -> Body:
    query = {"bool": {"filter": filters}}
    return {
        "query": query,
        "size": size,
        "sort": sort,
        "_source": SOURCE,
        "track_total_hits": False,
    }


def _search(
    filters: list[Body], sort: list[Body] | None = None, must_not: list[Body] | None = None
) -> Body:
    query = {"bool": {"filter": filters, "must_not": must_not or []}}
    return {
        "query": query, "size": 20, "sort": sort or NEWEST, "_source": SOURCE,
        "track_total_hits": True, "aggs": DISTINCT,
    }  # fmt: skip


def _keywords() -> Body:
    day, month = timedelta(days=1), timedelta(days=28)

    def words(size: int) -> Body:
        return {"words": {"terms": {"field": "keywords", "size": size}}}

    now = {"filter": {"bool": {"filter": [BRAND, _back(day)]}}, "aggs": words(1_000)}
    usual = {"filter": _back(month), "aggs": words(20_000)}
    return {
        "size": 0,
        "query": _back(month),
        "track_total_hits": True,
        "aggs": {"now": now, "usual": usual},
    }


def _repeated(filters: list[Body]) -> Body:
    stories = {
        "terms": {
            "field": "facts.story",
            "size": 5,
            "order": [{"_count": "desc"}, {"newest": "desc"}],
        },
        "aggs": {
            "newest": {"max": {"field": "published_at"}},
            "first": {"top_hits": {"size": 1, "sort": NEWEST, "_source": SOURCE}},
        },
    }
    return _counting(filters, {"most": stories, **DISTINCT}, total=True)
