"""The demo city as a child process of a verb.

In:  settings. Out: running sites whose addresses stand in var/city.json, until the block ends.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from keqing.errors import Unreachable
from keqing.process import end
from keqing.settings import Settings

CITY_BOOT_S = 60.0
SEED = "7"


@contextmanager
def city_running(settings: Settings) -> Iterator[None]:
    """The demo city as a child process, until the block ends."""
    command = [sys.executable, "-m", "demo", "--var", str(settings.var), "--seed", SEED]
    settings.var.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = settings.var / "logs" / "city.log"
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(log, "ab") as sink:
        city = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            command, stdout=sink, stderr=sink, start_new_session=True
        )
    try:
        _await_city(settings.var / "city.json", city, log)
        yield
    finally:
        end(city)


def _await_city(path: Path, city: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + CITY_BOOT_S
    while time.monotonic() < deadline:
        if city.poll() is not None:
            break
        if path.exists():
            sites = json.loads(path.read_text(encoding="utf-8"))["sites"]
            if all(_answers(address) for address in sites.values()):
                return
        time.sleep(0.1)
    raise Unreachable(f"the demo city did not start; the reason stands at the end of {log}")


def _answers(address: str) -> bool:
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), timeout=1).close()
    except OSError:
        return False
    return True
