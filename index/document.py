"""Mention → document: what the index stores and can be asked.

In:  a Mention. Out: a Document with its filter tags, counters and the object that pages show.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import msgspec

from index.answers import Hit
from index.body import ASSERTED, digest, packed, shown, unpacked
from index.matcher import Fields
from index.similar import vector_bytes
from keqing.records import Mention, Polarity

COUNTERS = ("likes", "comments", "reposts", "views", "rating", "followers")
_UNSAFE = str.maketrans({"'": "_", '"': "_", "\0": "_"})
_QUOTES = re.compile("['\"\0]")
_ODD = re.compile("['\"\0\\s]")

Numbers = dict[str, float | None]


class Document(msgspec.Struct, frozen=True, dict=True):
    """A flattened Mention; times are whole seconds, `timed` is False for back-fill without time."""

    mention: Mention
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
    words: str  # clean tokens, a blank between each two
    title_words: str
    keywords: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    counters: Numbers
    vector: bytes | None = None  # 512 signed bytes, on the first telling of a story

    @property
    def tokens(self) -> tuple[str, ...]:
        """Clean tokens of the text."""
        return tuple(self.words.split())

    @property
    def title_tokens(self) -> tuple[str, ...]:
        """Clean tokens of the title."""
        return tuple(self.title_words.split())

    def fields(self) -> Fields:
        """The document as the reference matcher reads it."""
        return Fields(self.tokens, self.title_tokens, frozenset(self.tags), self.counters)

    @cached_property
    def body(self) -> bytes:
        """The packed content."""
        return packed(self.mention)

    @cached_property
    def shown(self) -> dict[str, Any]:
        """The object that pages are shown."""
        return shown(unpacked(self.body), self.mention.post.collected_at)

    @cached_property
    def signature(self) -> str:
        """Changes exactly when something but counters, collection time and run changes."""
        return digest(self.mention, self.body).hex()


def to_document(mention: Mention) -> Document:
    """Flatten a Mention; a post without readable time counts at its first sight.

    Raises:
        IndexRejected: the vector is none.
    """
    post = mention.post
    published = post.published_at or post.first_seen_at
    return Document(
        mention,
        post.id,
        int(published.timestamp()),
        int(post.first_seen_at.timestamp()),
        int(post.collected_at.timestamp() * 1000),
        not (post.backfill and post.published_at is None),
        mention.polarity or "",
        mention.voice,
        mention.story,
        post.author.id or post.id,
        post.source,
        tuple(
            dict.fromkeys(
                (hit.brand, hit.polarity == "negative", hit.polarity == "positive")
                for hit in mention.brands
            )
        ),
        -1.0 if mention.risk is None else mention.risk,
        max([hit.confidence for hit in mention.severity], default=0.0),
        joined(mention.tokens),
        joined(mention.title_tokens),
        tuple(dict.fromkeys(mention.keywords)),
        tuple(dict.fromkeys(_tags(mention))),
        counters(mention),
        None if mention.vector is None else vector_bytes(post.id, mention.vector),
    )


def joined(tokens: tuple[str, ...]) -> str:
    """Clean tokens as one text, a blank between each two."""
    low = " ".join(tokens).lower()
    if len(low.split()) == len(tokens) and not _QUOTES.search(low):
        return low  # nearly all: no token is empty, has a blank or a quote
    return " ".join(map(clean, tokens))


def clean(token: str) -> str:
    """A token as both engines store it: lower case, one unit, no quotes."""
    low = token.lower()
    if low and not _ODD.search(low):
        return low
    return "_".join(low.translate(_UNSAFE).split()) or "_"


def tag_term(name: str, value: str) -> str:
    """How a filter is stored: one token, `name:value`."""
    return clean(f"{name}:{value}")


def tie(post_id: str) -> int:
    """Order among posts of one second: 31 bits of a hash of the id."""
    hashed = hashlib.blake2b(post_id.encode(), digest_size=4).digest()
    return int.from_bytes(hashed, "big") >> 1


def counters(mention: Mention) -> Numbers:
    """The numbers that move while the post stays the same."""
    post = mention.post
    seen = post.engagement
    return {
        "likes": seen.likes, "comments": seen.comments, "reposts": seen.reposts,
        "views": seen.views, "rating": post.rating, "followers": post.author.followers,
    }  # fmt: skip


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
    for name, value in (
        ("source", post.source), ("channel", post.channel), ("region", post.region),
        ("polarity", mention.polarity), ("intent", mention.intent), ("event", mention.event),
        ("kind", post.kind), ("emotion", mention.emotion), ("story", mention.story),
        ("author", post.author.id), ("platform", post.platform),
    ):  # fmt: skip
        if value:
            yield name, value.lower()
    for aspect in mention.aspects:
        yield "aspect", aspect.lower()
    for topic in mention.topics:
        yield "topic", topic.lower()
    for danger in mention.severity:
        if danger.confidence >= ASSERTED:
            yield "severity", danger.name.lower()
    for hit in mention.brands:
        yield "brand", hit.brand.lower()
        if hit.polarity == Polarity.NEGATIVE:
            yield "negative_brand", hit.brand.lower()
