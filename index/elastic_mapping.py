"""The layout on a search server: fields, settings, names of indices.

In:  the plan's [index]. Out: the body of a composable template and the names that belong to an
edition. An edition is one whole build of the index, `v<VERSION>-<n>`; a rebuild makes the next one. A post's index follows from its own time, so that a re-crawl lands on its own old document.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Any, get_args

from index.ast import Field
from index.similar import WIDTH
from keqing.settings import IndexSettings

VERSION = 4  # of the layout here; a change raises it: `keqing rebuild` then makes an edition of it
CHINA_S, DAY_S = 8 * 3600, 86_400
FIRST_YEAR = 2015  # older posts share one index, or a forum with 1970s dates makes 500 of them
OLD = "before-2015"
TAGS: tuple[str, ...] = get_args(Field)

_KEY = {"type": "keyword"}
_COUNTED = {"type": "keyword", "index": False}  # no question names a value
_LONG = {"type": "long"}
_DATE = {"type": "date", "format": "epoch_millis"}
_TOKENS = {"type": "text", "analyzer": "whitespace", "norms": False}
_FACTS = {
    "dynamic": "strict",
    "properties": {
        **{n: _KEY for n in ("brands", "negative", "positive", "source", "story")},
        "voices": _COUNTED,
    },
}
PROPERTIES: dict[str, Any] = {
    **{name: _KEY for name in TAGS},
    "id": _KEY, "url": {"type": "keyword", "ignore_above": 8000}, "keywords": _COUNTED,
    "published_at": _DATE, "first_seen_at": _DATE, "collected_at": {**_DATE, "index": False},
    "tie": _LONG, "timed": {"type": "boolean"},
    "voice": {"type": "byte", "index": False}, "negative": {"type": "byte", "index": False},
    "risk": {"type": "double"}, "severe": {"type": "double"}, "interactions": _LONG,
    "likes": _LONG, "comments": _LONG, "reposts": _LONG, "views": _LONG, "followers": _LONG,
    "rating": {"type": "double"}, "tokens": _TOKENS, "title_tokens": _TOKENS, "facts": _FACTS,
    "vector": {"type": "dense_vector", "dims": WIDTH, "element_type": "byte",
               "similarity": "cosine", "index": True},
    "sig": _COUNTED,
    "content": {"type": "binary", "doc_values": True},  # index/elastic_content.py
}  # fmt: skip
MAPPING: dict[str, Any] = {
    "dynamic": "strict",
    "_meta": {"index_version": VERSION},
    # Everything else stands in columns; a vector has none, so the server needs its own text of it.
    "_source": {"includes": ["vector"]},
    "properties": PROPERTIES,
}


@lru_cache(maxsize=10_000)
def _month(day: int) -> str:
    """The month of a day (in Beijing) since 1970."""
    at = date(1970, 1, 1) + timedelta(days=day)
    return f"{at:%Y.%m}" if at.year >= FIRST_YEAR else OLD


class Names:
    """Names of everything that belongs to one installation on a server."""

    def __init__(self, name: str) -> None:
        self.alias, self.state = name, f"{name}-state"

    def template(self, edition: str) -> str:
        """The composable template of an edition."""
        return f"{self.alias}-mentions-{edition}"

    def pattern(self, edition: str) -> str:
        """All indices of an edition."""
        return f"{self.template(edition)}-*"

    def month(self, edition: str, published_at: int) -> str:
        """The index of a post, from its time in seconds."""
        return f"{self.template(edition)}-{_month((published_at + CHINA_S) // DAY_S)}"


def template(settings: IndexSettings, edition: str, *, live: bool) -> dict[str, Any]:
    """Composable template of an edition; only a live one puts its indices under the read alias."""
    names = Names(settings.name)
    return {
        "index_patterns": [names.pattern(edition)],
        "priority": 500,
        "_meta": {"index_version": VERSION},
        "template": {
            "settings": index_settings(settings),
            "mappings": mapping(settings),
            "aliases": {names.alias: {}} if live else {},
        },
    }


def mapping(settings: IndexSettings) -> dict[str, Any]:
    """Fields of a month; OpenSearch knows no dense_vector, so vectors are only kept there."""
    if settings.flavour == "elasticsearch":
        return MAPPING
    kept = {"vector": {"type": "object", "enabled": False}}
    return {**MAPPING, "properties": {**PROPERTIES, **kept}}


def index_settings(settings: IndexSettings) -> dict[str, Any]:
    """Settings of one month; a lone node keeps no replica and is green."""
    spread = {"auto_expand_replicas": f"0-{settings.replicas}"} if settings.replicas else {}
    return {
        "number_of_shards": settings.shards,
        "number_of_replicas": 0,
        "refresh_interval": "30s",
        "codec": "best_compression",
        "sort.field": ["published_at", "tie"],
        "sort.order": ["desc", "desc"],
        "merge.policy.expunge_deletes_allowed": 0,  # or what is erased would stay in large segments
        **spread,
    }
