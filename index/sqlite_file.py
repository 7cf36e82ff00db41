"""The file of the embedded engine: connections, transactions, and what its errors mean.

In:  a path. Out: one connection a thread; `reading` and `writing` hold one state of the file. Foreign
errors are translated here, once: a lock is IndexBusy, a passed deadline IndexTimeout, anything else
IndexUnavailable.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.schema import DDL, INDEX_VERSION
from index.sqlite_body import first_dictionary
from keqing.errors import IndexBusy, IndexOutdated, IndexTimeout, IndexUnavailable
from keqing.private import private_folder
from keqing.wal import switch_to_wal

STEPS = 10_000  # virtual machine steps between two looks at the clock
PRAGMAS = (
    "busy_timeout=30000",
    "synchronous=FULL",
    "secure_delete=ON",
    "wal_autocheckpoint=4000",  # pages, 16 MB: what is written to often goes to its place once
    "cache_size=-65536",
    "temp_store=MEMORY",
)
# Few, larger merges: each word is written about three times until it lies in the largest segment.
AUTOMERGE = 16
BUSY_S = 30.0  # how long a writer waits for the one before it


class File:
    """An index file, made when it is not there."""

    def __init__(self, path: Path, deadline_s: float) -> None:
        self.path, self._deadline_s = path, deadline_s
        self._local = threading.local()
        private_folder(path.parent)
        with self.translated():
            db = self._connection()
            if not _made(db):
                _make(db)
            found = db.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()[0]
        if found != INDEX_VERSION:
            raise IndexOutdated(f"{path.name} has version {found}, needed is {INDEX_VERSION}")

    def close(self) -> None:
        """Close this thread's connection."""
        if (db := getattr(self._local, "db", None)) is not None:
            db.close()
            self._local.db = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One state of the file for all statements of a question, until the deadline."""
        end = time.monotonic() + self._deadline_s
        with self.translated():
            db = self._connection()
            db.set_progress_handler(lambda: int(time.monotonic() > end), STEPS)
            db.execute("BEGIN")
            try:
                yield db
            finally:
                db.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that has the lock from its begin; it is on the disk when this ends."""
        with self.translated():
            db = self._connection()
            db.set_progress_handler(None, 0)
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                db.execute("ROLLBACK")
                raise

    def alone(self, statement: str, *params: object) -> None:
        """A statement that takes no transaction: a copy, packing, a checkpoint."""
        with self.translated():
            db = self._connection()
            db.set_progress_handler(None, 0)
            db.execute(statement, params)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Errors of sqlite3 as ours."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise IndexBusy(f"{self.path.name} is locked; try again later") from error
            if "interrupted" in str(error):
                raise IndexTimeout("the question took too long; narrow it") from error
            raise IndexUnavailable(f"{self.path.name}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise IndexUnavailable(f"{self.path.name}: {error}; run keqing replay") from error

    def _connection(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = sqlite3.connect(self.path, isolation_level=None, timeout=BUSY_S)
            switch_to_wal(db.execute, BUSY_S)
            for pragma in PRAGMAS:
                db.execute(f"PRAGMA {pragma}")
            self._local.db = db
        return db


def _made(db: sqlite3.Connection) -> bool:
    """Whether the tables stand; an older layout is left as it is."""
    found = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
    return found is not None


def _make(db: sqlite3.Connection) -> None:
    """Make the tables in one transaction: of two processes that begin, one waits for the other."""
    db.execute("BEGIN IMMEDIATE")
    try:
        for statement in _statements():
            db.execute(statement)
        db.execute("INSERT OR IGNORE INTO meta VALUES ('dictionary', ?)", (first_dictionary(),))
        db.execute("INSERT INTO fts (fts, rank) VALUES ('automerge', ?)", (AUTOMERGE,))
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _statements() -> Iterator[str]:
    whole = ""
    for part in DDL.split(";"):
        whole += part + ";"
        if sqlite3.complete_statement(whole):
            yield whole
            whole = ""
