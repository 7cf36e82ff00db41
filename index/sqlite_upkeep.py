"""Upkeep of the embedded engine: retention, erasure, and whether the file is sound.

In:  a file and its writer. Out: how many documents went; what is wrong.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import numpy as np

from index.ast import Tag
from index.body import unpacked
from index.retention import kept_since
from index.sqlite_batch import address
from index.sqlite_body import Squeezer
from index.sqlite_codes import drop_unused
from index.sqlite_file import File
from index.sqlite_query import selected
from index.sqlite_sheets import ALL, SHIFT, TIE_BITS, by_row, sheet
from index.sqlite_write import MOVED, Writer, settle

CHUNK = 500  # documents of one transaction, so that no other writer waits long


def tidy(file: File, writer: Writer, now: datetime, months: int | None) -> int:
    """Drop posts of the months outside the last `months`, and pack the file's indices."""
    rows: list[int] = []
    if months is not None:
        with file.reading() as db:
            found = sheet(db, ALL, None, ("row", "place"))
            since = int(kept_since(now, months).timestamp())
            rows = found["row"][found["place"] >> TIE_BITS < since].tolist()
    gone = sum(_taken_out(file, writer, rows[at : at + CHUNK]) for at in range(0, len(rows), CHUNK))
    _pack(file, writer)
    return gone


def erase(file: File, writer: Writer, ids: Sequence[str]) -> int:
    """Remove documents, and the bytes of their words wherever they stand."""
    rows = []
    with file.reading() as db:
        for id_ in dict.fromkeys(ids):
            rows += db.execute("SELECT row FROM ids WHERE id = ?", (id_,)).fetchall()
    gone = _taken_out(file, writer, [row[0] for row in rows])
    _pack(file, writer)
    return gone


def find(
    db: sqlite3.Connection, squeezer: Squeezer, field: Literal["author", "url"], value: str
) -> list[str]:
    """Ids of the posts of an author or at an address."""
    if field == "author":
        numbers, params = selected(Tag("author", value), (0, 1 << SHIFT))
    else:
        numbers, params = "SELECT row FROM seen WHERE address = ?", [address(value)]
    sql = f"SELECT doc FROM mentions WHERE row IN ({numbers})"
    asked, found = value.encode(), []
    for (doc,) in db.execute(sql, params):
        body = squeezer.body(doc)
        if asked in body and (content := unpacked(body))[field] == value:
            found.append(content["id"])
    return sorted(found)


def health(file: File) -> dict[str, Any]:
    """Documents, bytes, and whether the file is sound."""
    with file.reading() as db:
        check = db.execute("PRAGMA quick_check").fetchone()[0]
        documents = db.execute("SELECT count(*) FROM ids").fetchone()[0]
    size = file.path.stat().st_size
    return {"ok": check == "ok", "documents": documents, "bytes": size, "check": check}


def _taken_out(file: File, writer: Writer, rows: Sequence[int]) -> int:
    """Remove documents by number; those that are gone meanwhile are not counted."""
    with file.writing() as db:
        found = by_row(db, np.array(rows, np.int64), ["row"])
        if len(found):
            writer.take_out(db, found["row"].tolist())
            db.execute(MOVED)
            settle(db)
    return len(found)


def _pack(file: File, writer: Writer) -> None:
    """One segment of words, no name that nobody has, an empty log."""
    with file.writing() as db:
        drop_unused(db)
        db.execute("INSERT INTO fts (fts) VALUES ('optimize')")
    writer.codes.forget()
    file.alone("PRAGMA wal_checkpoint(TRUNCATE)")
