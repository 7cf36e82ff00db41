"""Errors of the databases, translated once: what happened, to which database, what to do next.

In:  SQLAlchemy's error around the driver's. Out: an error of ours. PostgreSQL's are told by their
five-letter code (SQLSTATE), SQLite's by its sentence.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from keqing.errors import (
    DiskFull,
    IndexBusy,
    KeqingError,
    WorkflowError,
    WorkflowForbidden,
    WorkflowUnavailable,
)

SHOWN = 300  # characters of a server's sentence that a message repeats
# code, or its first letters → error, what to do
ADVICE: tuple[tuple[str, type[KeqingError], str], ...] = (
    ("28P01", WorkflowForbidden, "the password is refused; check {password}"),
    ("28", WorkflowForbidden, "the server does not let us in; check user, pg_hba.conf and TLS"),
    ("3D000", WorkflowForbidden, "the database is not there; make it with createdb"),
    ("42501", WorkflowForbidden, "a right is missing; make our user the owner of the database"),
    ("42P01", WorkflowError, "a table is gone; restore the database from its backup"),
    ("55P03", IndexBusy, "locked for {wait_s:g} s; try again later"),
    ("40", IndexBusy, "another transaction was first; try again"),
    ("53300", IndexBusy, "it takes no more connections; raise max_connections or try again later"),
    ("53100", DiskFull, "磁盘已满 (its disk is full); free space on the server"),
    ("25P03", WorkflowUnavailable, "our transaction was idle too long and was ended; try again"),
    ("57P", WorkflowUnavailable, "the server is starting or stopping; try again in a moment"),
    ("08", WorkflowUnavailable, "the connection broke; try again"),
)


def translated(error: DBAPIError, engine: Engine, wait_s: float) -> KeqingError:
    """A foreign error in our words."""
    if engine.dialect.name == "sqlite":
        return _sqlite(error, wait_s)
    where = engine.url.set(drivername="postgresql").render_as_string(hide_password=True)
    facts = _facts(error.orig)
    if facts is None:
        return _connection(str(error.orig), where)
    code, said = str(facts.get("C", "")), str(facts.get("M", ""))[:SHOWN]
    for start, kind, advice in ADVICE:
        if code.startswith(start):
            told = advice.format(wait_s=wait_s, password="KEQING__WORKFLOW__PASSWORD")  # noqa: S106
            return kind(f"workflow database {where}: {told} ({said})")
    return WorkflowError(f"workflow database {where}: {said} ({code})")


def _sqlite(error: DBAPIError, wait_s: float) -> KeqingError:
    said = str(error.orig)
    if "locked" in said:
        return IndexBusy(f"workflow database is locked for {wait_s:g} s; try again later")
    if "disk is full" in said:
        return DiskFull(f"workflow database: 磁盘已满 ({said}); free space and try again")
    return WorkflowError(f"workflow database: {said}")


def _connection(said: str, where: str) -> KeqingError:
    """What the driver itself says, without the server."""
    if "SSL" in said:
        return WorkflowForbidden(f"{where}: the server has no TLS; write [workflow] tls = false")
    return WorkflowUnavailable(f"{where}: the connection broke ({said[:SHOWN]}); try again")


def _facts(error: BaseException | None) -> dict[str, Any] | None:
    args = error.args if error is not None else ()
    return args[0] if args and isinstance(args[0], dict) else None
