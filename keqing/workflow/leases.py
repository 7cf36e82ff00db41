"""Leases: one stage at a time, over processes and machines.

In:  the engine, a name (`score`, `check`, `notify`), an owner, a clock.
Out: a context; a second holder gets LeaseHeld with the owner's name. A lease of a dead process on
this host is taken at once, any other after 60 s without renewal.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Column, Engine, String, Table, delete, select

from keqing.errors import KeqingError, LeaseHeld
from keqing.logs import get_logger
from keqing.workflow.db import METADATA, Tx, UtcTime, begin

LIFE = timedelta(seconds=60)
RENEW_S = 20.0
log = get_logger(__name__)

LEASES = Table(
    "leases",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("owner", String(256), nullable=False),
    Column("until", UtcTime, nullable=False),
)


def this_process(role: str) -> str:
    """Owner text of the calling process: `<host>|<pid>|<start>|<role>`."""
    pid = os.getpid()
    return f"{_host()}|{pid}|{_start_of(pid)}|{role}"


@contextmanager
def hold(engine: Engine, name: str, owner: str, now_fn: Callable[[], datetime]) -> Iterator[None]:
    """Hold the lease `name` while the block runs, renewing it every 20 s.

    Raises:
        LeaseHeld: somebody alive has it.
    """
    _take(engine, name, owner, now_fn())
    ended = threading.Event()
    renewer = threading.Thread(
        target=_renew, args=(engine, name, owner, now_fn, ended), daemon=True
    )
    renewer.start()
    try:
        yield
    finally:
        ended.set()
        renewer.join()
        with begin(engine) as tx:
            tx.execute(delete(LEASES).where(LEASES.c.name == name, LEASES.c.owner == owner))


def alive(tx: Tx, now: datetime) -> list[str]:
    """Names of the leases that somebody holds now."""
    rows = tx.execute(select(LEASES).where(LEASES.c.until > now).order_by(LEASES.c.name))
    return [row.name for row in rows if not _is_dead(row.owner)]


def _take(engine: Engine, name: str, owner: str, now: datetime) -> None:
    with begin(engine) as tx:
        row = tx.execute(select(LEASES).where(LEASES.c.name == name)).first()
        if row is not None and row.until > now and not _is_dead(row.owner):
            raise LeaseHeld(
                f"{name}: {row.owner} is at work until {row.until:%H:%M:%S}; wait for it"
            )
        tx.execute(delete(LEASES).where(LEASES.c.name == name))
        tx.execute(LEASES.insert().values(name=name, owner=owner, until=now + LIFE))


def _renew(
    engine: Engine,
    name: str,
    owner: str,
    now_fn: Callable[[], datetime],
    ended: threading.Event,
) -> None:
    while not ended.wait(RENEW_S):
        try:
            with begin(engine, RENEW_S) as tx:
                mine = LEASES.c.name == name, LEASES.c.owner == owner
                tx.execute(LEASES.update().where(*mine).values(until=now_fn() + LIFE))
        except KeqingError as error:  # a server that restarts: the next round may be in time
            log.warning("lease not renewed", name=name, error=str(error))


def _is_dead(owner: str) -> bool:
    host, _, rest = owner.partition("|")
    pid, _, rest = rest.partition("|")
    started = rest.partition("|")[0]
    return host == _host() and pid.isdigit() and _start_of(int(pid)) != started


def _host() -> str:
    """Where a pid means something: containers may share a host's name and have pids of their own."""
    try:
        return f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def _start_of(pid: int) -> str:
    """Start time of a process in clock ticks since boot, or "" if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return stat.rpartition(")")[2].split()[19]
