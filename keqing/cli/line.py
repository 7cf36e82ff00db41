"""Verbs of the line: due, crawl, score, load, check, notify, and `demo`, one pass of them all."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from keqing.cli.context import Context, context, ledger, now, opened, plain, show
from keqing.settings import SourceCard
from keqing.workflow import db, leases, runs

AddVerb = Callable[[str, Callable[[argparse.Namespace], int], str, str], argparse.ArgumentParser]


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this file."""
    add("due", _due, "sources whose next visit is due", "keqing due --json")
    crawl = add("crawl", _crawl, "visit one source once", "keqing crawl demo-weibo")
    crawl.add_argument("source")
    score = add("score", _score, "understand what landed, or bare lines", "keqing score --in - ")
    score.add_argument("--in", dest="infile", help="JSON lines {id, text}; - is stdin")
    score.add_argument("--out", dest="outfile", default="-", help="default stdout")
    add("load", _load, "bring what was scored into the index", "keqing load")
    add("check", _check, "detect, open and update alerts", "keqing check")
    add("notify", _notify, "send what waits in the outbox", "keqing notify")


def watched(ctx: Context) -> list[SourceCard]:
    """Cards that the plan has targets on, in the order of the plan."""
    names = dict.fromkeys(target.source for target in ctx.settings.plan.watch.target)
    return [ctx.settings.cards[name] for name in names]


def crawl_once(ctx: Context, source: str) -> tuple[dict[str, Any], int]:
    """One crawl in this process (Scrapy's reactor runs once a process); report and exit code."""
    from crawlers.run import crawl

    report = crawl(ctx.settings, source, now())
    return plain(report), report.exit_code


def score_once(ctx: Context) -> dict[str, Any]:
    """Understand everything that landed."""
    from nlp.run import score

    owner = leases.this_process("score")
    with leases.hold(ctx.engine, "score", owner, now), ledger(ctx, "score") as report:
        report.update(plain(score(ctx.settings, ctx.engine, now())))
    return report


def load_once(ctx: Context) -> dict[str, Any]:
    """Index everything that was scored."""
    from index.run import load

    with ledger(ctx, "load") as report:
        report.update(plain(load(ctx.settings, ctx.engine, now())))
    return report


def check_once(ctx: Context) -> dict[str, Any]:
    """Look for alerts in everything that was loaded."""
    from alerts.run import check

    owner = leases.this_process("check")
    with leases.hold(ctx.engine, "check", owner, now), ledger(ctx, "check") as report:
        report.update(plain(check(ctx.settings, ctx.engine, ctx.index, now())))
    return report


def notify_once(ctx: Context) -> dict[str, Any]:
    """Send what waits."""
    from alerts.run import notify

    owner = leases.this_process("notify")
    with leases.hold(ctx.engine, "notify", owner, now), ledger(ctx, "notify") as report:
        report.update(plain(notify(ctx.settings, ctx.engine, now())))
    return report


def _due(args: argparse.Namespace) -> int:
    ctx = context(args)
    names = [card.name for card in watched(ctx) if _is_due(ctx, card)]
    show(args, {"due": names})
    return 0


def _is_due(ctx: Context, card: SourceCard) -> bool:
    priorities = [t.priority for t in ctx.settings.plan.watch.target if t.source == card.name]
    wait = timedelta(minutes=min(getattr(card.schedule, priority) for priority in priorities))
    with db.begin(ctx.engine) as tx:
        last = runs.last(tx, "crawl", card.name, limit=1)
    return not last or last[0].started_at + wait <= now()


def _crawl(args: argparse.Namespace) -> int:
    report, code = crawl_once(context(args), args.source)
    show(args, report)
    return code


def _score(args: argparse.Namespace) -> int:
    if args.infile:
        return _score_lines(args)
    show(args, score_once(context(args)))
    return 0


def _score_lines(args: argparse.Namespace) -> int:
    from nlp.run import score_lines

    with ExitStack() as stack:
        source = sys.stdin if args.infile == "-" else stack.enter_context(opened(args.infile, "r"))
        sink = sys.stdout if args.outfile == "-" else stack.enter_context(opened(args.outfile, "w"))
        for row in score_lines(context(args).settings, source):
            print(json.dumps(row, ensure_ascii=False), file=sink)
    return 0


def _load(args: argparse.Namespace) -> int:
    show(args, load_once(context(args)))
    return 0


def _check(args: argparse.Namespace) -> int:
    show(args, check_once(context(args)))
    return 0


def _notify(args: argparse.Namespace) -> int:
    show(args, notify_once(context(args)))
    return 0
