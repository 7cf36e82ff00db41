"""Verbs of the index: rebuild, migrate, erase."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from keqing.cli.context import AddVerb, Context, Entry, context, ledger, now, plain, show
from keqing.workflow import leases


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this file."""
    add("rebuild", _rebuild, "the index again from all scored posts", "keqing rebuild")
    move = add("migrate", _migrate, "move the index to a server", "keqing migrate --to URL")
    move.add_argument("--to", required=True, help="address of Elasticsearch, as in [index] url")
    erase = add("erase", _erase, "remove posts from the index", "keqing erase --author K --dry-run")
    erase.add_argument("--author", help="pseudonymous id, as pages and exports show it")
    erase.add_argument("--url", help="address of a post")
    erase.add_argument("--post", action="append", default=[], help="id of a post; may be repeated")
    erase.add_argument("--dry-run", action="store_true", help="only count what would go")


def _rebuild(args: argparse.Namespace) -> int:
    from index.rebuild import rebuild

    ctx = context(args)
    with _shown("重建索引") as progress, _work(ctx, "rebuild") as entry:
        entry.report.update(plain(rebuild(ctx.settings, ctx.engine, now(), progress)))
    show(args, entry.report)
    return 3 if entry.report["rejected"] else 0


def _migrate(args: argparse.Namespace) -> int:
    from index.migrate import migrate

    ctx = context(args)
    with _shown("迁移索引") as progress, _work(ctx, "migrate") as entry:
        report = migrate(ctx.settings, ctx.engine, args.to, now(), progress)
        entry.report.update(plain(report))
        entry.outcome = "ok" if report.equal else "failed"
    show(args, entry.report)
    if not report.equal:
        print("两边的文档不一致，未完成迁移；请查看 different 所列帖文。", file=sys.stderr)
        return 1
    print(f'逐篇一致。请在 keqing.toml 写 [index] url = "{args.to}"，再启动。', file=sys.stderr)
    return 0


def _erase(args: argparse.Namespace) -> int:
    from index.erase import erase

    ctx = context(args)
    with _work(ctx, "erase") as entry:
        report = erase(
            ctx.settings, ctx.engine, author=args.author, url=args.url, posts=args.post,
            dry_run=args.dry_run,
        )  # fmt: skip
        entry.report.update(plain(report))
    show(args, entry.report)
    return 0


@contextmanager
def _work(ctx: Context, stage: str) -> Iterator[Entry]:
    """One at a time, and written into the ledger."""
    owner = leases.this_process(stage)
    with leases.hold(ctx.engine, "index", owner, now), ledger(ctx, stage) as entry:
        yield entry


@contextmanager
def _shown(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar of batches on a terminal."""
    bar = Progress(
        TextColumn(what), BarColumn(), MofNCompleteColumn(),
        console=Console(stderr=True), disable=not sys.stderr.isatty(),
    )  # fmt: skip
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
