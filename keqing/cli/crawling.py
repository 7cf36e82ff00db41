"""Verbs of collection: due, crawl."""

from __future__ import annotations

import argparse

from keqing.cli.context import AddVerb, context, now, plain, show
from keqing.workflow import db, leases, runs


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


def _crawl(args: argparse.Namespace) -> int:
    from crawlers.run import crawl

    ctx = context(args)
    name = f"crawl:{args.source}"
    with leases.hold(ctx.engine, name, leases.this_process("crawl"), now):
        with db.begin(ctx.engine) as tx:
            run_id = runs.start(tx, "crawl", args.source, now())
        outcome, detail, counts = "failed", "ended by a signal or an unforeseen error", {}
        try:
            report = crawl(ctx.settings, ctx.engine, args.source, run_id, now, args.due)
            outcome, detail = str(report.verdict), report.message or ""
            counts = {k: v for k, v in plain(report).items() if isinstance(v, int)}
        except Exception as error:
            detail = f"{type(error).__name__}: {error}"
            raise
        finally:
            with db.begin(ctx.engine) as tx:
                runs.finish(tx, run_id, outcome, counts, now(), detail)
    show(args, report)
    return report.exit_code
