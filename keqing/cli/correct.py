"""Verb `correct`: what a person says of one post, beside what the model said."""

from __future__ import annotations

import argparse
import csv
import getpass
import os
from collections.abc import Sequence
from pathlib import Path

from index.newest import newest_mentions
from keqing.cli.context import AddVerb, Context, context, now, show
from keqing.errors import UsageError
from keqing.workflow import corrections, db, overlay
from keqing.workflow.corrections import Correction


def add_verbs(add: AddVerb) -> None:
    """Declare the verb of this file."""
    correct = add(
        "correct", _correct, "what a person says of a post",
        "keqing correct weibo:123 --field polarity --to neutral --reason 说的是别家",
    )  # fmt: skip
    correct.add_argument("post", nargs="?", help="id of a post; --list and --export need none")
    correct.add_argument("--field", help="polarity, intent, emotion, severity or brand:KEY")
    correct.add_argument("--to", help="the right value; `model` withdraws a correction")
    correct.add_argument("--reason", help="why")
    correct.add_argument("--by", help="who (default: the account of this machine)")
    correct.add_argument("--list", action="store_true", help="what stands, newest last")
    correct.add_argument("--export", type=Path, metavar="DIR",
                         help="the half that may train, as labelled CSV for keqing train")  # fmt: skip


def evaluate_corrections(args: argparse.Namespace) -> int:
    """Each field's share of right values, when it was corrected and now (`evaluate --corrections`)."""
    from nlp.judged import judged
    from nlp.understand import Reader

    ctx = context(args)
    with db.read(ctx.engine) as tx:
        rows = [r for r in corrections.standing(corrections.every(tx)) if r.half == "judge"]
    mentions = newest_mentions(ctx.settings, ctx.engine, [row.post for row in rows])
    found = judged(rows, mentions, Reader(ctx.settings)) if mentions else []
    if args.json:
        show(args, {"fields": [vars(one) for one in found]})
        return 0
    print(f"评测用的更正 {len(rows)} 条 (corrections of the judging half)")
    for one in found:
        print(f"{one.name:<20} {one.rows:>5} 条  更正时 {one.before:.1%} → 现在 {one.after:.1%}")
        if one.macro_f1_before is not None:
            print(f"{'':<20} macro-F1  {one.macro_f1_before:.3f} → {one.macro_f1_after:.3f}")
        for said, posts in (("现在对了", one.gained), ("现在错了", one.lost)):
            if posts:
                print(f"{'':<20} {said} {len(posts)}：{' '.join(posts[:5])}")
    return 0


def _correct(args: argparse.Namespace) -> int:
    ctx = context(args)
    if args.list or args.export:
        with db.read(ctx.engine) as tx:
            rows = corrections.standing(corrections.every(tx))
        if args.list:
            _list(args, rows)
        return _export(args, ctx, rows) if args.export else 0
    if not (args.post and args.field and args.to and args.reason):
        raise UsageError("correct 需要 (needs) POST --field --to --reason")
    mention = newest_mentions(ctx.settings, ctx.engine, [args.post]).get(args.post)
    if mention is None:
        raise UsageError(f"{args.post}: 没有研判过这条帖文 (never scored); keqing search 可查编号")
    _brand_known(ctx, args.field)
    with db.begin(ctx.engine) as tx:
        row = corrections.correct(
            tx, mention, args.field, args.to, by=args.by or getpass.getuser(),
            reason=args.reason, now=now(),
        )  # fmt: skip
    ctx.index.upsert(overlay.shown(ctx.engine, [mention]), now())
    ctx.index.refresh()
    _tell(args, row)
    return 0


def _brand_known(ctx: Context, field: str) -> None:
    keys = sorted(ctx.settings.plan.brands)
    if field.startswith("brand:") and field[6:] not in keys:
        raise UsageError(f"{field}: 方案里没有这个主体；有 {', '.join(keys)} (no such brand)")


def _tell(args: argparse.Namespace, row: Correction) -> None:
    if args.json:
        show(args, row)
        return
    said = "撤回更正，恢复模型的值" if row.to == corrections.WITHDRAWN else f"更正为 {row.to}"
    if row.to == row.was:
        said = f"确认 {row.to}"
    print(f"{row.post} {row.field}：模型 {row.was}，{said}（{row.by}：{row.reason}）")


def _list(args: argparse.Namespace, rows: Sequence[Correction]) -> None:
    for row in sorted(rows, key=lambda row: row.at):
        if args.json:
            show(args, row)
        else:
            print(
                f"{row.at:%Y-%m-%d %H:%MZ} {row.post} {row.field}: {row.was} → {row.to} "
                f"[{row.half}] {row.by}: {row.reason}"
            )


def _export(args: argparse.Namespace, ctx: Context, rows: Sequence[Correction]) -> int:
    """`tri_corrections_train.csv`: text, label of the polarities that may train."""
    mine = [row for row in rows if row.field == "polarity" and row.half == "train"]
    found = newest_mentions(ctx.settings, ctx.engine, [row.post for row in mine])
    args.export.mkdir(parents=True, exist_ok=True)
    path = args.export / "tri_corrections_train.csv"
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with open(aside, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("text", "label"))
        for row in mine:
            if row.post in found:
                table.writerow((found[row.post].post.text or "", row.to))
    os.replace(aside, path)
    show(args, {"file": str(path), "rows": sum(row.post in found for row in mine)})
    return 0
