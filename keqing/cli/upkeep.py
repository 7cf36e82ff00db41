"""Verb of the night: upkeep."""

from __future__ import annotations

import argparse

from keqing.cli.context import AddVerb, context, ledger, now, plain, show
from keqing.workflow import leases


def add_verbs(add: AddVerb) -> None:
    """Declare the verb of this file."""
    add("upkeep", _upkeep, "verify the landing, back up both databases", "keqing upkeep")


def _upkeep(args: argparse.Namespace) -> int:
    from keqing.stack.upkeep import upkeep

    ctx = context(args)
    owner = leases.this_process("upkeep")
    with leases.hold(ctx.engine, "upkeep", owner, now), ledger(ctx, "upkeep") as report:
        report.update(plain(upkeep(ctx.settings, ctx.engine, now())))
    show(args, report)
    return 0
