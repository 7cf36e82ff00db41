"""The keywords of the sheets: how many documents have each.

In:  a connection that reads, a brand's code or numbers of documents. Out: codes of keywords one document
after another, and counts by code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.answers import Window
from index.sqlite_sheets import ALL, PART, RECORD, TIE_BITS, Records, records, span

HEAD_BITS = 8
AT_ONCE = 256  # parts, about 700 kB
Codes = NDArray[np.uint32]


def words(db: sqlite3.Connection, code: int, window: Window | None) -> tuple[Records, Codes]:
    """The documents of all parts that a window touches, and their keywords one after another."""
    rows = db.execute(
        "SELECT facts, words FROM sheets JOIN sheet_words USING (key) WHERE key >= ? AND key < ?",
        span(db, code, window),
    ).fetchall()
    return records([row[0] for row in rows]), _codes([row[1] for row in rows])


def words_by_row(db: sqlite3.Connection, rows: NDArray[Any]) -> tuple[Records, Codes]:
    """The documents of all parts of ALL in which `rows` lie, and their keywords."""
    keys = np.unique(rows.astype(np.int64) // PART * PART)
    parts = db.execute(
        "SELECT facts, words FROM json_each(?) j JOIN sheets s ON s.key = j.value "
        "JOIN sheet_words w ON w.key = s.key",
        (str(keys.tolist()),),
    ).fetchall()
    return records([part[0] for part in parts]), _codes([part[1] for part in parts])


def heads(facts: bytes) -> bytes:
    """When each document of a part of ALL was published, and how many keywords it has, so that words
    of many days are counted without their records.
    """
    found = np.frombuffer(facts, RECORD)
    packed: NDArray[np.int64] = found["place"] >> TIE_BITS << HEAD_BITS | found["words"]
    return packed.tobytes()


def words_of_all(db: sqlite3.Connection, window: Window) -> tuple[int, NDArray[np.int64]]:
    """How many documents were published in a window, and how many have each keyword, by its code.

    Some parts at a time: the memory of many megabytes would be fetched from the system again for each
    question, which costs as much as the counting.
    """
    start, end = window.seconds()
    posts, total = 0, np.zeros(0, np.int64)
    rows = db.execute(
        "SELECT heads, words FROM sheet_heads JOIN sheet_words USING (key) WHERE key >= ? AND key < ?",
        span(db, ALL, window),
    )
    while some := rows.fetchmany(AT_ONCE):
        found = np.frombuffer(b"".join([row[0] for row in some]), np.int64)
        mask = (found >= start << HEAD_BITS) & (found < end << HEAD_BITS)
        many = found & ((1 << HEAD_BITS) - 1)
        counts = counted_words(many, _codes([row[1] for row in some]), mask)
        less, more = sorted((total, counts), key=len)
        more[: len(less)] += less
        posts, total = posts + int(np.count_nonzero(mask)), more
    return posts, total


def counted_words(many: NDArray[Any], codes: Codes, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many of the documents of a mask have each keyword, by its code.

    Args:
        many: how many of the codes are of each document.
    """
    if 2 * np.count_nonzero(mask) < len(mask):  # the fewer are picked, and taken off the others
        return np.bincount(_picked(many, codes, mask))
    counts = np.bincount(codes)
    return counts - np.bincount(_picked(many, codes, ~mask), minlength=len(counts))


def _picked(many: NDArray[Any], codes: Codes, mask: NDArray[np.bool_]) -> Codes:
    """The codes of the documents of a mask."""
    chosen_ = np.flatnonzero(mask)
    size = many[chosen_].astype(np.int64)
    first = np.cumsum(many, dtype=np.int64)[chosen_] - size
    places = np.repeat(first - np.cumsum(size) + size, size) + np.arange(size.sum())
    return codes.take(places)


def chosen(found: Records, codes: Codes, mask: NDArray[np.bool_]) -> tuple[Records, Codes]:
    """The documents of a mask with their keywords."""
    return found.take(np.flatnonzero(mask)), _picked(found["words"], codes, mask)


def _codes(parts: Sequence[bytes]) -> Codes:
    return np.frombuffer(b"".join(parts), np.uint32)
