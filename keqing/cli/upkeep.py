"""Verbs of the night and the morning: upkeep, digest, replay."""

from __future__ import annotations

import argparse
from pathlib import Path

from keqing.cli.context import AddVerb, context, ledger, now, plain, show
from keqing.workflow import leases


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this file."""
    add("upkeep", _upkeep, "verify the landing, back up both databases", "keqing upkeep")
    add("digest", _digest, "queue the daily report; notify sends it", "keqing digest")
    again = add("replay", _replay, "the landing again, is it the same?", "keqing replay var/again")
    again.add_argument("into", type=Path, help="a new folder")


def _upkeep(args: argparse.Namespace) -> int:
    from keqing.stack.upkeep import upkeep

    ctx = context(args)
    owner = leases.this_process("upkeep")
    with leases.hold(ctx.engine, "upkeep", owner, now), ledger(ctx, "upkeep") as entry:
        entry.report.update(plain(upkeep(ctx.settings, ctx.engine, now())))
    show(args, entry.report)
    return 0


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
    report = replay(ctx.settings, ctx.engine, args.into.resolve(), now())
    show(args, report)
    return 0 if report.index_equal and not report.different else 1
