"""Verbs of staff and engineers: import, search, verify, status."""

from __future__ import annotations

import argparse
from pathlib import Path
from zoneinfo import ZoneInfo

from keqing.cli.context import AddVerb, context, now, show
from keqing.landing import Landing
from keqing.records import Channel
from keqing.workflow import db, runs

BEIJING = ZoneInfo("Asia/Shanghai")
STAGES = ("crawl", "import", "score", "load", "check", "notify")


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this file."""
    take = add("import", _import, "land a file of posts", "keqing import a.csv --channel public")
    take.add_argument("file", type=Path)
    take.add_argument("--channel", type=Channel, choices=list(Channel), default=Channel.PUBLIC)
    take.add_argument("--map", type=Path, help='TOML file of column names: text = "正文"')
    take.add_argument("--text-column", help="the column that holds the text")
    search = add("search", _search, "boolean query → posts", 'keqing search "木槿壶 情感:负面"')
    search.add_argument("query")
    search.add_argument("--size", type=int, default=10)
    add("verify", _verify, "check the landing's hash chain", "keqing verify")
    add("status", _status, "the newest run of each stage", "keqing status")


def _import(args: argparse.Namespace) -> int:
    from crawlers.imports.run import import_file

    ctx = context(args)
    report = import_file(
        ctx.settings, ctx.engine, args.file, args.channel, now(), args.map, args.text_column
    )
    show(args, report)
    return 3 if report.rejected else 0


def _search(args: argparse.Namespace) -> int:
    from index.engine import open_index
    from index.query import parse
    from nlp.segment import make_segmenter

    settings = context(args).settings
    query = parse(args.query, make_segmenter(settings).tokens)
    page = open_index(settings).search(query, None, size=args.size)
    if args.json:
        show(args, page)
        return 0
    total = page.total
    print(f"帖文 {total.posts:,} · 不同事由 {total.stories:,} · 作者 {total.voices:,}")
    for hit in page.hits:
        print(
            f"\n[{hit.source}] {hit.published_at.astimezone(BEIJING):%Y-%m-%d %H:%M} {hit.polarity or '-'} {hit.id}"
        )
        print(f"  {hit.title or ''} {(hit.text or '')[:160]}".rstrip())
    return 0


def _verify(args: argparse.Namespace) -> int:
    show(args, Landing(context(args).settings.var / "landing").verify())
    return 0


def _status(args: argparse.Namespace) -> int:
    ctx = context(args)
    rows: dict[str, str] = {}
    with db.read(ctx.engine) as tx:
        for stage in STAGES:
            for run in runs.last(tx, stage, limit=1):
                rows[stage] = f"{run.started_at:%Y-%m-%d %H:%M:%SZ} {run.outcome} {run.counts}"
    show(args, rows or {"status": "no run yet"})
    return 0
