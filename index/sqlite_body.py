"""How the embedded engine keeps what pages show: packed content, squeezed with a dictionary.

In:  packed content. Out: a third of its bytes, and back. A single post is too short to be squeezed by
itself; the dictionary holds what posts have in common and how often each byte comes. It was made from
the demo city's posts (bench/index_dictionary.py), and it lies in every file, which so stays readable.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, NamedTuple

from backports import zstd

from index.body import unpacked
from index.document import joined, tags_of, terms

LEVEL = 1
FIRST = Path(__file__).with_name("posts.zdict")


class Kept(NamedTuple):
    """What is stored of a document: its content by name, and what it is found by in `fts`."""

    content: dict[str, Any]
    words: str
    title_words: str
    terms: str


class Squeezer:
    """Both ways, with the dictionary of one file."""

    def __init__(self, dictionary: bytes) -> None:
        self._dictionary = zstd.ZstdDict(dictionary).as_digested_dict
        self._in = zstd.ZstdCompressor(LEVEL, zstd_dict=self._dictionary)

    def squeezed(self, body: bytes) -> bytes:
        """Packed content as it is stored."""
        return self._in.compress(body, zstd.ZstdCompressor.FLUSH_FRAME)

    def body(self, stored: bytes) -> bytes:
        """Packed content again."""
        return zstd.decompress(stored, zstd_dict=self._dictionary)

    def whole(self, stored: bytes) -> Kept:
        """What was stored."""
        content = unpacked(self.body(stored))
        words, title = joined(content["tokens"]), joined(content["title_tokens"])
        return Kept(content, words, title, terms(tags_of(content)))


def squeezer(db: sqlite3.Connection) -> Squeezer:
    """The squeezer of a file."""
    return Squeezer(db.execute("SELECT value FROM meta WHERE name = 'dictionary'").fetchone()[0])


def first_dictionary() -> bytes:
    """The dictionary of a new file."""
    return FIRST.read_bytes()
