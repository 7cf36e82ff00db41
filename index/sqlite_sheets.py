"""What is counted of every document, packed: the rollup of the embedded engine.

In:  numbers of documents under a brand's code (ALL stands for every document). Out: arrays of RECORD.
A brand's documents lie in the order of arrival in parts of a page each, so a question about a brand
reads its parts from end to end. `zones` says between which moments the documents of a full part lie;
a part that is still written to has wide bounds. Moments are whole seconds, so windows are exact.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
AT_ONCE = 256  # parts, 1 MB
ALL = 0
SHIFT = 40  # key = code << SHIFT | row of the part's first document
PART = schema.PART
pack = struct.Struct(schema.RECORD).pack
Records = NDArray[Any]


class Columns:
    """Some fields of documents, each an array of its own; a question needs few of eleven."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._arrays = dict(arrays)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name]

    def __len__(self) -> int:
        return len(next(iter(self._arrays.values())))

    def take(self, places: NDArray[np.intp]) -> Columns:
        """The documents at these places, in that order."""
        return Columns({name: array.take(places) for name, array in self._arrays.items()})


def sheet(
    db: sqlite3.Connection,
    code: int,
    window: Window | None,
    names: Sequence[str],
    flags: int = 0,
) -> Columns:
    """All documents of a brand in a window, in the order of arrival; with one of `flags`, if given."""
    found = turns(db, code, window)
    return columns((_with(within(some, window), flags) for some in found), names)


def turns(db: sqlite3.Connection, code: int, window: Window | None) -> Iterator[Records]:
    """The documents of all parts of a brand that a window touches, AT_ONCE parts in turn."""
    sql = "SELECT facts FROM sheets WHERE key >= ? AND key < ?"
    return _in_turn(db.execute(sql, span(db, code, window)))


def by_row(
    db: sqlite3.Connection, rows: NDArray[Any], names: Sequence[str], window: Window | None = None
) -> Columns:
    """Documents that are found by their numbers; missing ones are left out, and those outside a
    window.
    """
    if not len(rows):
        return columns([], names)
    parts = rows.astype(np.int64) // PART
    first, last = int(parts.min()), int(parts.max())
    held, wanted = (np.zeros((last - first + 1) * size, np.bool_) for size in (1, PART))
    held[parts - first], wanted[rows - first * PART] = True, True
    found = (
        some.take(np.flatnonzero(wanted.take(some["row"] - first * PART)))
        for some in _in_turn(_parts(db, (np.flatnonzero(held) + first) * PART))
    )
    return columns((within(some, window) for some in found), names)


def columns(found: Iterable[Records], names: Sequence[str]) -> Columns:
    """Fields of records one after another. None of them is held longer than it takes to copy it:
    memory of many megabytes is fetched from the system again for each question.
    """
    copied: dict[str, list[NDArray[Any]]] = {name: [np.zeros(0, RECORD[name])] for name in names}
    for some in found:
        for name, parts in copied.items():
            parts.append(np.ascontiguousarray(some[name]))
    return Columns({name: np.concatenate(parts) for name, parts in copied.items()})


def _with(found: Records, flags: int) -> Records:
    return found.take(np.flatnonzero(found["flags"] & flags)) if flags else found


def _parts(db: sqlite3.Connection, keys: NDArray[np.int64]) -> sqlite3.Cursor:
    """Parts of ALL, among others between them where many are wanted: one walk is cheaper then."""
    if DENSE * len(keys) * PART > keys[-1] - keys[0]:
        sql = "SELECT facts FROM sheets WHERE key >= ? AND key <= ?"
        return db.execute(sql, (int(keys[0]), int(keys[-1])))
    sql = "SELECT facts FROM json_each(?) j JOIN sheets s ON s.key = j.value"
    return db.execute(sql, (str(keys.tolist()),))


def _in_turn(parts: sqlite3.Cursor) -> Iterator[Records]:
    while some := parts.fetchmany(AT_ONCE):
        yield records([part[0] for part in some])


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


def sheet_from(db: sqlite3.Connection, row: int, names: Sequence[str]) -> Columns:
    """All documents whose numbers are `row` or above."""
    sql = "SELECT facts FROM sheets WHERE key >= ? AND key < ?"
    parts = _in_turn(db.execute(sql, (row // PART * PART, 1 << SHIFT)))
    return columns((some.take(np.flatnonzero(some["row"] >= row)) for some in parts), names)


def records(parts: Sequence[bytes]) -> Records:
    """Parts as one array."""
    return np.frombuffer(b"".join(parts), RECORD)


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
    begin, end = code << SHIFT, (code + 1) << SHIFT
    if window is None:
        return begin, end
    clock = "seen" if window.clock == "first_seen" else "published"
    touched = f"zones WHERE key >= ?1 AND key < ?2 AND {clock}_hi >= ?3 AND {clock}_lo < ?4"
    first, last = db.execute(  # each ends at the first part that it finds
        f"SELECT (SELECT min(key) FROM {touched}), (SELECT max(key) FROM {touched})",
        (begin, end, *window.seconds()),
    ).fetchone()
    return (0, 0) if first is None else (first, last + PART)
