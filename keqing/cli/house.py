"""`keqing train --corrections`: what staff corrected moves the models' polarity of later posts.

In:  standing corrections of polarity. Out: var/house/house.npz, used from the next batch on; or none
where the judging half is read worse with it than without.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.newest import newest_mentions
from keqing.cli.context import context, show
from keqing.errors import UsageError
from keqing.records import Mention, Polarity
from keqing.workflow import corrections, db

if TYPE_CHECKING:
    from nlp.house import Lesson
    from nlp.judged import Figures
    from nlp.understand import Reader

FEWEST_JUDGES = 10


@dataclass(frozen=True)
class Report:
    """Before and after: on held-out folds of what taught, and on the half that judges."""

    taught: int
    prior: float
    loss_before: float
    loss_after: float
    judged: int
    right_before: float
    right_after: float
    macro_f1_before: float
    macro_f1_after: float
    active: bool
    gained: list[str]
    lost: list[str]


def train_on_corrections(args: argparse.Namespace) -> int:
    """Learn, judge before and after, and keep it if it is no worse; exit 3 where it is left out."""
    from nlp import house
    from nlp.judged import judged
    from nlp.understand import Reader

    ctx = context(args)
    with db.read(ctx.engine) as tx:
        rows = corrections.standing(corrections.every(tx))
    rows = [row for row in rows if row.field == "polarity"]
    judging = [row for row in rows if row.half == "judge"]
    mentions = newest_mentions(ctx.settings, ctx.engine, [row.post for row in rows])
    if sum(row.post in mentions for row in judging) < FEWEST_JUDGES:
        raise UsageError(
            f"评测用的极性更正 {len(judging)} 条，至少要 {FEWEST_JUDGES} 条 (too few that judge)"
        )
    plain = Reader(ctx.settings, taught=None)
    train = {row.post: row.to for row in rows if row.half == "train" and row.post in mentions}
    learned = house.learn(_lessons(plain, train, mentions), plain.parts.model)
    taught = Reader(ctx.settings, taught=learned.house)
    [was], [now] = judged(judging, mentions, plain), judged(judging, mentions, taught)
    better = _score(now) >= _score(was) and learned.loss_after < learned.loss_before
    if better:
        house.save(ctx.settings.var / house.FOLDER, learned.house)
    report = Report(
        taught=len(train), prior=learned.prior, loss_before=round(learned.loss_before, 4),
        loss_after=round(learned.loss_after, 4), judged=now.rows, right_before=was.after,
        right_after=now.after, macro_f1_before=was.macro_f1_after or 0.0,
        macro_f1_after=now.macro_f1_after or 0.0, active=better,
        gained=sorted(set(now.gained) - set(was.gained)),
        lost=sorted(set(now.lost) - set(was.lost)),
    )  # fmt: skip
    if args.json:
        show(args, report)
    else:
        _tell(report)
    return 0 if better else 3


def _lessons(
    reader: Reader, truth: dict[str, str], mentions: dict[str, Mention]
) -> Sequence[Lesson]:
    """Corrected posts as the models read them without what was learned before, in order of id."""
    from nlp.house import Lesson

    found = [mentions[id_] for id_ in sorted(truth)]
    posts = [mention.post for mention in found]
    said = reader.read(
        [p.text or "" for p in posts], [p.title or "" for p in posts], [p.source for p in posts]
    )
    return [
        Lesson(f"{m.post.title}\n{m.post.text}" if m.post.title else m.post.text or "", one.p,
               Polarity(truth[m.post.id]), m.story)
        for m, one in zip(found, said, strict=True)
    ]  # fmt: skip


def _score(figures: Figures) -> tuple[float, float]:
    return figures.macro_f1_after or 0.0, figures.after


def _tell(report: Report) -> None:
    print(
        f"用 {report.taught} 条更正学习；留出折的对数损失 {report.loss_before:.3f} → "
        f"{report.loss_after:.3f} (held-out loss)"
    )
    print(
        f"评测的一半 {report.judged} 条：对 {report.right_before:.1%} → {report.right_after:.1%}，"
        f"macro-F1 {report.macro_f1_before:.3f} → {report.macro_f1_after:.3f}"
    )
    for said, posts in (("现在对了", report.gained), ("现在错了", report.lost)):
        if posts:
            print(f"  {said} {len(posts)}：{' '.join(posts[:5])}")
    if report.active:
        print("已启用，下一批起生效；看旧预警会怎样 (what old alerts would become)：")
        print("  keqing score --as new && keqing evaluate --against new")
    else:
        print("没有更好，未启用 (not better, not active)")
