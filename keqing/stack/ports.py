"""Loopback ports of one checkout, drawn once and kept in var/ports.json.

In:  names, wanted numbers, Claims. Out: a number each; one that is taken is replaced by a free one.
Drawing is one step among all systems of a machine: a number that is drawn and not yet listened on is
claimed by the name of a socket, which the kernel gives to one process and takes back at its end.
"""

from __future__ import annotations

import errno
import json
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from keqing.stack.kept import keep

HOST = "127.0.0.1"


class Claims:
    """Port numbers that no other system draws while this is open; use it as a context.

    Linux: an abstract socket name lives in the same network namespace as the port. Elsewhere numbers
    are told apart within this process only, as the supervisor runs on Linux.
    """

    def __init__(self) -> None:
        self._held: dict[int, socket.socket | None] = {}

    def __enter__(self) -> Self:
        """The claims themselves."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give all numbers back; who listens by now holds them himself."""
        for name in self._held.values():
            if name is not None:
                name.close()
        self._held.clear()

    def take(self, port: int) -> bool:
        """Claim a number that nobody listens on; False if it is somebody's, also if it is ours."""
        if port in self._held:
            return False
        name = _named(port)
        if name is None and sys.platform == "linux":
            return False
        self._held[port] = name
        if is_free(port):
            return True
        self._give_back(port)
        return False

    def _give_back(self, port: int) -> None:
        name = self._held.pop(port)
        if name is not None:
            name.close()


def kept_ports(path: Path, wanted: Mapping[str, int], claims: Claims) -> dict[str, int]:
    """Ports by name: those of the last start where still free, then the wanted, then any.

    They are this system's as long as `claims` is open.
    """
    kept: dict[str, int] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name, number in wanted.items():
        first = (n for n in (kept.get(name, 0), number) if n and claims.take(n))
        kept[name] = next(first, 0) or free_port(claims)
    keep(path, kept)
    return {name: kept[name] for name in wanted}


def is_free(port: int) -> bool:
    """Whether nobody listens there."""
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


def free_port(claims: Claims) -> int:
    """A port that nobody uses now and no other system draws."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            number: int = probe.getsockname()[1]
        if claims.take(number):
            return number


def _named(port: int) -> socket.socket | None:
    """The socket whose name is the claim; None if another process has it."""
    if sys.platform != "linux":
        return None
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0keqing-port-{port}")
    except OSError as error:
        name.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise
    return name
