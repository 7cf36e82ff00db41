"""Writing of the embedded engine: idempotent upserts, newest snapshot wins.

In:  an open connection inside a transaction, Documents. Out: what became of each.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Literal

from index.document import COUNTERS, Document, tag_term, tie
from keqing.errors import IndexRejected

Fate = Literal["created", "changed", "unchanged", "stale"]
PROBES = 64
TIE_BITS = 31


def upsert(db: sqlite3.Connection, doc: Document) -> Fate:
    """Store one document unless a newer snapshot stands there."""
    found = db.execute(
        "SELECT rowid, collected_at, sig, published_at FROM mentions WHERE id = ?", (doc.id,)
    ).fetchone()
    if found is None:
        _insert(db, doc, _free_rowid(db, doc))
        return "created"
    rowid, collected_at, sig, published_at = found
    if doc.collected_at < collected_at:
        return "stale"
    if sig == doc.signature:
        _count(db, doc, rowid)
        newest = "UPDATE mentions SET collected_at = ? WHERE rowid = ?"
        db.execute(newest, (doc.collected_at, rowid))
        return "unchanged"
    db.execute("DELETE FROM mentions WHERE rowid = ?", (rowid,))
    _insert(db, doc, rowid if published_at == doc.published_at else _free_rowid(db, doc))
    return "changed"


def _free_rowid(db: sqlite3.Connection, doc: Document) -> int:
    """`published_at << 31 | tie`: newest-first pages need no sort; a collision takes the next."""
    first = tie(doc.id)
    for probe in range(PROBES):
        rowid = (doc.published_at << TIE_BITS) | ((first + probe) % (1 << TIE_BITS))
        if db.execute("SELECT 1 FROM mentions WHERE rowid = ?", (rowid,)).fetchone() is None:
            return rowid
    raise IndexRejected(f"{doc.id}: no free place in second {doc.published_at}")


def _insert(db: sqlite3.Connection, doc: Document, rowid: int) -> None:
    tags = " ".join(tag_term(name, value) for name, value in doc.tags)
    values = (
        rowid, doc.id, doc.published_at, doc.first_seen_at, doc.collected_at, doc.timed,
        doc.polarity, doc.voice, doc.story, doc.author, doc.source, doc.risk, doc.severity,
        " ".join(doc.tokens), " ".join(doc.title_tokens), tags,
        json.dumps(doc.keywords, ensure_ascii=False), doc.signature,
        json.dumps(doc.shown, ensure_ascii=False),
    )  # fmt: skip
    db.execute(f"INSERT INTO mentions VALUES ({','.join('?' * len(values))})", values)
    facts: dict[str, tuple[bool, bool]] = {}
    for brand, negative, positive in doc.brands:
        old = facts.get(brand, (False, False))
        facts[brand] = (old[0] or negative, old[1] or positive)
    for brand, (negative, positive) in facts.items():
        db.execute(
            "INSERT INTO facts VALUES (?,?,?,?,?,?,?,?,?)",
            (brand, doc.published_at, rowid, doc.first_seen_at, doc.source, negative,
             positive and not negative, doc.voice, doc.timed),
        )  # fmt: skip
    if doc.vector is not None:
        db.execute("INSERT INTO vectors VALUES (?,?,?)", (rowid, doc.story, doc.vector))
    _count(db, doc, rowid)


def _count(db: sqlite3.Connection, doc: Document, rowid: int) -> None:
    counters = [doc.counters[name] for name in COUNTERS]
    db.execute(
        "INSERT OR REPLACE INTO seen VALUES (?,?,?,?,?,?,?,?)", (rowid, doc.collected_at, *counters)
    )
