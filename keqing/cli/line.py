"""Verbs of the line after collection: score, load, check, notify; each takes what is not done yet."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from typing import Any

from keqing.cli.context import AddVerb, Context, context, ledger, now, opened, plain, show
from keqing.workflow import leases


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this file."""
    score = add("score", _score, "understand what landed, or bare lines", "keqing score --in -")
    score.add_argument("--in", dest="infile", help="JSON lines {id, text}; - is stdin")
    score.add_argument("--out", dest="outfile", default="-", help="default stdout")
    score.add_argument("--as", dest="beside", metavar="NAME",
                       help="score a window again beside what stands, into var/beside/NAME")  # fmt: skip
    score.add_argument("--window", help="SINCE/UNTIL, ISO, by time of scoring (default: 7 days)")
    add("load", _load, "bring what was scored into the index", "keqing load")
    add("check", _check, "detect, open and update alerts", "keqing check")
    add("notify", _notify, "send what waits in the outbox", "keqing notify")


def score_once(ctx: Context) -> dict[str, Any]:
    """Understand everything that landed."""
    from nlp.run import score

    owner = leases.this_process("score")
    with leases.hold(ctx.engine, "score", owner, now), ledger(ctx, "score") as entry:
        entry.report.update(plain(score(ctx.settings, ctx.engine, now())))
        if unreadable := entry.report["unreadable"]:
            entry.outcome, entry.detail = "part", "; ".join(unreadable.values())
    return entry.report


def load_once(ctx: Context) -> dict[str, Any]:
    """Index everything that was scored."""
    from index.run import load

    with ledger(ctx, "load") as entry:
        entry.report.update(plain(load(ctx.settings, ctx.engine, now())))
    return entry.report


def check_once(ctx: Context) -> dict[str, Any]:
    """Look for alerts in everything that was loaded."""
    from alerts.run import check

    owner = leases.this_process("check")
    with leases.hold(ctx.engine, "check", owner, now), ledger(ctx, "check") as entry:
        entry.report.update(plain(check(ctx.settings, ctx.engine, ctx.index, now())))
    return entry.report


def notify_once(ctx: Context) -> dict[str, Any]:
    """Send what waits."""
    from alerts.run import notify

    owner = leases.this_process("notify")
    with leases.hold(ctx.engine, "notify", owner, now), ledger(ctx, "notify") as entry:
        entry.report.update(plain(notify(ctx.settings, ctx.engine, now())))
    return entry.report


def _score(args: argparse.Namespace) -> int:
    if args.beside:
        from keqing.cli.beside import score_as

        return score_as(args)
    ctx = context(args)
    if args.infile:
        return _score_lines(args, ctx)
    report = score_once(ctx)
    show(args, report)
    return 3 if report["unreadable"] else 0


def _score_lines(args: argparse.Namespace, ctx: Context) -> int:
    from nlp.run import score_lines

    with ExitStack() as stack:
        source = sys.stdin if args.infile == "-" else stack.enter_context(opened(args.infile, "r"))
        sink = sys.stdout if args.outfile == "-" else stack.enter_context(opened(args.outfile, "w"))
        for row in score_lines(ctx.settings, source):
            print(json.dumps(row, ensure_ascii=False), file=sink)
    return 0


def _load(args: argparse.Namespace) -> int:
    report = load_once(context(args))
    show(args, report)
    return 3 if report["rejected"] else 0


def _check(args: argparse.Namespace) -> int:
    show(args, check_once(context(args)))
    return 0


def _notify(args: argparse.Namespace) -> int:
    report = notify_once(context(args))
    show(args, report)
    return 3 if report["failed"] else 0
