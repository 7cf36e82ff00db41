"""`keqing up` with the real scheduler: a run by hand walks the line; a signal ends everything."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from keqing.process import group_alive
from keqing.settings import load_settings
from keqing.stack.airflow import PORTS, Rest
from keqing.stack.ports import Claims, kept_ports
from keqing.workflow import db, runs

ROOT = Path(__file__).resolve().parents[2]
BOOT_S = 420.0
# one stack after the other: two boot five times as slowly on two cores
pytestmark = [pytest.mark.end_to_end, pytest.mark.xdist_group("airflow")]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A plan without the city: what is to be scored comes from a file; ports of its own."""
    plan = (ROOT / "keqing.toml").read_text(encoding="utf-8").partition("\n[watch]")[0]
    plan = plan.replace("demo = true", "demo = false")
    (tmp_path / "keqing.toml").write_text(plan, encoding="utf-8")
    with Claims() as claims:
        kept_ports(
            tmp_path / "var" / "ports.json", dict.fromkeys(["dashboards", *PORTS], 0), claims
        )
    return tmp_path


@pytest.fixture
def system(root: Path) -> Iterator[subprocess.Popen[str]]:
    up = subprocess.Popen(
        [sys.executable, "-m", "keqing", "up", "--root", str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield up
    if up.poll() is None:
        up.kill()
    up.communicate()


def wait_for(process: subprocess.Popen[str], words: str) -> str:
    """Everything said until then."""
    if process.stdout is None:
        raise RuntimeError("no output to read")
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    raise RuntimeError(f"ended before it said {words!r}")


def sign_in(said: str) -> httpx.Response:
    """Sign in at the address and with the password that were printed."""
    address = re.search(r"看板 (http://[\d.:]+)", said)
    entrance = re.search(r"登录 (\S+)  一次性密码 (\S+)", said)
    assert address is not None
    assert entrance is not None
    with httpx.Client(base_url=address[1], trust_env=False) as browser:
        token = re.search(r'name="csrf" value="(\w+)"', browser.get("/login").text)
        assert token is not None
        words = {"name": entrance[1], "password": entrance[2], "csrf": token[1]}
        return browser.post("/login", data=words)


def loaded(root: Path) -> int:
    with db.begin(db.open_workflow(load_settings(root, env={}))) as tx:
        return sum(run.counts.get("created", 0) for run in runs.last(tx, "load"))


def test_the_scheduler_runs_the_line(root: Path, system: subprocess.Popen[str]) -> None:
    """A post that lands while Airflow is up is in the index after a run; TERM leaves nothing."""
    said = wait_for(system, "Ctrl-C")
    for words in ("采集 (帖文 / 新增)", "负面提及", "预警", "Airflow http://127.0.0.1:"):
        assert words in said
    entered = sign_in(said)
    assert (entered.status_code, entered.headers["location"]) == (303, "/account")
    (root / "a.csv").write_text("id,正文\n1,木槿壶真好喝\n", encoding="utf-8")
    take = [sys.executable, "-m", "keqing", "import", str(root / "a.csv"), "--root", str(root)]
    subprocess.run(take, check=True, capture_output=True)
    ports = json.loads((root / "var" / "ports.json").read_text())
    passwords = json.loads((root / "var" / "passwords.json").read_text())
    rest = Rest(f"http://127.0.0.1:{ports['airflow']}", "ops", passwords["ops"])
    run = rest.trigger("listen")
    deadline = time.monotonic() + BOOT_S
    while rest.state("listen", run) not in ("success", "failed") and time.monotonic() < deadline:
        time.sleep(0.5)
    assert rest.state("listen", run) == "success"
    assert loaded(root) == 1
    pids = [json.loads(p.read_text())["pid"] for p in (root / "var" / "run").glob("*.json")]
    assert len(pids) == 4
    system.send_signal(signal.SIGTERM)
    assert system.wait(90) == 0
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.killpg(pid, 0)
    for port in (ports["airflow"], ports["airflow-health"], ports["dashboards"]):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert list((root / "var" / "run").iterdir()) == []


def test_the_start_after_a_kill_is_clean(root: Path) -> None:
    """kill -9 of `keqing up`: the next start ends what it left, takes the same ports, and runs."""
    command = [sys.executable, "-m", "keqing", "up", "--root", str(root)]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    wait_for(first, "Ctrl-C")
    left = [json.loads(p.read_text())["pid"] for p in (root / "var" / "run").glob("*.json")]
    ports = json.loads((root / "var" / "ports.json").read_text())
    first.kill()
    first.communicate()
    second = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        wait_for(second, "Ctrl-C")
        assert json.loads((root / "var" / "ports.json").read_text()) == ports
        assert not any(group_alive(pid) for pid in left)
    finally:
        second.send_signal(signal.SIGINT)
        second.communicate(timeout=90)
    assert second.returncode == 0
    assert list((root / "var" / "run").iterdir()) == []
