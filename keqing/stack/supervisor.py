"""Keeps a few processes running: starts them in order, restarts them, ends them all.

In:  Components. Out: their processes, each a session of its own, with logs in var/logs and pids in
var/run, so that a supervisor that was killed leaves nothing that its next start does not clear.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from keqing.errors import KeqingError, Unreachable
from keqing.logs import get_logger
from keqing.private import private_folder
from keqing.process import end, group_alive
from keqing.stack.kept import keep

BOOT_S = 300.0
STOP_S = 60.0
POLL_S = 0.2
MAX_RESTARTS, WITHIN_S = 5, 600.0
LOG_LINES = 20


@dataclass(frozen=True)
class Component:
    """One process: `ready` tells when the next one may start."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    ready: Callable[[], bool]


@dataclass
class _Running:
    component: Component
    process: subprocess.Popen[bytes]
    restarts: list[float] = field(default_factory=list)


class Supervisor:
    """Use as a context: everything started in it is gone when it ends."""

    def __init__(self, var: Path, stop: threading.Event) -> None:
        self._logs, self._pids, self._stop = var / "logs", var / "run", stop
        self._running: list[_Running] = []
        self._log = get_logger("supervisor")

    def __enter__(self) -> Supervisor:
        """Clear what a killed supervisor left."""
        for folder in (self._logs, self._pids):
            private_folder(folder)
        for path in sorted(self._pids.glob("*.json")):
            _clear(path)
        return self

    def __exit__(self, *_: object) -> None:
        """End every component, and wait for each."""
        for running in self._running:  # all at once: somebody waits for the last of them
            _signal(running.process.pid, signal.SIGTERM)
        for running in reversed(self._running):
            end(running.process, STOP_S)
            self._file(running.component).unlink(missing_ok=True)
        self._running.clear()

    def start(self, component: Component, boot_s: float = BOOT_S) -> None:
        """Start a component and wait until it is ready, or until a stop is asked for.

        Raises:
            Unreachable: it ended or was not ready in time; the last lines of its log are told.
        """
        running = _Running(component, self._spawn(component))
        self._running.append(running)
        deadline = time.monotonic() + boot_s
        while not self._stop.is_set() and not component.ready():
            if running.process.poll() is not None or time.monotonic() > deadline:
                raise Unreachable(f"{component.name} did not start:\n{self._tail(component)}")
            time.sleep(POLL_S)
        self._log.info("component ready", component=component.name)

    def watch(self) -> None:
        """Restart what exits until a stop is asked for.

        Raises:
            KeqingError: a component exited too often; the last lines of its log are told.
        """
        while not self._stop.wait(POLL_S):
            for running in self._running:
                if running.process.poll() is not None:
                    self._restart(running)

    def _restart(self, running: _Running) -> None:
        now, component = time.monotonic(), running.component
        running.restarts = [at for at in running.restarts if now - at < WITHIN_S]
        end(running.process, STOP_S)  # children of the one that is gone
        if len(running.restarts) >= MAX_RESTARTS:
            raise KeqingError(
                f"{component.name} exited {MAX_RESTARTS + 1} times:\n{self._tail(component)}"
            )
        self._log.warning("component exited", component=component.name)
        if self._stop.wait(min(2.0 ** len(running.restarts) - 1, 30.0)):
            return
        running.restarts.append(now)
        running.process = self._spawn(component)

    def _spawn(self, component: Component) -> subprocess.Popen[bytes]:
        with open(self._logs / f"{component.name}.log", "ab") as sink:
            process = subprocess.Popen(  # noqa: S603  # commands of our own
                list(component.command),
                env={**os.environ, **component.env},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )
        facts = {"pid": process.pid, "start": start_of(process.pid)}
        keep(self._file(component), facts)
        return process

    def _file(self, component: Component) -> Path:
        return self._pids / f"{component.name}.json"

    def _tail(self, component: Component) -> str:
        text = (self._logs / f"{component.name}.log").read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-LOG_LINES:])


def answers(url: str) -> bool:
    """Whether a page is served there."""
    try:
        return httpx.get(url, timeout=5.0, trust_env=False).is_success
    except httpx.TransportError:
        return False


def start_of(pid: int) -> str:
    """Start time of a process in clock ticks since boot, "" if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return stat.rpartition(")")[2].split()[19]


def _signal(pgid: int, sign: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pgid, sign)


def _clear(path: Path) -> None:
    """End the session that a file of a former run names, if it is still the same one."""
    facts = json.loads(path.read_text(encoding="utf-8"))
    pid, started = int(facts["pid"]), facts["start"]
    if started and start_of(pid) == started:
        _end_group(pid)
    path.unlink(missing_ok=True)


def _end_group(pgid: int) -> None:
    for sign, seconds in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(pgid, sign)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + seconds
        while group_alive(pgid) and time.monotonic() < deadline:
            time.sleep(POLL_S)
