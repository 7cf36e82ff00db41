"""The workflow database: open it, create what is missing, one transaction at a time.

In:  settings; `KEQING__WORKFLOW__URL` (secret) chooses PostgreSQL, else SQLite var/keqing.db.
Out: an Engine, and `begin`, a transaction that takes the write lock at once on SQLite, so that a
reader that turns writer never fails half way.
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
    "snapshot",
]

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
        event.listen(engine, "begin", _begin_immediate)
    for module in pkgutil.iter_modules(workflow.__path__):
        importlib.import_module(f"keqing.workflow.{module.name}")
    METADATA.create_all(engine)
    return engine


@contextmanager
def begin(engine: Engine) -> Iterator[Tx]:
    """One transaction: committed at the end, rolled back on any error."""
    try:
        with engine.begin() as tx:
            yield tx
    except OperationalError as error:
        if "locked" in str(error):
            raise IndexBusy("workflow database is locked for 30 s; try again later") from error
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


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
