"""A process that is killed between the decision and the mail: nothing is lost, nothing is doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.notify import notify
from keqing.settings import Settings, load_settings
from keqing.workflow import db, incidents, leases, outbox
from keqing.workflow.incidents import Change
from tests.alerts.test_email import FakeReceiver, notice
from tests.alerts.test_incidents import seen

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
PROGRAM = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from keqing.settings import load_settings
from keqing.workflow import db, incidents, leases, outbox
from tests.alerts.test_incidents import seen
NOW = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
engine = db.open_workflow(load_settings(Path(sys.argv[1])))
def die():
    os.kill(os.getpid(), signal.SIGKILL)
"""
DECIDED = (
    "with db.begin(engine) as tx:\n    incidents.observe(tx, seen(), ['p1'], NOW)\n    die()\n"
)
CLAIMED = "with db.begin(engine) as tx:\n    outbox.claim(tx, NOW)\ndie()\n"
HOLDING = (
    "with leases.hold(engine, 'check', leases.this_process('check'), lambda: NOW):\n    die()\n"
)


@pytest.fixture
def settings(either: str | None, tmp_path: Path) -> Settings:
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    return load_settings(tmp_path, env={})


@pytest.fixture
def killed(settings: Settings) -> Callable[[str], None]:
    """Runs a few lines in a process of their own that kills itself."""

    def run(lines: str) -> None:
        command = [sys.executable, "-c", PROGRAM + lines, str(settings.root)]
        done = subprocess.run(command, check=False, cwd=ROOT, env=dict(os.environ))
        assert done.returncode == -signal.SIGKILL

    return run


def test_a_kill_between_incident_and_mail_is_one_mail(
    settings: Settings, killed: Callable[[str], None]
) -> None:
    """Killed before the commit: nothing is there. Killed with the notice in hand: sent once, later."""
    engine, fake = db.open_workflow(settings), FakeReceiver()
    killed(DECIDED)
    with db.begin(engine) as tx:
        assert incidents.list_incidents(tx) == []
        kept, change = incidents.observe(tx, seen(), ["p1"], NOW)
        assert change is Change.OPENED
        assert outbox.queue(tx, notice(f"{kept.id}.1.pr"))
    killed(CLAIMED)
    receivers = {"spool": fake}
    assert notify(settings, engine, NOW, receivers).sent == 0  # the dead one's turn is not over
    later = NOW + outbox.LEASE + timedelta(seconds=1)
    assert [notify(settings, engine, later, receivers).sent for _ in range(2)] == [1, 0]
    assert len(fake.sent) == 1
    engine.dispose()


def test_a_killed_holder_blocks_nobody(settings: Settings, killed: Callable[[str], None]) -> None:
    """Its lease is taken at once, and the writer's turn that it held is free."""
    engine = db.open_workflow(settings)
    killed(HOLDING)
    with leases.hold(engine, "check", leases.this_process("check"), lambda: NOW):
        pass
    engine.dispose()
