"""Who listens on a port of this machine: the supervisor's processes or somebody else (Linux).

In:  var/run, port numbers. Out: ids of sessions; a component and its children are one session.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from keqing.stack.supervisor import start_of

LISTENS = "0A"


def our_sessions(folder: Path) -> set[int]:
    """Sessions that the supervisor of this `var/run` started and that are still the same."""
    facts = [json.loads(p.read_text(encoding="utf-8") or "{}") for p in folder.glob("*.json")]
    live = (f for f in facts if f.get("start") and start_of(int(f["pid"])) == f["start"])
    return {int(fact["pid"]) for fact in live}


def sessions_at(port: int) -> set[int]:
    """Sessions of the processes that listen on an IPv4 port, as far as we may see them."""
    table = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    rows = [row.split() for row in table]
    sockets = {
        f"socket:[{row[9]}]"
        for row in rows
        if row[3] == LISTENS and int(row[1].rpartition(":")[2], 16) == port
    }
    return {
        session
        for folder in Path("/proc").glob("[0-9]*")
        if sockets & _files(folder) and (session := _session(int(folder.name)))
    }


def _files(process: Path) -> set[str]:
    """What its open files are; none for a process that ended or is another user's."""
    found = set()
    try:
        for entry in (process / "fd").iterdir():
            found.add(_target(entry))
    except OSError:
        return found
    return found


def _target(entry: Path) -> str:
    try:
        return os.readlink(entry)
    except OSError:  # closed meanwhile
        return ""


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0
