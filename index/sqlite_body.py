"""How the embedded engine keeps what pages show: packed content, squeezed with a dictionary.

In:  packed content. Out: fewer bytes, and back. A single post is too short to be squeezed by itself;
the dictionary holds what all have in common. It lies in the file, so that the file stays readable.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Any, NamedTuple

from backports import zstd

from index.body import packed, unpacked
from index.document import joined
from keqing.records import (
    AspectHit,
    Author,
    BrandHit,
    InfluencePart,
    Mention,
    Polarity,
    Post,
    SeverityHit,
    Sign,
    Speaker,
    Versions,
)

LEVEL = 1


class Kept(NamedTuple):
    """What is stored of a document: its content by name, and what it is found by in `fts`."""

    content: dict[str, Any]
    words: str
    title_words: str
    terms: str


class Squeezer:
    """Both ways, with one dictionary; one for each connection's file."""

    def __init__(self, dictionary: bytes) -> None:
        both = zstd.ZstdDict(dictionary, is_raw=True)
        self._out = both.as_digested_dict
        self._in = zstd.ZstdCompressor(LEVEL, zstd_dict=both.as_digested_dict)

    def squeezed(self, body: bytes, terms: str) -> bytes:
        """Packed content and tags as they are stored."""
        whole = len(body).to_bytes(4, "big") + body + terms.encode()
        return self._in.compress(whole, zstd.ZstdCompressor.FLUSH_FRAME)

    def holds(self, stored: bytes, part: bytes) -> bool:
        """Whether bytes occur in what is stored."""
        return part in zstd.decompress(stored, zstd_dict=self._out)

    def whole(self, stored: bytes) -> Kept:
        """What was stored."""
        whole = zstd.decompress(stored, zstd_dict=self._out)
        end = 4 + int.from_bytes(whole[:4], "big")
        content = unpacked(whole[4:end])
        words, title = joined(content["tokens"]), joined(content["title_tokens"])
        return Kept(content, words, title, whole[end:].decode())


def squeezer(db: sqlite3.Connection) -> Squeezer:
    """The squeezer of a file."""
    return Squeezer(db.execute("SELECT value FROM meta WHERE name = 'dictionary'").fetchone()[0])


def first_dictionary() -> bytes:
    """What a new file's posts have in common: names of fields, the usual words of reasons."""
    return b"".join(packed(_sample(polarity)) for polarity in Polarity)


def _sample(polarity: Polarity) -> Mention:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    post = Post(
        id="weibo:5100000000000000", platform="weibo", source="weibo", author=Author(id="k1:0"),
        url="https://weibo.com/", text="的了是我不在有都就也很好差没", first_seen_at=at, collected_at=at,
        run_id="",
    )  # fmt: skip
    brand = BrandHit(brand="", entity="", alias="", start=0, end=0, where="own", reason="accepted",
                     clause="alias", polarity=polarity, p=0.5)  # fmt: skip
    aspect = AspectHit(name="", term="", where="text", start=0, end=0, polarity=polarity)
    parts = [
        InfluencePart(name=name, value=0.0, weight=0.0, points=0.0)
        for name in ("reach", "echo", "standing")
    ]
    speaker = Speaker(role_confidence=0.0, role_reasons=(), influence=tuple(parts),
                      signs=(Sign(code="", points=0.0),))  # fmt: skip
    return Mention(
        post=post, brands=(brand,), polarity=polarity, aspects=("",), aspect_hits=(aspect,),
        severity=(SeverityHit(name="", term="", confidence=0.5),), story=post.id, speaker=speaker,
        versions=Versions(model="", dictionary="", plan=""), scored_at=at,
    )  # fmt: skip
