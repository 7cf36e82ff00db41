"""Mention → document: what the index stores and can be asked.

In:  a Mention. Out: a Document with its filter tags, counters and the JSON that pages show.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from index.answers import Hit
from index.matcher import Fields
from index.similar import vector_bytes
from keqing.records import Mention, Polarity, utc_text

ASSERTED = 0.5  # confidence of a severity class from which a post is found under it
COUNTERS = ("likes", "comments", "reposts", "views", "rating", "followers")
_UNSAFE = str.maketrans({"'": "_", '"': "_", "\0": "_"})


@dataclass(frozen=True)
class Document:
    """A flattened Mention; times are whole seconds, `timed` is False for back-fill without time."""

    id: str
    published_at: int
    first_seen_at: int
    collected_at: int  # milliseconds, the document's version
    timed: bool
    polarity: str
    voice: bool
    story: str
    author: str
    source: str
    brands: tuple[tuple[str, bool, bool], ...]  # brand, negative, positive towards it
    risk: float
    severity: float  # highest confidence of a severity class
    tokens: tuple[str, ...]
    title_tokens: tuple[str, ...]
    keywords: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    counters: dict[str, float | None]
    shown: dict[str, Any]
    vector: bytes | None = None  # 512 signed bytes, on the first telling of a story

    def fields(self) -> Fields:
        """The document as the reference matcher reads it."""
        return Fields(self.tokens, self.title_tokens, frozenset(self.tags), self.counters)

    @cached_property
    def signature(self) -> str:
        """Changes exactly when something but counters, collection time and run changes."""
        kept = {k: v for k, v in self.shown.items() if k not in ("collected_at", *COUNTERS)}
        content = [kept, self.tokens, self.title_tokens, self.tags, self.brands, self.voice]
        if self.vector is not None:
            content.append(self.vector.hex())
        packed = json.dumps(content, ensure_ascii=False, sort_keys=True).encode()
        return hashlib.blake2b(packed, digest_size=16).hexdigest()


def to_document(mention: Mention) -> Document:
    """Flatten a Mention; a post without readable time counts at its first sight."""
    post = mention.post
    published = post.published_at or post.first_seen_at
    negative = Polarity.NEGATIVE
    return Document(
        id=post.id,
        published_at=int(published.timestamp()),
        first_seen_at=int(post.first_seen_at.timestamp()),
        collected_at=int(post.collected_at.timestamp() * 1000),
        timed=not (post.backfill and post.published_at is None),
        polarity=mention.polarity or "",
        voice=mention.voice,
        story=mention.story,
        author=post.author.id or post.id,
        source=post.source,
        brands=tuple(
            dict.fromkeys(
                (hit.brand, hit.polarity == negative, hit.polarity == Polarity.POSITIVE)
                for hit in mention.brands
            )
        ),
        risk=-1.0 if mention.risk is None else mention.risk,
        severity=max((hit.confidence for hit in mention.severity), default=0.0),
        tokens=tuple(map(clean, mention.tokens)),
        title_tokens=tuple(map(clean, mention.title_tokens)),
        keywords=tuple(dict.fromkeys(mention.keywords)),
        tags=tuple(sorted(set(_tags(mention)))),
        counters=_counters(mention),
        shown=_shown(mention, published),
        vector=vector_bytes(post.id, mention.vector),
    )


def clean(token: str) -> str:
    """A token as both engines store it: lower case, one unit, no quotes."""
    low = token.lower()
    if low.isalnum():  # nearly all: neither blank nor quote
        return low
    return "_".join(low.translate(_UNSAFE).split()) or "_"


def tag_term(name: str, value: str) -> str:
    """How a filter is stored: one token, `name:value`."""
    return clean(f"{name}:{value}")


def tie(post_id: str) -> int:
    """Order among posts of one second: 31 bits of a hash of the id."""
    digest = hashlib.blake2b(post_id.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


def to_hit(
    shown: dict[str, Any], counters: dict[str, Any], spans: tuple[tuple[int, int], ...]
) -> Hit:
    """The stored JSON and the newest counters as an answer."""
    values = dict(shown)
    for name in ("published_at", "first_seen_at", "collected_at"):
        values[name] = datetime.fromisoformat(values[name]).astimezone(UTC)
    for name in ("brands", "negative_brands", "topics", "aspects", "severity", "keywords"):
        values[name] = tuple(values[name])
    values |= {name: counters.get(name) for name in COUNTERS if name != "views"}
    return Hit(**values, spans=spans)


def _tags(mention: Mention) -> Iterator[tuple[str, str]]:
    post = mention.post
    single = {
        "source": post.source, "channel": post.channel, "region": post.region,
        "polarity": mention.polarity, "intent": mention.intent, "event": mention.event,
        "kind": post.kind, "emotion": mention.emotion, "story": mention.story,
        "author": post.author.id, "platform": post.platform,
    }  # fmt: skip
    many = {
        "aspect": mention.aspects, "topic": mention.topics,
        "severity": _severe(mention),
        "brand": tuple(hit.brand for hit in mention.brands),
        "negative_brand": _negative_brands(mention),
    }  # fmt: skip
    for name, value in single.items():
        if value:
            yield name, str(value).lower()
    for name, values in many.items():
        for value in values:
            yield name, value.lower()


def _severe(mention: Mention) -> tuple[str, ...]:
    """Classes that the post rather asserts than not; 没有起火 is no fire, its reason is in `detail`."""
    sure = (hit.name for hit in mention.severity if hit.confidence >= ASSERTED)
    return tuple(dict.fromkeys(sure))


def _negative_brands(mention: Mention) -> tuple[str, ...]:
    towards = (hit.brand for hit in mention.brands if hit.polarity == Polarity.NEGATIVE)
    return tuple(dict.fromkeys(towards))


def _counters(mention: Mention) -> dict[str, float | None]:
    post = mention.post
    counted = {name: getattr(post.engagement, name) for name in COUNTERS[:4]}
    return counted | {"rating": post.rating, "followers": post.author.followers}


def _shown(mention: Mention, published: datetime) -> dict[str, Any]:
    post = mention.post
    return {
        "id": post.id, "source": post.source, "channel": post.channel, "kind": post.kind,
        "platform": post.platform, "url": post.url, "author": post.author.id,
        "author_name": post.author.name, "title": post.title, "text": post.text,
        "published_at": utc_text(published), "published_precision": post.published_precision,
        "first_seen_at": utc_text(post.first_seen_at),
        "collected_at": utc_text(post.collected_at), "polarity": mention.polarity,
        "p_negative": mention.p_negative,
        "brands": list(dict.fromkeys(hit.brand for hit in mention.brands)),
        "negative_brands": list(_negative_brands(mention)), "topics": list(mention.topics),
        "aspects": list(mention.aspects), "severity": list(_severe(mention)),
        "intent": mention.intent, "story": mention.story, "region": post.region,
        "risk": mention.risk, "keywords": list(mention.keywords), "evidence": post.evidence,
        "detail": {
            "severity": [hit.model_dump() for hit in mention.severity],
            "aspects": [hit.model_dump(mode="json") for hit in mention.aspect_hits],
            "intents": list(mention.intents), "sarcasm": list(mention.sarcasm),
            "hits": [hit.model_dump(mode="json") for hit in mention.brands],
            "rejected": [rejection.model_dump() for rejection in mention.rejected],
            "corrected": [one.model_dump(mode="json") for one in mention.corrected],
            "versions": mention.versions.model_dump(), "stage": mention.stage,
            "thread_id": post.thread_id, "flags": list(post.flags), "verified": post.author.verified,
            "author_role": mention.author_role, "influence": mention.influence,
            "coordinated": mention.coordinated,
            "speaker": mention.speaker and mention.speaker.model_dump(mode="json"),
        },
    }  # fmt: skip
