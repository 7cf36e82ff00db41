"""The supervisor leaves nothing behind; secrets and ports are kept."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from keqing.errors import KeqingError, Unreachable
from keqing.process import group_alive
from keqing.stack.kept import keep
from keqing.stack.ports import Claims, kept_ports
from keqing.stack.secrets import NAMES, airflow_passwords, airflow_secrets
from keqing.stack.supervisor import Component, Supervisor, start_of


def stand_in(name: str, code: str, sign: Path) -> Component:
    """A process that runs `code`; ready when `sign` is there."""
    return Component(name, [sys.executable, "-c", code], {}, sign.exists)


def sleeper(tmp_path: Path, name: str = "sleeper") -> Component:
    sign = tmp_path / f"{name}.up"
    code = f"import pathlib, time; pathlib.Path({str(sign)!r}).touch(); time.sleep(60)"
    return stand_in(name, code, sign)


def pid_of(tmp_path: Path, name: str) -> int:
    return int(json.loads((tmp_path / "run" / f"{name}.json").read_text())["pid"])


def test_nothing_is_left(tmp_path: Path) -> None:
    """When the block ends, also by an error, every process started in it is gone."""
    pids = []

    def interrupted() -> None:
        with Supervisor(tmp_path, threading.Event()) as one:
            for name in ("a", "b"):
                one.start(sleeper(tmp_path, name))
                pids.append(pid_of(tmp_path, name))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    assert not any(group_alive(pid) for pid in pids)
    assert list((tmp_path / "run").iterdir()) == []


def test_what_does_not_start_says_why(tmp_path: Path) -> None:
    """A component that ends at once is an error with the last lines of its log."""
    broken = stand_in("broken", "raise SystemExit('no such table')", tmp_path / "never")
    with (
        Supervisor(tmp_path, threading.Event()) as one,
        pytest.raises(Unreachable, match="no such table"),
    ):
        one.start(broken)


def test_a_stop_ends_the_wait(tmp_path: Path) -> None:
    """A stop asked for while a component boots is obeyed at once."""
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with Supervisor(tmp_path, stop) as one:
        one.start(stand_in("slow", "import time; time.sleep(60)", tmp_path / "never"))
        slow = pid_of(tmp_path, "slow")
        one.watch()
    assert not group_alive(slow)


def test_what_exits_is_restarted(tmp_path: Path) -> None:
    """A component that was killed comes back; one that exits at once again and again ends all."""
    stop = threading.Event()
    with Supervisor(tmp_path, stop) as one:
        one.start(sleeper(tmp_path))
        first = pid_of(tmp_path, "sleeper")
        watcher = threading.Thread(target=one.watch)
        watcher.start()
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while pid_of(tmp_path, "sleeper") == first and time.monotonic() < deadline:
            time.sleep(0.05)
        second = pid_of(tmp_path, "sleeper")
        stop.set()
        watcher.join()
    assert second != first
    assert not group_alive(second)


def test_a_component_that_keeps_failing_ends_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the allowed restarts the supervisor gives up and says whose fault it was."""
    monkeypatch.setattr("keqing.stack.supervisor.MAX_RESTARTS", 1)
    sign = tmp_path / "up"
    code = f"import pathlib, time; pathlib.Path({str(sign)!r}).touch(); time.sleep(0.6); raise SystemExit('bad')"
    with Supervisor(tmp_path, threading.Event()) as one:
        one.start(stand_in("flaky", code, sign))
        with pytest.raises(KeqingError, match="flaky exited 2 times"):
            one.watch()


def test_a_killed_supervisor_is_cleared_at_the_next_start(tmp_path: Path) -> None:
    """Its components live on; the next one ends them, and no stranger with a reused pid."""
    old = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True
    )
    stranger = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True
    )
    (tmp_path / "run").mkdir()
    for name, pid, start in (("old", old.pid, start_of(old.pid)), ("new", stranger.pid, "1")):
        (tmp_path / "run" / f"{name}.json").write_text(json.dumps({"pid": pid, "start": start}))
    threading.Thread(target=old.wait).start()  # reap it as init would
    with Supervisor(tmp_path, threading.Event()):
        pass
    assert old.wait(10) == -signal.SIGTERM
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_secrets_are_drawn_once_and_private(tmp_path: Path) -> None:
    """The second start has the same secrets; files are the owner's; the environment wins."""
    first = airflow_secrets(tmp_path, {})
    assert airflow_secrets(tmp_path, {}) == first
    assert set(first) == set(NAMES)
    assert airflow_secrets(tmp_path, {NAMES[0]: "given"})[NAMES[0]] == "given"
    assert airflow_passwords(tmp_path) == airflow_passwords(tmp_path)
    files = [*(tmp_path / "secrets").iterdir(), tmp_path / "passwords.json"]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_a_taken_port_is_replaced_and_kept(tmp_path: Path) -> None:
    """A port in use gives way to a free one, which the next start takes again."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with Claims() as claims:
            first = kept_ports(tmp_path / "ports.json", {"api": taken, "health": taken}, claims)
        assert taken not in first.values()
        assert len(set(first.values())) == 2
    with Claims() as claims:
        again = kept_ports(tmp_path / "ports.json", {"api": taken, "health": taken}, claims)
    assert again == first


DRAW = """
import sys
from pathlib import Path
from keqing.stack.ports import Claims, kept_ports
with Claims() as claims:
    sys.stdin.readline()
    ports = kept_ports(Path(sys.argv[1]), {"a": 28080, "b": 28081, "c": 0, "d": 0}, claims)
    print(*ports.values(), flush=True)
    sys.stdin.readline()
"""


def test_systems_that_start_together_draw_other_ports(tmp_path: Path) -> None:
    """Six processes draw the same wanted numbers at one moment, before anybody listens."""
    command = [sys.executable, "-c", DRAW]
    drawing = [
        subprocess.Popen(
            [*command, str(tmp_path / f"{n}.json")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(6)
    ]
    pipes = [(one.stdin, one.stdout) for one in drawing if one.stdin and one.stdout]
    for sink, _ in pipes:
        sink.write("go\n")
        sink.flush()
    drawn = [number for _, source in pipes for number in source.readline().split()]
    for one in drawing:
        one.communicate("end\n")
    assert len(drawn) == len(set(drawn)) == 24


def test_a_claim_ends_with_its_process(tmp_path: Path) -> None:
    """kill -9 of who drew a port, before he listened, gives it back."""
    path = tmp_path / "ports.json"
    one = subprocess.Popen(
        [sys.executable, "-c", DRAW, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if one.stdin is None or one.stdout is None:
        raise RuntimeError("no pipes")
    one.stdin.write("go\n")
    one.stdin.flush()
    drawn = int(one.stdout.readline().split()[2])
    with Claims() as claims:
        assert not claims.take(drawn)
        one.kill()
        one.communicate()
        assert claims.take(drawn)


def test_a_reader_finds_a_whole_file(tmp_path: Path) -> None:
    """While a fact is written again and again, every reading of it is the old or the new one."""
    path, done, seen = tmp_path / "fact.json", threading.Event(), set()
    keep(path, {"n": 0, "filler": "x" * 5000})

    def read() -> None:
        while not done.is_set():
            seen.add(json.loads(path.read_text())["n"] >= 0)

    reader = ThreadPoolExecutor(1)
    reading = reader.submit(read)
    for n in range(500):
        keep(path, {"n": n, "filler": "x" * 5000})
    done.set()
    reading.result(10)
    reader.shutdown()
    assert seen == {True}
    assert [p.name for p in tmp_path.iterdir()] == ["fact.json"]
