"""Verbs of the index: rebuild, erase."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from keqing.cli.context import AddVerb, context, ledger, now, plain, show
from keqing.workflow import leases


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this file."""
    add("rebuild", _rebuild, "the index again from all scored posts", "keqing rebuild")
    erase = add("erase", _erase, "remove posts from the index", "keqing erase --author K --dry-run")
    erase.add_argument("--author", help="pseudonymous id, as pages and exports show it")
    erase.add_argument("--url", help="address of a post")
    erase.add_argument("--post", action="append", default=[], help="id of a post; may be repeated")
    erase.add_argument("--dry-run", action="store_true", help="only count what would go")


def _rebuild(args: argparse.Namespace) -> int:
    from index.rebuild import rebuild

    ctx = context(args)
    owner = leases.this_process("rebuild")
    bar = Progress(
        TextColumn("重建索引"), BarColumn(), MofNCompleteColumn(),
        console=Console(stderr=True), disable=not sys.stderr.isatty(),
    )  # fmt: skip
    with bar, leases.hold(ctx.engine, "rebuild", owner, now), ledger(ctx, "rebuild") as entry:
        task = bar.add_task("rebuild", total=None)

        def progress(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of)

        entry.report.update(plain(rebuild(ctx.settings, ctx.engine, now(), progress)))
    show(args, entry.report)
    return 3 if entry.report["rejected"] else 0


def _erase(args: argparse.Namespace) -> int:
    from index.erase import erase

    ctx = context(args)
    owner = leases.this_process("erase")
    with leases.hold(ctx.engine, "erase", owner, now), ledger(ctx, "erase") as entry:
        report = erase(
            ctx.settings, ctx.engine, author=args.author, url=args.url, posts=args.post,
            dry_run=args.dry_run,
        )  # fmt: skip
        entry.report.update(plain(report))
    show(args, entry.report)
    return 0
