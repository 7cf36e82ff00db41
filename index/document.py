"""Mention → document: what the index stores and can be asked.

In:  a Mention. Out: a Document with its filter tags, counters and the object that pages show.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from types import SimpleNamespace
from typing import Any

import msgspec
import xxhash

from index.answers import Hit
from index.body import ASSERTED, digest, packed
from index.matcher import Fields
from index.similar import vector_bytes
from index.terms import clean, joined, tag_term, terms
from keqing.records import Mention, Polarity, Post

COUNTERS = ("likes", "comments", "reposts", "views", "rating", "followers")
_SINGLE = ("source", "channel", "region", "polarity", "intent", "kind", "emotion", "platform",
           "segment")  # fmt: skip
_RECORDS = ("brands", "severity")
_COUNTED = tuple(name for name in COUNTERS if name != "views")

Numbers = dict[str, float | None]
Tags = tuple[tuple[str, str], ...]


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
    event: str  # "" for none
    brands: tuple[tuple[str, bool, bool], ...]  # brand, negative, positive towards it
    risk: float
    severity: float  # highest confidence of a severity class
    words: str  # clean tokens, a blank between each two
    title_words: str
    keywords: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]  # those of COUNTED first
    counted: int  # how many those are
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

    @property
    def terms(self) -> str:
        """The tags as one text."""
        return terms(self.tags)

    def fields(self) -> Fields:
        """The document as the reference matcher reads it."""
        return Fields(self.tokens, self.title_tokens, frozenset(self.tags), self.counters)

    @cached_property
    def body(self) -> bytes:
        """The packed content."""
        return packed(self.mention)

    @cached_property
    def signature(self) -> str:
        """Changes exactly when something but counters, collection time and run changes."""
        return digest(self.mention, self.body).hex()


def to_document(mention: Mention) -> Document:
    """Flatten a Mention; a post without readable time counts at its first sight.

    Raises:
        IndexRejected: the vector is none.
    """
    post, said = (
        mention.post,
        mention.__dict__,
    )  # a record's fields, without the way through pydantic
    seen_at, author, dangers = post.first_seen_at, post.author, said["severity"]
    published_at = post.published_at
    risk, vector, hits = said["risk"], said["vector"], said["brands"]
    brands = [
        (hit.brand, hit.polarity is Polarity.NEGATIVE, hit.polarity is Polarity.POSITIVE)
        for hit in hits
    ]
    counted, others = _tags(post.__dict__, author.id, said, hits, dangers)
    return Document(
        mention,
        post.id,
        int((published_at or seen_at).timestamp()),
        int(seen_at.timestamp()),
        int(post.collected_at.timestamp() * 1000),
        published_at is not None or not post.backfill,
        said["polarity"] or "",
        said["voice"],
        said["story"],
        author.id or post.id,
        post.source,
        (said["event"] or "").lower(),
        tuple(dict.fromkeys(brands)),
        -1.0 if risk is None else risk,
        max([hit.confidence for hit in dangers]) if dangers else 0.0,
        joined(said["tokens"]),
        joined(said["title_tokens"]),
        tuple(dict.fromkeys(said["keywords"])),
        counted + others,
        len(counted),
        _counters(post),
        None if vector is None else vector_bytes(post.id, vector),
    )


def tie(post_id: str) -> int:
    """Order among posts of one second: 31 bits of a hash of the id."""
    return xxhash.xxh3_64_intdigest(post_id.encode()) >> 33


def to_hit(
    shown: dict[str, Any], counters: dict[str, Any], spans: tuple[tuple[int, int], ...]
) -> Hit:
    """What `index.body.shown` says and the newest counters as an answer."""
    hit = object.__new__(Hit)  # a frozen dataclass sets each field by a call: 9 µs instead of 1
    counted = {name: counters.get(name) for name in _COUNTED}
    hit.__dict__.update(shown, spans=spans, **counted)
    return hit


def _counters(post: Post) -> Numbers:
    seen = post.engagement
    return {
        "likes": seen.likes, "comments": seen.comments, "reposts": seen.reposts,
        "views": seen.views, "rating": post.rating, "followers": post.author.followers,
    }  # fmt: skip


def tags_of(content: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The tags of a document of which only the unpacked content is there."""
    hits, dangers = ([SimpleNamespace(**one) for one in content[name]] for name in _RECORDS)
    counted, others = _tags(content, content["author"], content, tuple(hits), tuple(dangers))
    return counted + others


def _tags(
    post: dict[str, Any],
    author: str | None,
    said: dict[str, Any],
    hits: Sequence[Any],
    dangers: Sequence[Any],
) -> tuple[Tags, Tags]:
    """The tags whose values are counted, and the others."""
    counted = _single(
        post["source"], post["channel"], post["region"], said["polarity"], said["intent"],
        post["kind"], said["emotion"], post["platform"], said["author_role"],
    )  # fmt: skip
    many = [("topic", topic.lower()) for topic in said["topics"]]
    if said["aspects"]:
        many += [("aspect", aspect.lower()) for aspect in said["aspects"]]
    if dangers:
        many += [("severity", one.name.lower()) for one in dangers if one.confidence >= ASSERTED]
    others = [("story", said["story"].lower())] if said["story"] else []
    if author:
        others.append(("author", author.lower()))
    if said["event"]:
        others.append(("event", said["event"].lower()))
    for hit in hits:
        brand = hit.brand.lower()
        many.append(("brand", brand))
        if hit.polarity == Polarity.NEGATIVE:
            others.append(("negative_brand", brand))
    return counted + tuple(dict.fromkeys(many)), tuple(dict.fromkeys(others))


@lru_cache(maxsize=8192)  # a source's posts have few mixtures of these
def _single(*values: str | None) -> Tags:
    return tuple(
        (name, value.lower()) for name, value in zip(_SINGLE, values, strict=True) if value
    )


__all__ = ["ASSERTED", "COUNTERS", "Document", "clean", "joined", "tag_term", "tags_of", "terms", "tie",
           "to_document", "to_hit"]  # fmt: skip
