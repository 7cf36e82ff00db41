"""`keqing plan learn`: which sense of a brand's name is meant, from staff's 关联 and 误报.

In:  standing corrections `brand:<key>`; posts of the last hours that the plan's own words decide.
Out: var/relevance/senses.json with the new sense, or none where it is worse on the judging half.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

from index.newest import newest_mentions
from keqing.cli.context import Context, context, now, show
from keqing.cli.plan import landed
from keqing.errors import UsageError
from keqing.records import Post
from keqing.workflow import corrections, db
from keqing.workflow.corrections import Correction, Half

if TYPE_CHECKING:
    from nlp.brands import Matcher
    from nlp.relevance import Labelled

MOST_SEEDS = 50  # of either sense


def learn(args: argparse.Namespace) -> int:
    """Learn one brand's sense; exit 3 where it was worse and is left out."""
    from nlp import homonyms, relevance
    from nlp.brands import Matcher

    ctx = context(args)
    brands = ctx.settings.plan.brands
    if args.brand not in brands:
        raise UsageError(
            f"plan learn 需要 (needs) --brand，取值 (one of) {', '.join(sorted(brands))}"
        )
    folder = ctx.settings.var / homonyms.FOLDER
    known = homonyms.load(folder)
    rules, before = Matcher(brands), Matcher(brands, known)
    teaching, judging = (_labelled(ctx, args.brand, half) for half in ("train", "judge"))
    sense = relevance.learn(rules, args.brand, teaching, _seeds(ctx, args, rules))
    senses = {**(known.senses if known else {}), args.brand: sense}
    was = relevance.counted(before, args.brand, judging)
    new = relevance.counted(Matcher(brands, homonyms.Senses(senses)), args.brand, judging)
    better = new.accuracy >= was.accuracy and sense.accuracy > _larger(sense.yes, sense.no)
    if better:
        homonyms.save(folder, senses)
    report = {
        "brand": args.brand, "yes": sense.yes, "no": sense.no, "folds": sense.accuracy,
        "judged": len(judging), "before": asdict(was), "after": asdict(new), "active": better,
    }  # fmt: skip
    if args.json:
        show(args, report)
    else:
        print(
            f"{args.brand}：标注 {sense.yes} 相关、{sense.no} 无关，交叉验证 {sense.accuracy:.1%}"
        )
        print(f"评测的一半 {len(judging)} 条：之前 {was.accuracy:.1%} → 之后 {new.accuracy:.1%}")
        print("已启用，下一批起生效" if better else "没有更好，未启用 (not better, not active)")
    return 0 if better else 3


def _labelled(ctx: Context, brand: str, half: Half) -> list[Labelled]:
    """Posts that staff judged, of one half, in order of id."""
    from nlp.relevance import Labelled

    with db.read(ctx.engine) as tx:
        rows: Sequence[Correction] = corrections.standing(corrections.every(tx))
    said = {r.post: r.to == "yes" for r in rows if r.field == f"brand:{brand}" and r.half == half}
    found = newest_mentions(ctx.settings, ctx.engine, list(said))
    return [
        Labelled(post.text or "", said[id_], post.title or "", post.source)
        for id_, post in sorted(((i, m.post) for i, m in found.items()), key=lambda pair: pair[0])
    ]


def _seeds(ctx: Context, args: argparse.Namespace, rules: Matcher) -> list[Labelled]:
    """Posts of the last hours that the plan's own words decide."""
    from nlp.relevance import seeds_of

    posts = landed(ctx.settings, now() - timedelta(hours=args.hours), {})
    return seeds_of(rules, args.brand, [_plain(post) for post in posts], MOST_SEEDS)


def _plain(post: Post) -> Labelled:
    from nlp.relevance import Labelled

    return Labelled(post.text or "", False, post.title or "", post.source)


def _larger(yes: int, no: int) -> float:
    """Share that one would get right by always saying the commoner sense."""
    return max(yes, no) / (yes + no)
