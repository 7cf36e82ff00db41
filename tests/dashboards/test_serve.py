"""The process: a port of its own, a clean end, and accounts from the command line."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboards.run import is_loopback, serve
from keqing.cli import serve as verbs
from keqing.cli.context import now
from keqing.errors import BadConfig, UsageError
from keqing.settings import load_settings
from keqing.workflow import accounts, sessions, trail
from keqing.workflow.db import begin, open_workflow

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import sys
from pathlib import Path
from dashboards.run import serve
from keqing.cli.context import now
from keqing.settings import load_settings
serve(load_settings(Path(sys.argv[1]), env={}), "127.0.0.1", 0, now)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An installation that was never used."""
    shutil.copy(ROOT / "keqing.toml", tmp_path)
    return tmp_path


def call(root: Path, *words: str) -> int:
    """One verb of this file, as the command line calls it."""
    parser = argparse.ArgumentParser()
    subs = parser.add_subparsers()

    def add(name: str, run: Any, about: str, example: str) -> argparse.ArgumentParser:
        verb = subs.add_parser(name)
        verb.add_argument("--root", type=Path)
        verb.add_argument("--json", action="store_true")
        verb.set_defaults(call=run)
        return verb

    verbs.add_verbs(add)
    args = parser.parse_args([*words, "--root", str(root), "--json"])
    code: int = args.call(args)
    return code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(root: Path, number: signal.Signals) -> None:
    """It answers on the port it kept, ends with 0 within seconds, and takes that port again."""
    ports = []
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", RUN, str(root)], cwd=ROOT)
        try:
            ports.append(_answers(root))
            process.send_signal(number)
            assert process.wait(15) == 0
        finally:
            process.kill()
            process.wait()
    assert ports[0] == ports[1]


def test_plain_http_stays_on_this_machine(root: Path) -> None:
    """Another host without an https address is refused, with what to do."""
    with pytest.raises(BadConfig, match="base_url"):
        serve(load_settings(root, env={}), "192.0.2.1", 0, now)
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")


def test_accounts_from_the_command_line(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """first works once, add and reset print one password, list prints none, all are audited."""
    assert call(root, "account", "first") == 0
    first = json.loads(capsys.readouterr().out)
    assert call(root, "account", "first") == 0
    assert "one_time_password" not in json.loads(capsys.readouterr().out)
    assert call(root, "account", "add", "wang", "--role", "responder", "--brand", "lian") == 0
    added = json.loads(capsys.readouterr().out)["one_time_password"]
    with begin(open_workflow(load_settings(root, env={}))) as tx:
        token = sessions.start(tx, "admin", "127.0.0.1", now())
    assert call(root, "account", "reset", "admin") == 0
    reset = json.loads(capsys.readouterr().out)["one_time_password"]
    assert len({first["one_time_password"], added, reset}) == 3
    assert call(root, "account", "list") == 0
    assert json.loads(capsys.readouterr().out) == {"admin": "admin *", "wang": "responder lian"}
    with begin(open_workflow(load_settings(root, env={}))) as tx:
        assert sessions.user_of(tx, token, now()) is None
        found = accounts.credential(tx, "admin")
        assert accounts.verify(found, reset)
        assert not accounts.verify(found, first["one_time_password"])
        assert [row.what for row in trail.newest(tx)] == [
            "account reset",
            "account add",
            "account first",
        ]


@pytest.mark.parametrize("words", [("add",), ("reset", "nobody"), ("add", "x", "--role", "boss")])
def test_what_cannot_be_meant_is_refused(root: Path, words: tuple[str, ...]) -> None:
    """A missing name, an unknown account, an unknown role."""
    with pytest.raises(UsageError):
        call(root, "account", *words)


def _answers(root: Path) -> int:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            port = int(json.loads((root / "var" / "ports.json").read_text())["dashboards"])
            if httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2).status_code == 200:
                return port
        except (OSError, httpx.HTTPError):
            time.sleep(0.2)
    raise AssertionError("the pages did not answer within 30 s")
