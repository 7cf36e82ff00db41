"""Verbs of the index: rebuild, migrate (the workflow database too), erase."""

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
    move = add("migrate", _migrate, "move an embedded store to a server", "keqing migrate --to URL")
    where = move.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--to", help="the index, to this address of Elasticsearch, as in [index] url"
    )
    where.add_argument(
        "--workflow", metavar="URL", help="the workflow database, to this PostgreSQL"
    )
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
    if args.workflow is not None:
        return _migrate_workflow(args)
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


def _migrate_workflow(args: argparse.Namespace) -> int:
    """Nothing is written into the file, so the move stands in no ledger but the server's copy of it."""
    from keqing.workflow.move import migrate

    ctx = context(args)
    with _shown("迁移工作流数据库") as progress:
        report, target = migrate(ctx.settings, args.workflow, now(), progress)
    show(args, report)
    if not report.equal:
        print("两边不一致，未完成迁移；请查看 different 所列的表。", file=sys.stderr)
        return 1
    password = "" if target.password is None else f"密码仍由 {target.password_env} 给出。"
    print(
        f'逐表一致，共 {report.rows} 行。请在 keqing.toml 写\n\n[workflow]\nurl = "{args.workflow}"\n\n'
        f"再启动。{password}原来的文件没有改动。",
        file=sys.stderr,
    )
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
