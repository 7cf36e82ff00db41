"""What is counted of every document, packed: the rollup of the embedded engine.

In:  numbers of documents under a brand's code (ALL stands for every document). Out: arrays of RECORD.
A brand's documents lie in the order of arrival in parts of a page each, so a question about a brand
reads its parts from end to end. `zones` says between which moments the documents of a full part lie;
a part that is still written to has wide bounds. Moments are whole seconds, so windows are exact.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index import schema
from index.answers import Window

RECORD = np.dtype(
    [
        ("place", "<i8"),  # published_at << 31 | tie: the order of all answers
        ("seen", "<i8"),  # first_seen_at
        ("story", "<u8"),  # hash of the story
        ("voice", "<u8"),  # hash of author and story
        ("tags", "<i8"),  # hash of the set of tags, in `tagsets`
        ("risk", "<f8"),
        ("row", "<u4"),
        ("source", "<u4"),  # code
        ("event", "<u4"),  # code, 0 for none: events are too many to be among the tags
        ("flags", "u1"),
        ("words", "u1"),  # how many codes it has in `sheet_words`
    ]
)
NEGATIVE, AGAINST, FOR, VOICE, TIMED = 1, 2, 4, 8, 16  # flags; AGAINST and FOR: towards the brand
TIE_BITS = 31
DENSE = 3  # of so many parts one is wanted
ALL = 0
SHIFT = 40  # key = code << SHIFT | row of the part's first document
PART = 4032 // RECORD.itemsize  # with its head it fills a page of 4,096 bytes
pack = struct.Struct(schema.RECORD).pack
Records = NDArray[Any]


def sheet(db: sqlite3.Connection, code: int, window: Window | None) -> Records:
    """All documents of a brand in a window, in the order of arrival."""
    sql = "SELECT facts FROM sheets WHERE key >= ? AND key < ?"
    return within(joined(db.execute(sql, span(db, code, window))), window)


def by_row(db: sqlite3.Connection, rows: NDArray[Any]) -> Records:
    """The records of documents that are found by their numbers; missing ones are left out."""
    if not len(rows):
        return records([])
    keys = np.unique(rows.astype(np.int64) // PART * PART)
    first, last = int(keys[0]), int(keys[-1])
    if DENSE * len(keys) * PART > last - first:  # one walk over all is cheaper than so many steps
        sql, params = "SELECT facts FROM sheets WHERE key >= ? AND key <= ?", (first, last)
        parts = db.execute(sql, params)
    else:
        sql = "SELECT facts FROM json_each(?) j JOIN sheets s ON s.key = j.value"
        parts = db.execute(sql, (str(keys.tolist()),))
    found = joined(parts)
    return found.take(np.flatnonzero(np.isin(found["row"], rows)))


def newest_seen(db: sqlite3.Connection) -> int | None:
    """When the newest document was first seen; looks at the parts that may hold it."""
    best = None
    for key, most in db.execute(
        "SELECT key, seen_hi FROM zones WHERE key < ? ORDER BY seen_hi DESC", (1 << SHIFT,)
    ):
        if best is not None and best >= most:
            break
        facts = db.execute("SELECT facts FROM sheets WHERE key = ?", (key,)).fetchone()[0]
        seen = int(np.frombuffer(facts, RECORD)["seen"].max())
        best = seen if best is None else max(best, seen)
    return best


def sheet_from(db: sqlite3.Connection, row: int) -> Records:
    """The records of all documents whose numbers are `row` or above."""
    parts = db.execute(
        "SELECT facts FROM sheets WHERE key >= ? AND key < ?", (row // PART * PART, 1 << SHIFT)
    )
    found = records([part[0] for part in parts])
    return found[found["row"] >= row]


def records(parts: Sequence[bytes]) -> Records:
    """Parts as one array."""
    return np.frombuffer(b"".join(parts), RECORD)


def joined(parts: Iterable[tuple[bytes]]) -> Records:
    """Parts as one array, none of them held longer than it takes to copy it."""
    whole = bytearray()
    for (part,) in parts:
        whole += part
    return np.frombuffer(whole, RECORD)


def inside(found: Records, window: Window | None) -> NDArray[np.bool_]:
    """Which documents lie in a window."""
    if window is None:
        return np.ones(len(found), np.bool_)
    start, end = window.seconds()
    moments = moments_of(found, window)
    return (moments >= start) & (moments < end)


def within(found: Records, window: Window | None) -> Records:
    """The documents that lie in a window."""
    mask = inside(found, window)
    return found if mask.all() else found.take(np.flatnonzero(mask))


def moments_of(found: Records, window: Window) -> NDArray[np.int64]:
    """The seconds of the window's clock."""
    if window.clock == "first_seen":
        return np.asarray(found["seen"])
    return np.asarray(found["place"] >> TIE_BITS)


def span(db: sqlite3.Connection, code: int, window: Window | None) -> tuple[int, int]:
    """Keys between which all parts lie that a window touches, the second excluded.

    Parts stand in the order of arrival: those of a window that ends now are the last ones.
    """
    sql, params = "key >= ? AND key < ?", [code << SHIFT, (code + 1) << SHIFT]
    if window is None:
        return params[0], params[1]
    clock = "seen" if window.clock == "first_seen" else "published"
    first, last = db.execute(
        f"SELECT min(key), max(key) FROM zones WHERE {sql} AND {clock}_hi >= ? AND {clock}_lo < ?",
        (*params, *window.seconds()),
    ).fetchone()
    return (0, 0) if first is None else (first, last + PART)
