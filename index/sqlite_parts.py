"""Writing of the sheets: documents are put at a brand's end, or taken out.

In:  a connection inside a transaction, packed records. Out: nothing; what sheets are says
index/sqlite_sheets.py.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from index.sqlite_sheets import ALL, PART, RECORD, SHIFT, TIE_BITS
from index.sqlite_words import chosen, heads

New = tuple[int, bytes, bytes]  # row, record, codes of keywords
WIDE = (-(1 << 62), 1 << 62)


class Part(NamedTuple):
    """One part while it is filled."""

    key: int
    facts: list[bytes]
    words: list[bytes]


def append(db: sqlite3.Connection, sheets: Mapping[int, Sequence[New]]) -> None:
    """Put documents at the end of the sheets of their brands' codes; rows rise and are new."""
    full: list[Part] = []
    open_: list[Part] = []
    for code, new in sheets.items():
        parts = _filled(code, _tail(db, code), new)
        full += parts[:-1]
        open_.append(parts[-1])
    written = [(part.key, b"".join(part.facts), b"".join(part.words)) for part in full + open_]
    db.executemany("REPLACE INTO sheets VALUES (?, ?)", [row[:2] for row in written])
    db.executemany("REPLACE INTO sheet_words VALUES (?, ?)", [row[::2] for row in written])
    told = [(key, heads(facts)) for key, facts, _ in written if key >> SHIFT == ALL]
    db.executemany("REPLACE INTO sheet_heads VALUES (?, ?)", told)
    wide = [(part.key, *WIDE, *WIDE) for part in open_]
    db.executemany("INSERT OR IGNORE INTO zones VALUES (?, ?, ?, ?, ?)", wide)
    bounds = [_bounds(key, facts) for key, facts, _ in written[: len(full)]]
    db.executemany("REPLACE INTO zones VALUES (?, ?, ?, ?, ?)", bounds)


def remove(db: sqlite3.Connection, sheets: Mapping[int, Iterable[int]]) -> None:
    """Take documents out of the sheets of their brands' codes."""
    for code, rows in sheets.items():
        parts: dict[int, list[int]] = {}
        for row in rows:
            parts.setdefault(_key(db, code, row), []).append(row)
        for key, gone in parts.items():
            _without(db, key, gone)


def _filled(code: int, tail: Part | None, new: Sequence[New]) -> list[Part]:
    """The tail and the parts after it, with the new documents in them; the last may have room."""
    parts = [] if tail is None else [tail]
    room = 0 if tail is None else _room(code, tail, new[0][0])
    for n, (row, fact, words) in enumerate(new):
        if room <= 0:
            key = row // PART * PART if code == ALL else code << SHIFT | row
            parts.append(Part(key, [], []))
            room = key + PART - row if code == ALL else PART
        parts[-1].facts.append(fact)
        parts[-1].words.append(words)
        # Rows of ALL stand by their number, so that a row leads to its part: gaps take room too.
        room -= new[n + 1][0] - row if code == ALL and n + 1 < len(new) else 1
    return parts


def _room(code: int, tail: Part, row: int) -> int:
    if code == ALL:
        return tail.key + PART - row
    return PART - len(tail.facts[0]) // RECORD.itemsize


def _tail(db: sqlite3.Connection, code: int) -> Part | None:
    """The part of a sheet that is still written to."""
    found = db.execute(
        "SELECT key, facts, words FROM zones JOIN sheets USING (key) JOIN sheet_words USING (key) "
        "WHERE key >= ? AND key < ? AND published_lo = ? ORDER BY key DESC LIMIT 1",
        (code << SHIFT, (code + 1) << SHIFT, WIDE[0]),
    ).fetchone()
    return None if found is None else Part(found[0], [found[1]], [found[2]])


def _bounds(key: int, facts: bytes) -> tuple[int, int, int, int, int]:
    found = np.frombuffer(facts, RECORD)
    published, seen = found["place"] >> TIE_BITS, found["seen"]
    return key, int(published.min()), int(published.max()), int(seen.min()), int(seen.max())


def _key(db: sqlite3.Connection, code: int, row: int) -> int:
    """The part in which a row lies."""
    if code == ALL:
        return row // PART * PART
    found = db.execute(
        "SELECT max(key) FROM zones WHERE key <= ? AND key >= ?",
        (code << SHIFT | row, code << SHIFT),
    ).fetchone()
    return int(found[0])


def _without(db: sqlite3.Connection, key: int, gone: Sequence[int]) -> None:
    facts, words = db.execute(
        "SELECT facts, words FROM sheets JOIN sheet_words USING (key) WHERE key = ?", (key,)
    ).fetchone()
    found = np.frombuffer(facts, RECORD)
    mask = ~np.isin(found["row"], gone)
    kept, codes = chosen(found, np.frombuffer(words, np.uint32), mask)
    if len(kept):
        facts = kept.tobytes()
        db.execute("UPDATE sheets SET facts = ? WHERE key = ?", (facts, key))
        db.execute("UPDATE sheet_words SET words = ? WHERE key = ?", (codes.tobytes(), key))
        db.execute("UPDATE sheet_heads SET heads = ? WHERE key = ?", (heads(facts), key))
        return
    for table in ("sheets", "sheet_words", "sheet_heads", "zones"):
        db.execute(f"DELETE FROM {table} WHERE key = ?", (key,))
