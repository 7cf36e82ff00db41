"""A verb in its own process gives its report or the error that it names."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keqing.errors import BadConfig, DoneInPart, UsageError
from keqing.process import end, group_alive, run_verb

ROOT = Path(__file__).resolve().parents[2]


def test_a_report_comes_back(tmp_path: Path) -> None:
    """The last line of a verb that went well is its report."""
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    report = run_verb(["verify", "--root", str(tmp_path)], 60)
    assert report == {"sources": 0, "entries": 0, "rows": 0}


def test_an_error_keeps_its_class(tmp_path: Path) -> None:
    """A missing plan and a wrong verb arrive as what they are, with their sentence."""
    with pytest.raises(BadConfig, match=r"keqing\.toml is missing"):
        run_verb(["verify", "--root", str(tmp_path)], 60)
    with pytest.raises(UsageError, match="invalid choice"):
        run_verb(["dance"], 60)


def test_part_done_is_a_report(tmp_path: Path) -> None:
    """Exit 3 with a report is no error: its rows say what is left."""
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    (tmp_path / "a.csv").write_text("正文\n好\n  \n", encoding="utf-8")
    report = run_verb(["import", str(tmp_path / "a.csv"), "--root", str(tmp_path)], 60)
    assert (report["landed"], report["part"]) == (1, True)


def test_a_verb_that_runs_too_long_is_ended(tmp_path: Path) -> None:
    """After the limit nothing of the verb is left, and the caller is told to repeat."""
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    with pytest.raises(DoneInPart, match="run it again"):
        run_verb(["status", "--root", str(tmp_path)], 0.05)


def test_a_stubborn_session_is_killed() -> None:
    """A child that ignores TERM, and its own child, are gone after the grace time."""
    code = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); print('up', flush=True);"
        "time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"up\n"
    end(child, grace_s=0.3)
    child.stdout.close()
    deadline = time.monotonic() + 5
    while group_alive(child.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not group_alive(child.pid)
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, signal.SIGCONT)
