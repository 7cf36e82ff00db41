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
    """What is stored of a document; what it is found by in `fts` follows from its content."""

    content: dict[str, Any]  # by name

    @property
    def words(self) -> str:
        """Clean tokens of the text, a blank between each two."""
        return joined(self.content["tokens"])

    @property
    def title_words(self) -> str:
        """Clean tokens of the title."""
        return joined(self.content["title_tokens"])

    @property
    def terms(self) -> str:
        """The tags."""
        return terms(tags_of(self.content))


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
        return Kept(unpacked(self.body(stored)))


def squeezer(db: sqlite3.Connection) -> Squeezer:
    """The squeezer of a file."""
    return Squeezer(db.execute("SELECT value FROM meta WHERE name = 'dictionary'").fetchone()[0])


def first_dictionary() -> bytes:
    """The dictionary of a new file."""
    return FIRST.read_bytes()
