"""The audit trail: who did what to which object; it only grows, hash-chained.

In:  a transaction, the facts of an act, `now`. Out: rows of a table.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, String, Table, select

from keqing.errors import WorkflowError
from keqing.records import utc_text
from keqing.workflow.db import METADATA, Tx, UtcTime
from keqing.workflow.postgres import clean
from keqing.workflow.schema import append_only

AUDIT = Table(
    "audit_log",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("who", String(64), nullable=False),
    Column("what", String(64), nullable=False),
    Column("object", String(256), nullable=False),
    Column("address", String(64), nullable=False),
    Column("result", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
append_only(AUDIT)


@dataclass(frozen=True)
class AuditRow:
    """Who did what to which object, from where, with which result."""

    at: datetime
    who: str
    what: str
    object: str
    address: str
    result: str


def record(
    tx: Tx, who: str, what: str, object: str, address: str, result: str, now: datetime
) -> None:
    """Write one row of the trail; never a post's text or a secret."""
    last = tx.execute(select(AUDIT.c.hash).order_by(AUDIT.c.seq.desc()).limit(1)).scalar()
    # before they are hashed: not every database keeps NUL
    previous, facts = last or "", tuple(map(clean, (who, what, object, address, result)))
    row = dict(zip(("who", "what", "object", "address", "result"), facts, strict=True))
    chained = {"previous": previous, "hash": _hash(previous, now, *facts)}
    tx.execute(AUDIT.insert().values(at=now, **row, **chained))


def newest(tx: Tx, limit: int = 100) -> list[AuditRow]:
    """The newest rows of the trail, newest first."""
    rows = tx.execute(select(AUDIT).order_by(AUDIT.c.seq.desc()).limit(limit))
    return [AuditRow(r.at, r.who, r.what, r.object, r.address, r.result) for r in rows]


def verify(tx: Tx) -> int:
    """Number of rows, after recomputing the chain.

    Raises:
        WorkflowError: a row does not agree with its hash; names its seq.
    """
    previous, n = "", 0
    for r in tx.execute(select(AUDIT).order_by(AUDIT.c.seq)):
        expected = _hash(previous, r.at, r.who, r.what, r.object, r.address, r.result)
        if r.previous != previous or r.hash != expected:
            raise WorkflowError(f"audit_log: row {r.seq} does not agree with the chain")
        previous, n = r.hash, n + 1
    return n


def _hash(previous: str, at: datetime, *facts: str) -> str:
    line = json.dumps([previous, utc_text(at), *facts], ensure_ascii=False)
    return hashlib.sha256(line.encode()).hexdigest()
