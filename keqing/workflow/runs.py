"""The run ledger: what each stage did, when, with which outcome and counts.

In:  a transaction, the stage's name, aware times.
Out: rows of table `runs`, written at start (`running`) and at the end.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import JSON, Column, Row, String, Table, Text, select, update

from keqing.workflow.db import METADATA, Tx, UtcTime

RUNS = Table(
    "runs",
    METADATA,
    Column("run_id", String(64), primary_key=True),
    Column("stage", String(32), nullable=False, index=True),
    Column("source", String(128)),
    Column("trigger", String(64), nullable=False),
    Column("started_at", UtcTime, nullable=False, index=True),
    Column("ended_at", UtcTime),
    Column("outcome", String(64), nullable=False),
    Column("counts", JSON, nullable=False),
    Column("detail", Text, nullable=False),
)


@dataclass(frozen=True)
class Run:
    """One run of one stage; `outcome` is `running` until it ended."""

    run_id: str
    stage: str
    source: str | None
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    counts: dict[str, int] = field(default_factory=dict)
    detail: str = ""


def start(tx: Tx, stage: str, source: str | None, now: datetime, trigger: str = "cli") -> str:
    """Write that a run began; gives its id."""
    run_id = uuid.uuid4().hex
    tx.execute(
        RUNS.insert().values(
            run_id=run_id,
            stage=stage,
            source=source,
            trigger=trigger,
            started_at=now,
            outcome="running",
            counts={},
            detail="",
        )
    )
    return run_id


def finish(
    tx: Tx,
    run_id: str,
    outcome: str,
    counts: dict[str, int],
    now: datetime,
    detail: str = "",
) -> None:
    """Write how a run ended; `counts` by name, `detail` one sentence without post texts."""
    tx.execute(
        update(RUNS)
        .where(RUNS.c.run_id == run_id)
        .values(outcome=outcome, counts=counts, ended_at=now, detail=detail)
    )


def last(tx: Tx, stage: str, source: str | None = None, limit: int = 20) -> list[Run]:
    """The newest runs of a stage (of one source if given), newest first."""
    query = select(RUNS).where(RUNS.c.stage == stage)
    if source is not None:
        query = query.where(RUNS.c.source == source)
    newest = query.order_by(RUNS.c.started_at.desc(), RUNS.c.run_id).limit(limit)
    return [_run(row) for row in tx.execute(newest)]


def _run(row: Row[tuple[object, ...]]) -> Run:
    return Run(
        row.run_id,
        row.stage,
        row.source,
        row.started_at,
        row.ended_at,
        row.outcome,
        dict(row.counts),
        row.detail,
    )
