"""Verbs of collection: due, crawl."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from keqing.cli.context import AddVerb, context, ledger, now, plain, show
from keqing.workflow import leases

if TYPE_CHECKING:
    from crawlers.report import CrawlReport


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this file."""
    add("due", _due, "sources whose next visit is due", "keqing due --json")
    crawl = add("crawl", _crawl, "visit one source once", "keqing crawl demo-weibo")
    crawl.add_argument("source", help="name of a source card that the plan watches")
    crawl.add_argument("--due", action="store_true", help="only targets whose interval is over")


def _due(args: argparse.Namespace) -> int:
    from crawlers.run import due_sources

    ctx = context(args)
    show(args, {"due": due_sources(ctx.settings, ctx.engine, now())})
    return 0


def _new_fields(report: CrawlReport) -> str:
    """One sentence on fields that no parser knows; it must not blind us, so it is no failure."""
    return f"unknown fields: {', '.join(report.unknown_fields)}" if report.unknown_fields else ""


def _crawl(args: argparse.Namespace) -> int:
    from crawlers.run import crawl

    ctx = context(args)
    owner = leases.this_process("crawl")
    with (
        leases.hold(ctx.engine, f"crawl:{args.source}", owner, now),
        ledger(ctx, "crawl", args.source) as entry,
    ):
        report = crawl(ctx.settings, ctx.engine, args.source, entry.run_id, now, args.due)
        entry.report.update(plain(report))
        entry.outcome, entry.detail = str(report.verdict), report.message or _new_fields(report)
    show(args, report)
    return report.exit_code
