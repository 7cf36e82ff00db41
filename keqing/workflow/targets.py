"""What crawls have covered: targets with their marks, threads with their progress, source states.

In:  a transaction, the card's name, keys. Out: Target and Thread rows; what is due.
Everything that a walk covered is older than `covered_at`; a `gap` is a page on which a walk ran out
of budget, from where the next one goes on. Addresses are kept without their host. Rows that are lost cost requests, never posts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Integer, String, Table, Text, delete, func, select

from keqing.workflow.db import METADATA, Tx, UtcTime

TARGETS = Table(
    "crawl_targets",
    METADATA,
    Column("source", String(128), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("key", String(256), primary_key=True),
    Column("covered_at", UtcTime),
    Column("gap_url", Text),
    Column("gap_seen_at", UtcTime),
    Column("tried_at", UtcTime),
    Column("wait_until", UtcTime),
    Column("had_posts", Integer, nullable=False),
    Column("validators", JSON, nullable=False),
)
THREADS = Table(
    "crawl_threads",
    METADATA,
    Column("source", String(128), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("tid", String(256), primary_key=True),
    Column("state", String(16), nullable=False, index=True),
    Column("mark", String(256), nullable=False),
    Column("url", Text, nullable=False),
    Column("listed_at", UtcTime, nullable=False),
)
STATES = Table(
    "crawl_states",
    METADATA,
    Column("source", String(128), primary_key=True),
    Column("state", String(32), nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("verdict", String(32), nullable=False),
    Column("repeats", Integer, nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("last_ok_at", UtcTime),
    Column("newest_post_at", UtcTime),
    Column("landed_files", Integer, nullable=False),
)


@dataclass(frozen=True)
class TargetRow:
    """Progress on one target; `validators` are ETag and Last-Modified of a feed."""

    source: str
    kind: str
    key: str
    covered_at: datetime | None = None
    gap_url: str | None = None
    gap_seen_at: datetime | None = None
    tried_at: datetime | None = None
    wait_until: datetime | None = None
    had_posts: int = 0
    validators: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ThreadRow:
    """A thread or a comment list: `mark` tells whether it moved since (replies, last post)."""

    source: str
    kind: str
    tid: str
    state: str  # todo | done | blocked | gone
    mark: str
    url: str  # where to go on: the last page read
    listed_at: datetime


@dataclass(frozen=True)
class StateRow:
    """Health of a source; `repeats` counts runs in a row with this verdict."""

    source: str
    state: str
    since: datetime
    verdict: str
    repeats: int
    run_id: str
    last_ok_at: datetime | None = None
    newest_post_at: datetime | None = None
    landed_files: int = 0


def target(tx: Tx, source: str, kind: str, key: str) -> TargetRow:
    """Progress on a target; a fresh row if it was never visited."""
    where = TARGETS.c.source == source, TARGETS.c.kind == kind, TARGETS.c.key == key
    row = tx.execute(select(TARGETS).where(*where)).mappings().first()
    return TargetRow(**row) if row else TargetRow(source, kind, key)


def put_target(tx: Tx, row: TargetRow) -> None:
    """Write the progress on a target; call it after its posts have landed."""
    _put(tx, TARGETS, ("source", "kind", "key"), asdict(row))


def thread(tx: Tx, source: str, kind: str, tid: str) -> ThreadRow | None:
    """Progress on a thread, None if it was never listed."""
    where = THREADS.c.source == source, THREADS.c.kind == kind, THREADS.c.tid == tid
    row = tx.execute(select(THREADS).where(*where)).mappings().first()
    return ThreadRow(**row) if row else None


def put_thread(tx: Tx, row: ThreadRow) -> None:
    """Write the progress on a thread; `done` only after its posts have landed."""
    _put(tx, THREADS, ("source", "kind", "tid"), asdict(row))


def open_threads(tx: Tx, source: str) -> list[ThreadRow]:
    """Threads of a source that are not done, oldest listing first."""
    where = THREADS.c.source == source, THREADS.c.state == "todo"
    rows = tx.execute(select(THREADS).where(*where).order_by(THREADS.c.listed_at, THREADS.c.tid))
    return [ThreadRow(**row) for row in rows.mappings()]


def thread_counts(tx: Tx, source: str) -> dict[str, int]:
    """Number of threads by state; their sum is what was ever listed."""
    query = select(THREADS.c.state, func.count()).where(THREADS.c.source == source)
    return {state: n for state, n in tx.execute(query.group_by(THREADS.c.state))}


def state(tx: Tx, source: str) -> StateRow | None:
    """Health of a source, None before its first run."""
    row = tx.execute(select(STATES).where(STATES.c.source == source)).mappings().first()
    return StateRow(**row) if row else None


def states(tx: Tx) -> list[StateRow]:
    """Health of all sources that ever ran, by name."""
    rows = tx.execute(select(STATES).order_by(STATES.c.source)).mappings()
    return [StateRow(**row) for row in rows]


def put_state(tx: Tx, row: StateRow) -> None:
    """Write the health of a source."""
    _put(tx, STATES, ("source",), asdict(row))


def _put(tx: Tx, table: Table, key: tuple[str, ...], values: dict[str, Any]) -> None:
    tx.execute(delete(table).where(*(table.c[name] == values[name] for name in key)))
    tx.execute(table.insert().values(**values))
