"""Verb `export`: every post that a query finds, as a file for a spreadsheet or a program.

In:  a query, a span, a path. Out: the file, whole, and a row of the audit trail: who, what was asked,
how many posts.
"""

from __future__ import annotations

import argparse
import getpass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from keqing.cli.beside import BEIJING
from keqing.cli.context import AddVerb, Context, context, now, show
from keqing.errors import UsageError
from keqing.workflow import db, trail

if TYPE_CHECKING:
    from index.query import Window

FIRST = datetime(1834, 1, 1, tzinfo=UTC)  # nothing older is stored
LONGEST = 256  # characters that the trail keeps of what was asked


def add_verbs(add: AddVerb) -> None:
    """Declare the verb of this file."""
    export = add(
        "export", _export, "all posts of a query as a file",
        'keqing export "木槿壶 情感:负面" --since 2026-11-20 --out a.xlsx',
    )  # fmt: skip
    export.add_argument("query", help="as on the pages; empty for all posts")
    export.add_argument("--out", type=Path, required=True, help=".csv, .jsonl or .xlsx")
    export.add_argument("--since", help="ISO time of publication, in Beijing without a zone")
    export.add_argument("--until", help="the same; what was published then is left out")


def _export(args: argparse.Namespace) -> int:
    from index.query import parse
    from index.table_files import aside, checked
    from nlp.segment import make_segmenter

    ctx, moment = context(args), now()
    write, window = checked(args.out), _window(args.since, args.until, moment)
    node = parse(args.query, make_segmenter(ctx.settings).tokens)
    brands = ctx.settings.plan.brands
    with aside(args.out) as file:
        rows = write(
            file,
            ctx.index.export(node, window, moment),
            ctx.settings.source_title,
            lambda key: brands[key].name if key in brands else key,
        )
        _audit(ctx, args, rows, moment)  # before the file is there: what is not noted is not given
    show(args, {"rows": rows, "out": str(args.out)})
    return 0


def _window(since: str | None, until: str | None, moment: datetime) -> Window | None:
    from index.query import Window

    if since is None and until is None:
        return None
    # A site's clock may be a day ahead of ours.
    start = FIRST if since is None else _time("--since", since)
    end = moment + timedelta(days=2) if until is None else _time("--until", until)
    if end <= start:
        raise UsageError("--until 早于 --since (ends before it begins)")
    return Window(start, end)


def _time(name: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{name}: {text!r} 不是 ISO 时间，例如 2026-11-20 (no ISO time)"
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=BEIJING)


def _audit(ctx: Context, args: argparse.Namespace, rows: int, moment: datetime) -> None:
    span = "/".join(filter(None, (args.since, args.until)))
    asked = f"{args.out.suffix.lower()} {rows} {span} {args.query}"[:LONGEST]
    with db.begin(ctx.engine) as tx:
        trail.record(tx, getpass.getuser()[:64], "export", asked, "keqing export", "ok", moment)
