"""The workflow database: runs, leases and batches survive processes and agree with each other."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from keqing.errors import IndexBusy, LeaseHeld, WorkflowError
from keqing.workflow import batches, db, leases, runs

Opened = Callable[[], db.Engine]  # tests/conftest.py: on SQLite and on PostgreSQL
NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


def test_a_run_is_running_until_it_is_finished(opened: Opened) -> None:
    """The ledger shows a started run at once, and its outcome and counts afterwards."""
    engine = opened()
    with db.begin(engine) as tx:
        run_id = runs.start(tx, "crawl", "demo", NOW)
    with db.begin(engine) as tx:
        assert runs.last(tx, "crawl")[0].outcome == "running"
        runs.finish(tx, run_id, "ok", {"new": 3}, NOW + timedelta(seconds=5))
        done = runs.last(tx, "crawl", "demo")[0]
    assert (done.outcome, done.counts) == ("ok", {"new": 3})
    assert done.ended_at == NOW + timedelta(seconds=5)


def test_a_naive_time_is_refused(opened: Opened) -> None:
    """A time without zone never reaches the database."""
    engine = opened()
    with pytest.raises(Exception, match="naive time") as caught, db.begin(engine) as tx:
        runs.start(tx, "crawl", None, NOW.replace(tzinfo=None))
    assert isinstance(caught.value, WorkflowError) or "naive" in str(caught.value)


def test_a_reader_waits_for_no_writer(opened: Opened) -> None:
    """While the write lock is held, reading and opening go on, from the state before it."""
    engine = opened()
    with db.begin(engine) as tx:
        runs.start(tx, "crawl", "demo", NOW)
        began = time.monotonic()
        with db.read(opened()) as other:
            assert runs.last(other, "crawl") == []
        assert time.monotonic() - began < 5
    with db.read(engine) as tx:
        assert len(runs.last(tx, "crawl")) == 1


def test_a_reader_sees_one_state(opened: Opened) -> None:
    """What is committed while it reads stays out of its answers."""
    engine = opened()
    with db.read(engine) as tx:
        assert runs.last(tx, "crawl") == []
        with db.begin(engine) as other:
            runs.start(other, "crawl", "demo", NOW)
        assert runs.last(tx, "crawl") == []


def test_a_reader_cannot_write(opened: Opened) -> None:
    """A write in a reading transaction is refused, and the connection writes again afterwards."""
    engine = opened()
    with pytest.raises(WorkflowError, match=r"read-?only"), db.read(engine) as tx:
        runs.start(tx, "crawl", "demo", NOW)
    with db.begin(engine) as tx:
        runs.start(tx, "crawl", "demo", NOW)


def test_a_writer_waits_as_long_as_it_was_told(opened: Opened) -> None:
    """A second writer gives up after its own time and says so."""
    engine = opened()
    with (
        db.begin(engine),
        pytest.raises(IndexBusy, match=r"locked for 0\.1 s"),
        db.begin(opened(), 0.1),
    ):
        pass


def test_a_process_without_a_free_connection_is_busy(opened: Opened) -> None:
    """More readers at once than connections are told to come again, in our words."""
    engine = opened()
    engine.pool._timeout = 0.05  # type: ignore[attr-defined]

    def read_at_once(n: int) -> None:
        with ExitStack() as held:
            for _ in range(n):
                held.enter_context(db.read(engine))

    read_at_once(10)
    with pytest.raises(IndexBusy, match="in use"):
        read_at_once(50)


def test_a_lease_has_one_holder(opened: Opened) -> None:
    """A second run of a stage is told who is at work; afterwards the lease is free."""
    engine = opened()
    me = leases.this_process("a")
    with leases.hold(engine, "score", me, lambda: NOW):
        with (
            pytest.raises(LeaseHeld, match="score"),
            leases.hold(engine, "score", leases.this_process("b"), lambda: NOW),
        ):
            pass
    with leases.hold(engine, "score", leases.this_process("b"), lambda: NOW):
        pass


def test_the_lease_of_a_dead_process_is_taken_at_once(opened: Opened) -> None:
    """A killed holder on this host blocks nobody."""
    engine = opened()
    code = "from keqing.workflow import leases; print(leases.this_process('dead'))"
    dead = subprocess.run(  # our own interpreter, fixed code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    with db.begin(engine) as tx:
        tx.execute(
            leases.LEASES.insert().values(name="score", owner=dead, until=NOW + timedelta(hours=1))
        )
    with leases.hold(engine, "score", leases.this_process("b"), lambda: NOW):
        pass


def test_a_process_elsewhere_is_not_called_dead(opened: Opened) -> None:
    """A holder in another container under the same host name is waited for, whatever its pid is here."""
    engine = opened()
    host, _, rest = leases.this_process("x").partition(" ")
    elsewhere = f"{host} pid:[1]|{rest.partition('|')[2].replace('|', '0|', 1)}"
    with db.begin(engine) as tx:
        until = NOW + timedelta(seconds=30)
        tx.execute(leases.LEASES.insert().values(name="score", owner=elsewhere, until=until))
    with (
        pytest.raises(LeaseHeld),
        leases.hold(engine, "score", leases.this_process("b"), lambda: NOW),
    ):
        pass


def test_a_batch_is_loaded_once(opened: Opened) -> None:
    """What is scored waits for load in order, and a landing file belongs to one batch."""
    engine = opened()
    with db.begin(engine) as tx:
        batches.record_scored(tx, "b1", ["f1", "f2"], "m1", NOW)
        batches.record_scored(tx, "b2", ["f3"], "m2", NOW)
        assert batches.scored(tx) == {"f1", "f2", "f3"}
        batches.record_loaded(tx, "b1", NOW)
        assert [b.mention_file for b in batches.unloaded(tx)] == ["m2"]
        assert [b.batch_id for b in batches.every(tx)] == ["b1", "b2"]
