"""Upkeep of the embedded engine: retention, erasure, and whether the file is sound.

In:  a file and its writer. Out: how many documents went; what is wrong.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from index.body import unpacked
from index.retention import kept_since
from index.sqlite_body import Squeezer
from index.sqlite_codes import drop_unused
from index.sqlite_file import File
from index.sqlite_sheets import ALL, TIE_BITS, sheet
from index.sqlite_write import MOVED, Writer

CHUNK = 500  # documents of one transaction, so that no other writer waits long


def tidy(file: File, writer: Writer, now: datetime, months: int | None) -> int:
    """Drop posts of the months outside the last `months`, and pack the file's indices."""
    rows: list[int] = []
    if months is not None:
        with file.reading() as db:
            found = sheet(db, ALL, None)
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
    """Ids of the posts of an author or at an address: every document is looked at."""
    asked = value.encode()
    found = []
    for (doc,) in db.execute("SELECT doc FROM mentions"):
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
        here = [
            row
            for row in rows
            if db.execute("SELECT 1 FROM mentions WHERE row = ?", (row,)).fetchone()
        ]
        if here:
            writer.take_out(db, here)
            db.execute(MOVED)
            seen = sheet(db, ALL, None)["seen"]
            db.execute(
                "UPDATE meta SET value = ? WHERE name = 'latest'",
                (int(seen.max()) if len(seen) else None,),
            )
    return len(here)


def _pack(file: File, writer: Writer) -> None:
    """One segment of words, no name that nobody has, an empty log."""
    with file.writing() as db:
        drop_unused(db)
        db.execute("INSERT INTO fts (fts) VALUES ('optimize')")
    writer.codes.forget()
    file.alone("PRAGMA wal_checkpoint(TRUNCATE)")
