"""What `up` and `demo` share: one system a folder, its city, and a signal that ends it.

In:  arguments. Out: a Context whose cards know the city's addresses, the supervisor that holds its
processes, the event that a signal sets. Everything started is gone when the block ends.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from keqing.cli.context import Context, context, now
from keqing.errors import LeaseHeld
from keqing.settings import Settings
from keqing.stack.ports import listens
from keqing.stack.stop import Stop
from keqing.stack.supervisor import Component, Supervisor
from keqing.workflow import leases

SEED = "7"
CITY_BOOT_S = 60.0


@dataclass(frozen=True)
class System:
    """A running system; SIGINT and SIGTERM ask its `stop`."""

    ctx: Context
    supervisor: Supervisor
    stop: Stop


@contextmanager
def running(args: argparse.Namespace) -> Iterator[System]:
    """Start the city if the plan uses it; end all at the end of the block.

    Raises:
        LeaseHeld: another `up` or `demo` is at work in this folder; it would lose its city.
    """
    ctx, stop = context(args), Stop()
    stop.listen()
    with _alone(ctx), Supervisor(ctx.settings.var, stop.asked) as supervisor:
        if ctx.settings.plan.demo:
            supervisor.start(_city(ctx.settings), CITY_BOOT_S)
        yield System(context(args), supervisor, stop)  # again: the city has written its addresses


@contextmanager
def _alone(ctx: Context) -> Iterator[None]:
    owner = leases.this_process("system")
    with ExitStack() as held:
        try:
            held.enter_context(leases.hold(ctx.engine, "system", owner, now))
        except LeaseHeld as error:
            raise LeaseHeld(
                f"another keqing up or demo runs in this folder, stop it first ({error})"
            ) from error
        yield


def _city(settings: Settings) -> Component:
    command = [sys.executable, "-m", "demo", "--var", str(settings.var), "--seed", SEED]
    return Component("city", command, {}, lambda: _answers(settings.var / "city.json"))


def _answers(path: Path) -> bool:
    if not path.exists():
        return False
    ports: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))["ports"]
    return all(listens(port) for port in ports.values())
