"""Verbs of the night and the morning: upkeep, digest, replay."""

from __future__ import annotations

import argparse
import os
from datetime import date
from pathlib import Path

from keqing.cli.context import AddVerb, Context, Entry, context, ledger, now, plain, show
from keqing.workflow import leases


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this file."""
    add("upkeep", _upkeep, "verify, back up, drop what is old, examine", "keqing upkeep")
    add("digest", _digest, "queue the daily report; notify sends it", "keqing digest")
    again = add("replay", _replay, "the landing again, is it the same?", "keqing replay var/again")
    again.add_argument("into", type=Path, help="a new folder")
    again.add_argument("--day", type=date.fromisoformat, help="only what was scored on this day")


def _upkeep(args: argparse.Namespace) -> int:
    from keqing.stack.upkeep import upkeep

    ctx = context(args)
    owner = leases.this_process("upkeep")
    with leases.hold(ctx.engine, "upkeep", owner, now), ledger(ctx, "upkeep") as entry:
        entry.report.update(plain(upkeep(ctx.settings, ctx.engine, now())))
        entry.report["doctor_failed"] = _examined(ctx, entry)
    show(args, entry.report)
    return 3 if entry.report["doctor_failed"] else 0


def _examined(ctx: Context, entry: Entry) -> int:
    """How many checks of the doctor fail tonight; the operator is told which."""
    from alerts.ops import trouble
    from keqing.stack.doctor import examine
    from keqing.stack.findings import State
    from keqing.stack.place import Place

    report = examine(Place(ctx.settings.root, os.environ))
    bad = [f"{line.name}: {line.found}" for line in report.checks if line.state is State.FAIL]
    if bad:
        entry.outcome, entry.detail = "part", "; ".join(bad)
        trouble(ctx.settings, ctx.engine, "doctor", "failed", "\n".join(bad), now())
    return len(bad)


def _digest(args: argparse.Namespace) -> int:
    from alerts.digest import digest

    ctx = context(args)
    owner = leases.this_process("digest")
    with leases.hold(ctx.engine, "digest", owner, now), ledger(ctx, "digest") as entry:
        entry.report.update(plain(digest(ctx.settings, ctx.engine, ctx.index, now())))
    show(args, entry.report)
    return 0


def _replay(args: argparse.Namespace) -> int:
    from keqing.stack.replay import replay

    ctx = context(args)
    report = replay(ctx.settings, ctx.engine, args.into.resolve(), now(), args.day)
    show(args, report)
    return 1 if report.different or report.index_equal is False else 0
