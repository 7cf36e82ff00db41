"""The batch log: which landing files were scored together, in which order, and which are loaded.

In:  a transaction.
Out: rows that `score` writes and `load` reads; a replay follows their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    Select,
    String,
    Table,
    select,
    update,
)

from keqing.workflow.db import METADATA, Tx, UtcTime

BATCHES = Table(
    "nlp_batches",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("batch_id", String(64), nullable=False, unique=True),
    Column("mention_file", String(512), nullable=False),
    Column("scored_at", UtcTime, nullable=False),
    Column("loaded_at", UtcTime),
)
FILES = Table(
    "nlp_batch_files",
    METADATA,
    Column("file", String(512), primary_key=True),
    Column("batch_id", String(64), ForeignKey("nlp_batches.batch_id"), nullable=False),
)


@dataclass(frozen=True)
class LoggedBatch:
    """Which landing files were scored together, when, into which file of Mentions."""

    batch_id: str
    mention_file: str
    scored_at: datetime
    files: frozenset[str]


@dataclass(frozen=True)
class Batch:
    """One file of Mentions, path relative to var/mentions."""

    batch_id: str
    mention_file: str


def scored(tx: Tx) -> set[str]:
    """Landing files that have been scored."""
    return set(tx.execute(select(FILES.c.file)).scalars())


def record_scored(
    tx: Tx,
    batch_id: str,
    landing_files: Sequence[str],
    mention_file: str,
    now: datetime,
) -> None:
    """Write that these landing files became this mention file; call it after the rename."""
    tx.execute(BATCHES.insert().values(batch_id=batch_id, mention_file=mention_file, scored_at=now))
    for file in landing_files:
        tx.execute(FILES.insert().values(file=file, batch_id=batch_id))


def unloaded(tx: Tx) -> list[Batch]:
    """Batches that are scored and not loaded, in the order of scoring."""
    return _read(tx, select(BATCHES).where(BATCHES.c.loaded_at.is_(None)).order_by(BATCHES.c.seq))


def logged(tx: Tx) -> list[LoggedBatch]:
    """All batches in the order of scoring, with their files: what a replay repeats."""
    of_batch: dict[str, set[str]] = {}
    for row in tx.execute(select(FILES)):
        of_batch.setdefault(row.batch_id, set()).add(row.file)
    rows = tx.execute(select(BATCHES).order_by(BATCHES.c.seq))
    return [
        LoggedBatch(r.batch_id, r.mention_file, r.scored_at, frozenset(of_batch[r.batch_id]))
        for r in rows
    ]


def every(tx: Tx) -> list[Batch]:
    """All batches in the order of scoring: what a rebuild of the index walks."""
    return _read(tx, select(BATCHES).order_by(BATCHES.c.seq))


def record_loaded(tx: Tx, batch_id: str, now: datetime) -> None:
    """Write that a batch stands in the index."""
    tx.execute(update(BATCHES).where(BATCHES.c.batch_id == batch_id).values(loaded_at=now))


def _read(tx: Tx, query: Select[Any]) -> list[Batch]:
    rows = tx.execute(query)
    return [Batch(row.batch_id, row.mention_file) for row in rows]
