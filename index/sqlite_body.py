"""How the embedded engine keeps what pages show: packed content, squeezed with a dictionary.

In:  packed content. Out: fewer bytes, and back. A single post is too short to be squeezed by itself;
the dictionary holds what all have in common. It lies in the file, so that the file stays readable.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, NamedTuple, cast

import msgspec
from backports import zstd

from index.body import packed, unpacked
from index.document import Document
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
JUMP = 64  # code points between two tokens, at most


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

    def squeezed(self, doc: Document, body: bytes, terms: str) -> bytes:
        """A document as it is stored; `terms` are its tags."""
        post = doc.mention.post
        text, title = cuts(post.text or "", doc.words), cuts(post.title or "", doc.title_words)
        tail = msgspec.msgpack.encode((text, title, terms))
        whole = len(tail).to_bytes(4, "big") + tail + body
        return self._in.compress(whole, zstd.ZstdCompressor.FLUSH_FRAME)

    def holds(self, stored: bytes, part: bytes) -> bool:
        """Whether bytes occur in what is stored."""
        return part in zstd.decompress(stored, zstd_dict=self._out)

    def whole(self, stored: bytes) -> Kept:
        """What was stored."""
        whole = zstd.decompress(stored, zstd_dict=self._out)
        end = 4 + int.from_bytes(whole[:4], "big")
        content = unpacked(whole[end:])
        text, title, terms = msgspec.msgpack.decode(whole[4:end])
        words = uncut(content["text"] or "", text)
        return Kept(content, words, uncut(content["title"] or "", title), terms)


def cuts(text: str, words: str) -> bytes | list[int | str]:
    """Where the tokens lie in the text: lengths where they are all of it, else what lies between
    and the length of each; a token that is not there stands itself.
    """
    low, tokens = text.lower(), words.split()
    if words.replace(" ", "") == low and max(map(len, tokens), default=0) < 256:
        return bytes(map(len, tokens))
    found: list[int | str] = []
    at = 0
    for token in tokens:
        start = low.find(token, at, at + JUMP + len(token))
        if start < 0:
            found.append(token)
        else:
            found += (start - at, len(token))
            at = start + len(token)
    return found


def uncut(text: str, found: bytes | list[int | str]) -> str:
    """The tokens again, a blank between each two."""
    low = text.lower()
    if isinstance(found, bytes):
        ends = list(accumulate(found))
        return " ".join(low[end - size : end] for end, size in zip(ends, found, strict=True))
    tokens, at, parts = [], 0, iter(found)
    for part in parts:
        if isinstance(part, str):
            tokens.append(part)
            continue
        size = cast(int, next(parts))
        tokens.append(low[at + part : at + part + size])
        at += part + size
    return " ".join(tokens)


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
