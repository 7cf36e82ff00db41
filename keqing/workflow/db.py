"""The workflow database: open it, create what is missing, one transaction at a time.

In:  settings; `KEQING__WORKFLOW__URL` (secret) chooses PostgreSQL, else SQLite var/keqing.db.
Out: an Engine; `begin`, a transaction that takes the write lock at once on SQLite, so that a reader
that turns writer never fails half way; `read`, one that only reads, beside any writer.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
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
    inspect,
)
from sqlalchemy.exc import OperationalError

from keqing import workflow
from keqing.errors import IndexBusy, WorkflowError
from keqing.settings import Settings, secret

__all__ = [
    "METADATA",
    "Engine",
    "Tx",
    "UtcTime",
    "begin",
    "open_file",
    "open_url",
    "open_workflow",
    "read",
    "snapshot",
]

BUSY_S = 30.0
READS, WAIT_MS = "keqing_reads", "keqing_wait_ms"  # options of a connection
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


def open_workflow(settings: Settings) -> Engine:
    """Engine on the workflow database, with all tables of the package present."""
    url = secret("KEQING__WORKFLOW__URL")
    return open_url(url) if url else open_file(settings.var / "keqing.db")


def open_file(path: Path) -> Engine:
    """Engine on a SQLite file, made with its folder (0700) if missing."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return open_url(f"sqlite:///{path}")


def open_url(url: str) -> Engine:
    """Engine on any database that SQLAlchemy speaks; tables are created when missing."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _pragmas)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "checkin", _writable)
    for module in pkgutil.iter_modules(workflow.__path__):
        importlib.import_module(f"keqing.workflow.{module.name}")
    with read(engine) as tx:  # creating takes the write lock: only where a table is missing
        missing = METADATA.tables.keys() - set(inspect(tx).get_table_names())
    if missing:
        METADATA.create_all(engine)
    return engine


@contextmanager
def begin(engine: Engine, wait_s: float = BUSY_S) -> Iterator[Tx]:
    """One transaction: committed at the end, rolled back on any error.

    Raises:
        IndexBusy: another writer held the lock (SQLite) for `wait_s` seconds.
    """
    with _translated(wait_s), engine.connect() as connection:
        tx = connection.execution_options(**{WAIT_MS: round(wait_s * 1000)})
        with tx.begin():
            yield tx


@contextmanager
def read(engine: Engine) -> Iterator[Tx]:
    """One transaction that only reads, from one state of the database: no writer keeps it waiting.

    Raises:
        WorkflowError: the block tried to write (SQLite).
    """
    with _translated(BUSY_S), engine.connect() as connection:
        tx = connection.execution_options(**{READS: True})
        with tx.begin():
            yield tx


@contextmanager
def _translated(wait_s: float) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if "locked" in str(error):
            raise IndexBusy(
                f"workflow database is locked for {wait_s:g} s; try again later"
            ) from error
        raise WorkflowError(f"workflow database: {error.orig}") from error


def snapshot(engine: Engine, path: Path) -> None:
    """Write a whole copy of a SQLite workflow database to a new file, beside running writers.

    Raises:
        WorkflowError: the database is a server, which has its own backup, or the copy failed.
    """
    if engine.dialect.name != "sqlite":
        raise WorkflowError(f"{engine.dialect.name}: use the server's own backup")
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("VACUUM INTO ?", (str(path),))
    except engine.dialect.loaded_dbapi.Error as error:
        raise WorkflowError(f"{path}: the copy failed: {error}") from error
    finally:
        connection.close()


def _pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
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
