"""Numbers that stand for brands, sources, keywords and sets of tags in the sheets.

In:  names. Out: codes, given once and never again to another name. A process remembers what it has
seen; `epoch` in the file moves when names are dropped, and what was remembered is then forgotten.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

import numpy as np
import xxhash

from index.sqlite_sheets import RECORD, SHIFT

Kind = Literal["brand", "source", "word", "event"]
MOST = 300_000  # remembered names; about 40 MB


class Codes:
    """The codes of one file, as one thread remembers them."""

    def __init__(self) -> None:
        self._epoch = -1
        self._names: dict[Kind, dict[str, int]] = {kind: {} for kind in get_args(Kind)}
        self._tagsets: set[int] = set()

    def begin(self, db: sqlite3.Connection) -> None:
        """Forget what may be wrong; at the begin of a transaction that writes."""
        epoch = db.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()[0]
        held = sum(map(len, self._names.values())) + len(self._tagsets)
        if epoch != self._epoch or held > MOST:
            self.forget()
            self._epoch = epoch

    def forget(self) -> None:
        """Nothing is remembered: a transaction was rolled back, or names were dropped."""
        self._epoch = -1
        for known in self._names.values():
            known.clear()
        self._tagsets.clear()

    def learn(self, db: sqlite3.Connection, kind: Kind, wanted: Iterable[str]) -> dict[str, int]:
        """The codes of names, new ones for those that have none."""
        known = self._names[kind]
        new = sorted(set(wanted).difference(known))
        if new:
            known.update(_found(db, kind, new))
            given = [(kind, name) for name in new if name not in known]
            db.executemany("INSERT INTO codes (kind, value) VALUES (?, ?)", given)
            known.update(_found(db, kind, [name for _, name in given]))
        return known

    def keep(self, db: sqlite3.Connection, sets: Mapping[int, str]) -> None:
        """See that sets of tags are known by their hashes."""
        new = sorted(item for item in sets.items() if item[0] not in self._tagsets)
        db.executemany("INSERT OR IGNORE INTO tagsets VALUES (?, ?)", new)
        self._tagsets.update(hashed for hashed, _ in new)


def hash_of(tags: str) -> int:
    """What stands for a set of tags in the sheets."""
    return xxhash.xxh3_64_intdigest(tags.encode()) - (1 << 63)


def _found(db: sqlite3.Connection, kind: Kind, wanted: Sequence[str]) -> list[tuple[str, int]]:
    sql = (
        f"SELECT value, code FROM codes WHERE kind = ? AND value IN ({','.join('?' * len(wanted))})"
    )
    return db.execute(sql, (kind, *wanted)).fetchall()


def code_of(db: sqlite3.Connection, kind: Kind, name: str) -> int:
    """The code of a name; -1, which no document has, if it is unknown."""
    found = _found(db, kind, [name])
    return found[0][1] if found else -1


def brands(db: sqlite3.Connection) -> dict[str, int]:
    """All brands with their codes."""
    return dict(db.execute("SELECT value, code FROM codes WHERE kind = 'brand'").fetchall())


def names(db: sqlite3.Connection, codes: Iterable[int]) -> dict[int, str]:
    """The names of codes."""
    asked = str(list(codes))
    found = db.execute(
        "SELECT code, codes.value FROM json_each(?) j JOIN codes ON code = j.value", (asked,)
    )
    return dict(found.fetchall())


def tagsets(db: sqlite3.Connection, hashes: Iterable[int]) -> dict[int, str]:
    """The sets of tags behind hashes."""
    asked = str(list(hashes))
    found = db.execute(
        "SELECT hash, tags FROM json_each(?) j JOIN tagsets ON hash = j.value", (asked,)
    )
    return dict(found.fetchall())


def drop_unused(db: sqlite3.Connection) -> None:
    """Drop the names that no document has any more, so that nothing is left of an erased one."""
    rows = db.execute(
        "SELECT facts, words FROM sheets JOIN sheet_words USING (key) WHERE key < ?", (1 << SHIFT,)
    )
    tags, used = {0}, {0}
    for facts, words in rows:
        found = np.frombuffer(facts, RECORD)
        tags.update(found["tags"].tolist())
        used.update(found["source"].tolist())
        used.update(found["event"].tolist())
        used.update(np.frombuffer(words, np.uint32).tolist())
    used.update(row[0] for row in db.execute("SELECT DISTINCT key >> ? FROM zones", (SHIFT,)))
    for table, key, kept in (("codes", "code", used), ("tagsets", "hash", tags)):
        every = db.execute(f"SELECT {key} FROM {table}").fetchall()
        gone = [row for row in every if row[0] not in kept]
        db.executemany(f"DELETE FROM {table} WHERE {key} = ?", gone)
    db.execute("UPDATE meta SET value = value + 1 WHERE name = 'epoch'")
