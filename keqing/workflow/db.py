"""The workflow database: open it, bring its tables up to date, one transaction at a time.

In:  settings; [workflow] url or `KEQING__WORKFLOW__URL` chooses PostgreSQL, else SQLite var/keqing.db.
Out: an Engine; `begin`, a transaction that waits for the one writer before it, so that a reader that
turns writer never fails half way; `read`, one that only reads, beside any writer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    DateTime,
    Engine,
    MetaData,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from keqing.errors import IndexBusy, WorkflowError
from keqing.private import private_folder
from keqing.settings import Settings
from keqing.wal import switch_to_wal
from keqing.workflow import faults, postgres
from keqing.workflow.postgres import READS, WAIT_MS

__all__ = [
    "METADATA",
    "Engine",
    "Tx",
    "UtcTime",
    "begin",
    "connected",
    "open_file",
    "open_url",
    "open_workflow",
    "read",
    "ready",
]

BUSY_S = 30.0
METADATA = MetaData()
Tx = Connection  # what the typed functions of this package take; opaque to everyone else


class UtcTime(TypeDecorator[datetime]):
    """Aware times in, aware UTC times out; stored naive in UTC (SQLite has no zones)."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Refuse naive times, store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise WorkflowError(f"naive time {value!r}: pass an aware one")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Give the stored UTC time its zone back."""
        return None if value is None else value.replace(tzinfo=UTC)


def open_workflow(settings: Settings, env: Mapping[str, str] | None = None) -> Engine:
    """Engine on the workflow database, its tables up to date.

    Raises:
        WorkflowUnavailable, WorkflowForbidden: the server cannot be reached, or does not let us in.
        WorkflowOutdated: a newer program wrote it; nothing is changed.
    """
    at = postgres.address(settings, env)
    return open_file(settings.var / "keqing.db") if at is None else ready(postgres.connect(at))


def open_file(path: Path) -> Engine:
    """Engine on a SQLite file, made with its folder (0700) if missing."""
    private_folder(path.parent)
    return open_url(f"sqlite:///{path}")


def open_url(url: str) -> Engine:
    """Engine on a SQLite url, its tables up to date."""
    return ready(connected(url))


def connected(url: str) -> Engine:
    """Engine on a SQLite url as it is: nothing is made or changed."""
    engine = create_engine(url)
    event.listen(engine, "connect", _pragmas)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "checkin", _writable)
    return engine


def ready(engine: Engine) -> Engine:
    """The same engine once its tables are those of this program."""
    # it knows all tables, and they are declared with us
    from keqing.workflow.migrations import bring, is_behind

    with read(engine) as tx:  # changing takes the writer's turn: only where something is to do
        behind = is_behind(tx)
    if behind:
        with begin(engine) as tx:
            bring(tx)
    return engine


@contextmanager
def begin(engine: Engine, wait_s: float = BUSY_S) -> Iterator[Tx]:
    """One transaction: committed at the end, rolled back on any error.

    Raises:
        IndexBusy: another writer was at work for `wait_s` seconds.
    """
    with _translated(engine, wait_s), engine.connect() as connection:
        tx = connection.execution_options(**{WAIT_MS: round(wait_s * 1000)})
        with tx.begin():
            yield tx


@contextmanager
def read(engine: Engine) -> Iterator[Tx]:
    """One transaction that only reads, from one state of the database: no writer keeps it waiting.

    Raises:
        WorkflowError: the block tried to write.
    """
    with _translated(engine, BUSY_S), engine.connect() as connection:
        tx = connection.execution_options(**{READS: True})
        with tx.begin():
            yield tx


@contextmanager
def _translated(engine: Engine, wait_s: float) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise faults.translated(error, engine, wait_s) from error
    except PoolTimeout as error:
        raise IndexBusy(
            "all connections of this process to the workflow database are in use; try again"
        ) from error


def _pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    switch_to_wal(connection.execute, BUSY_S)
    for pragma in (
        "busy_timeout=30000",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    wait_ms = int(options.get(WAIT_MS, BUSY_S * 1000))
    connection.exec_driver_sql(f"PRAGMA busy_timeout={wait_ms}")
    if options.get(READS):
        connection.exec_driver_sql("PRAGMA query_only=1")
    connection.exec_driver_sql("BEGIN" if options.get(READS) else "BEGIN IMMEDIATE")


def _writable(connection: Any, _record: Any) -> None:
    """A connection that goes back to the pool forgets that it only read."""
    if connection is not None:
        connection.execute("PRAGMA query_only=0")
