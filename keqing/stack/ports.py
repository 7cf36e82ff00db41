"""Loopback ports of one checkout, drawn once and kept in var/ports.json.

In:  names, wanted numbers. Out: a number each; one that is taken is replaced by a free one.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path

from keqing.stack.kept import keep

HOST = "127.0.0.1"


def kept_ports(path: Path, wanted: Mapping[str, int]) -> dict[str, int]:
    """Ports by name: those of the last start where still free, then the wanted, then any."""
    kept: dict[str, int] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    taken: set[int] = set()
    for name, number in wanted.items():
        choice = next((n for n in (kept.get(name, 0), number) if n and is_free(n, taken)), None)
        kept[name] = choice or free_port(taken)
        taken.add(kept[name])
    keep(path, kept)
    return {name: kept[name] for name in wanted}


def is_free(port: int, taken: set[int]) -> bool:
    """Whether nobody listens there."""
    if port in taken:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def listens(port: int) -> bool:
    """Whether somebody answers there."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def free_port(taken: set[int]) -> int:
    """A port that nobody uses now."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            number: int = probe.getsockname()[1]
        if number not in taken:
            return number
