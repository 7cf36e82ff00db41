"""The acts on incidents: a log that only grows, each row chained to the one before by its hash.

In:  a transaction, one act. Out: rows, oldest first; whether the whole chain agrees.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, String, Table, Text, func, select

from keqing.errors import WorkflowError
from keqing.records import utc_text
from keqing.workflow.db import METADATA, Tx, UtcTime
from keqing.workflow.postgres import clean
from keqing.workflow.schema import append_only

LOG = Table(
    "incident_log",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("incident", String(32), nullable=False, index=True),
    Column("at", UtcTime, nullable=False),
    Column("who", String(128), nullable=False),
    Column("act", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
append_only(LOG)


@dataclass(frozen=True)
class LogRow:
    """One act on an incident."""

    at: datetime
    who: str
    act: str
    reason: str
    revision: int


def log_of(tx: Tx, id: str) -> list[LogRow]:
    """All acts on an incident, oldest first."""
    rows = tx.execute(select(LOG).where(LOG.c.incident == id).order_by(LOG.c.seq))
    return [LogRow(r.at, r.who, r.act, r.reason, r.revision) for r in rows]


def verify_log(tx: Tx) -> int:
    """Number of log rows, after recomputing the whole chain.

    Raises:
        WorkflowError: a row does not agree with its hash; names its seq.
    """
    previous, n = "", 0
    for row in tx.execute(select(LOG).order_by(LOG.c.seq)):
        facts = (row.incident, row.at, row.who, row.act, row.reason, row.revision)
        if row.previous != previous or row.hash != _hash(previous, *facts):
            raise WorkflowError(f"incident_log: row {row.seq} does not agree with the chain")
        previous, n = row.hash, n + 1
    return n


def append(
    tx: Tx, incident: str, at: datetime, who: str, act: str, reason: str, revision: int
) -> None:
    """One act more; the chain goes on from the newest row."""
    who, reason = clean(who), clean(reason)  # before they are hashed: not every database keeps NUL
    last = tx.execute(select(func.max(LOG.c.seq))).scalar()
    previous = tx.execute(select(LOG.c.hash).where(LOG.c.seq == last)).scalar_one() if last else ""
    tx.execute(
        LOG.insert().values(
            incident=incident,
            at=at,
            who=who,
            act=act,
            reason=reason,
            revision=revision,
            previous=previous,
            hash=_hash(previous, incident, at, who, act, reason, revision),
        )
    )


def _hash(previous: str, incident: str, at: datetime, *facts: object) -> str:
    line = json.dumps([previous, incident, utc_text(at), *facts], ensure_ascii=False)
    return hashlib.sha256(line.encode()).hexdigest()
