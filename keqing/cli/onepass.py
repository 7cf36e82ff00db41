"""One pass of the whole line: crawl ▶ score ▶ load ▶ check ▶ notify, and what it found.

In:  a context; the demo city, if the plan uses it, already answers.
Out: a report of each stage, shown as progress on a terminal, and a summary in a few lines.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from keqing import words
from keqing.cli import line
from keqing.cli.context import AddVerb, Context
from keqing.cli.system import running
from keqing.errors import KeqingError
from keqing.logs import configure_logging
from keqing.process import run_verb
from keqing.settings import SourceCard
from keqing.workflow import db, incidents

CRAWL_LIMIT_S = 600.0
SHOWN = 8
INTERRUPTED = 130  # what a shell expects after Ctrl-C


def add_verbs(add: AddVerb) -> None:
    """Declare the verb of this file."""
    add("demo", demo, "one pass of the whole line on the plan's sources", "keqing demo")


@dataclass
class PassReport:
    """What one pass did; `failed` maps a source to why it could not be read."""

    crawled: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)


def demo(args: argparse.Namespace) -> int:
    """`keqing demo`: one pass on the plan's sources, then exit."""
    configure_logging(logging.WARNING)  # the summary tells the same in a person's words
    with running(args) as system:
        report = system.stop.unless_asked(lambda: run_pass(system.ctx))
    if report is None:
        print("已停止。", file=sys.stderr)
        return INTERRUPTED
    if args.json:
        print(json.dumps(dataclasses.asdict(report), ensure_ascii=False, default=str))
    else:
        print("\n".join(summary(system.ctx, report)))
    return 3 if report.failed else 0


def run_pass(ctx: Context) -> PassReport:
    """Run every stage once; a source that fails holds back nobody."""
    report = PassReport()
    cards = _watched(ctx)
    with _progress() as bar:
        crawling = bar.add_task("采集 crawl", total=len(cards))
        for card in cards:
            bar.update(crawling, description=f"采集 {card.title}")
            _crawl(ctx, card.name, report)
            bar.advance(crawling)
        bar.update(crawling, description="采集 crawl")
        for name, title, stage in _STAGES:
            task = bar.add_task(f"{title} {name}", total=1)
            report.stages[name] = stage(ctx)
            bar.advance(task)
    return report


def summary(ctx: Context, report: PassReport) -> list[str]:
    """What the pass found, in lines for a person."""
    with db.read(ctx.engine) as tx:
        opened = [i for i in incidents.list_incidents(tx) if i.state != "closed"]
    lines = ["", "采集 (帖文 / 新增)"]
    for name, found in report.crawled.items():
        title = ctx.settings.cards[name].title
        lines.append(f"  {title}: {found.get('parsed', 0):,} / {found.get('new', 0):,}")
    lines += [
        f"  {ctx.settings.cards[n].title}: 未能采集: {why}" for n, why in report.failed.items()
    ]
    lines += ["负面提及 (全部数据)", *_negatives(ctx), "预警"]
    for incident in sorted(opened, key=lambda i: -i.level.rank)[:8]:
        level, reason = (
            words.word(f"level.{incident.level}"),
            words.word(f"verdict.{incident.reason}"),
        )
        lines.append(f"  【{level}】{incident.title} · {reason}  #{incident.id[:8]}")
    if not opened:
        lines.append("  无")
    paths = report.stages.get("notify", {}).get("paths") or []
    lines += [f"邮件 {_relative(ctx, str(path))}" for path in paths[:5]]
    return lines


def _watched(ctx: Context) -> list[SourceCard]:
    """Cards that the plan has targets on, in the order of the plan."""
    names = dict.fromkeys(target.source for target in ctx.settings.plan.watch.target)
    return [ctx.settings.cards[name] for name in names]


def _crawl(ctx: Context, source: str, report: PassReport) -> None:
    arguments = ["crawl", source, "--root", str(ctx.settings.root)]
    try:
        report.crawled[source] = run_verb(arguments, CRAWL_LIMIT_S)
    except KeqingError as error:
        report.failed[source] = str(error)


def _negatives(ctx: Context) -> Iterator[str]:
    from index.query import Tag

    for key, brand in ctx.settings.plan.brands.items():
        buckets = ctx.index.counts_by("brand", Tag("brand", key), None)
        of_brand = next((b for b in buckets if b.value == key), None)
        if of_brand is not None:
            yield f"  {brand.name}: {of_brand.negative:,} / {of_brand.posts:,}"


def _relative(ctx: Context, path: str) -> str:
    full = Path(path)
    return (
        str(full.relative_to(ctx.settings.root)) if full.is_relative_to(ctx.settings.root) else path
    )


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<24}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )


_STAGES: tuple[tuple[str, str, Callable[[Context], dict[str, Any]]], ...] = (
    ("score", "研判", line.score_once),
    ("load", "入库", line.load_once),
    ("check", "检测", line.check_once),
    ("notify", "通知", line.notify_once),
)
