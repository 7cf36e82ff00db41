"""A file that another program just makes is opened when it is done, not refused."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from index.sqlite import SqliteEngine
from keqing.wal import switch_to_wal
from keqing.workflow import db

HELD_S = 0.3


def index(path: Path) -> None:
    SqliteEngine(path).close()


def workflow(path: Path) -> None:
    db.open_file(path).dispose()


@pytest.mark.parametrize("open_it", [index, workflow])
def test_a_new_file_in_which_another_writes(
    tmp_path: Path, open_it: Callable[[Path], None]
) -> None:
    """SQLite refuses the switch to WAL at once while somebody writes without it: we wait."""
    path = tmp_path / "new.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE theirs (x)")
    other.execute("BEGIN IMMEDIATE")
    ended = threading.Timer(HELD_S, other.execute, ("COMMIT",))
    ended.start()
    try:
        open_it(path)
    finally:
        ended.join()
        other.close()
    after = sqlite3.connect(path)
    assert after.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    after.close()


def test_patience_ends(tmp_path: Path) -> None:
    """A writer that never ends is told of, and so is any other error."""
    path = tmp_path / "held.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE theirs (x)")
    other.execute("BEGIN IMMEDIATE")
    mine = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        switch_to_wal(mine.execute, 0.1)
    other.close()
    mine.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        switch_to_wal(mine.execute, 60)
