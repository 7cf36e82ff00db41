"""`python -m demo --var DIR`: run the city until it is told to stop.

DIR/city.json keeps seed, T0 and ports, so that a second start is the same city. DIR/city/ gets the files
of the remote-channel desk as of the start, to be imported.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demo.city import City
from demo.desk import files
from keqing.private import private_folder

BEGAN_BEFORE = timedelta(hours=3)


def main() -> None:
    """Start the sites, write their addresses, wait for a signal."""
    parser = argparse.ArgumentParser(prog="python -m demo")
    parser.add_argument("--var", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--t0", type=datetime.fromisoformat, help="begin of the crisis, with zone")
    args = parser.parse_args()
    path = args.var / "city.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    seed = int(kept.get("seed", args.seed))
    t0 = args.t0 or datetime.fromisoformat(kept["t0"]) if kept or args.t0 else _now() - BEGAN_BEFORE
    city = City(seed, t0, _now, kept.get("ports"))
    ports = {
        name: int(address.rstrip("/").rsplit(":", 1)[1]) for name, address in city.sites.items()
    }
    _write(path, {"seed": seed, "t0": t0.isoformat(), "ports": ports, "sites": city.sites})
    for name, body in files(seed, t0, _now()).items():
        _put(args.var / "city" / name, body)
    city.start()
    stopped = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stopped.set())
    stopped.wait()
    city.stop()


def _now() -> datetime:
    return datetime.now(UTC)


def _write(path: Path, value: object) -> None:
    _put(path, json.dumps(value, ensure_ascii=False, indent=1).encode())


def _put(path: Path, body: bytes) -> None:
    private_folder(path.parent)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_bytes(body)
    os.replace(aside, path)


if __name__ == "__main__":
    main()
