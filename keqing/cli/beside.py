"""`keqing score --as NAME` and `keqing evaluate --against NAME`: models compared before they count."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from keqing.cli.context import context, ledger, now, plain, show
from keqing.errors import UsageError

if TYPE_CHECKING:
    from keqing.stack.beside import Alert, Comparison

BEIJING = ZoneInfo("Asia/Shanghai")
WEEK = timedelta(days=7)
MOST_MOVES = 12


def score_as(args: argparse.Namespace) -> int:
    """Score a window again beside what stands."""
    from keqing.stack.beside import rescore

    ctx, moment = context(args), now()
    since, until = window(args.window, moment)
    with ledger(ctx, "rescore") as entry:
        report = rescore(ctx.settings, ctx.engine, args.beside, since, until, moment)
        entry.report.update(plain(report))
    show(args, entry.report)
    return 0


def evaluate_against(args: argparse.Namespace) -> int:
    """What the set beside would change."""
    from keqing.stack.beside import compare

    ctx = context(args)
    found = compare(ctx.settings, ctx.engine, args.against, args.size)
    if args.json:
        show(args, found)
    else:
        print("\n".join(_lines(found)))
    return 0


def window(text: str | None, moment: datetime) -> tuple[datetime, datetime]:
    """`SINCE/UNTIL` or `SINCE`, ISO; without a zone in Beijing time; None is the last seven days.

    Raises:
        UsageError: no ISO time, or the end lies before the begin.
    """
    if text is None:
        return moment - WEEK, moment
    first, _, last = text.partition("/")
    since, until = _time(first), _time(last) if last else moment
    if until <= since:
        raise UsageError(f"--window {text}: 结束早于开始 (ends before it begins)")
    return since, until


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--window: {text!r} 不是 ISO 时间，例如 2026-11-20/2026-11-27") from error
    return found if found.tzinfo else found.replace(tzinfo=BEIJING)


def _lines(found: Comparison) -> Iterator[str]:
    total = sum(found.changed.values())
    yield f"{found.name}：比较 {found.posts:,} 条帖文，{total:,} 处不同 (posts, changes)"
    yield from (f"  {name} {count:,}" for name, count in found.changed.items())
    moves = list(found.moves.items())
    yield from (f"    {move}  {count:,}" for move, count in moves[:MOST_MOVES])
    if len(moves) > MOST_MOVES:
        yield f"    … 其余 {len(moves) - MOST_MOVES} 种见 --json"
    for one in found.sample:
        yield f"  {one.post}  {one.field}: {one.before} → {one.after}"
    if found.judged:
        yield (
            f"人工更正（评测的一半）{found.judged} 条：现行对 {found.right_before}，"
            f"{found.name} 对 {found.right_after}"
        )
    yield f"预警：相同 {found.alerts_same}"
    yield from _alerts("不再预警 (would not have alerted)", found.alerts_lost)
    yield from _alerts("新增预警 (would have alerted)", found.alerts_gained)


def _alerts(title: str, alerts: Sequence[Alert]) -> Iterator[str]:
    if alerts:
        yield f"  {title}"
    yield from (f"    {one.level} {one.brand} {one.scope} {one.title}" for one in alerts)
