"""Verb `plan`: what a plan takes and leaves of what landed (preview); senses learned of names (learn)."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from keqing.cli.context import AddVerb, now, show
from keqing.errors import LandingError, UsageError
from keqing.landing import Landing
from keqing.privacy import masked
from keqing.records import Post
from keqing.settings import Settings, load_settings
from keqing.words import word

if TYPE_CHECKING:
    from nlp.preview import BrandPreview, Preview, Sample

LONGEST_RUN = timedelta(days=1)  # a landed file is named by the begin of its run
MOST_CLAUSES = 8


def add_verbs(add: AddVerb) -> None:
    """Declare the verb of this file."""
    plan = add(
        "plan", _plan, "what a plan takes and leaves of what landed",
        "keqing plan preview --plan new.toml --hours 24 --brand mujinhu",
    )  # fmt: skip
    plan.add_argument("act", choices=("preview", "learn"))
    plan.add_argument("--plan", type=Path, help="a changed plan, compared with keqing.toml")
    plan.add_argument("--hours", type=float, default=24.0, help="how far back (default 24)")
    plan.add_argument("--brand", help="one brand's key")
    plan.add_argument("--size", type=int, default=5, help="posts in each sample (default 5)")
    plan.add_argument("--seed", type=int, default=7, help="draws the samples")


def landed(settings: Settings, since: datetime, damaged: dict[str, str]) -> list[Post]:
    """Posts collected since then, masked, the newest snapshot of each, in order of id.

    Args:
        damaged: takes files that cannot be read, with the reason.
    """
    landing = Landing(settings.var / "landing")
    newest: dict[str, Post] = {}
    for file in landing.files():
        if not _begun_after(file, since - LONGEST_RUN):
            continue
        try:
            for post in landing.read(file):
                known = newest.get(post.id)
                if post.collected_at >= since and (
                    known is None or known.collected_at <= post.collected_at
                ):
                    newest[post.id] = post
        except LandingError as error:
            damaged[file] = str(error)
    return [masked(newest[id_]) for id_ in sorted(newest)]


def _plan(args: argparse.Namespace) -> int:
    if args.hours <= 0 or args.size < 0:
        raise UsageError("plan: --hours must be over 0 and --size not below 0")
    if args.act == "learn":
        from keqing.cli.learn import learn

        return learn(args)
    return _preview(args)


def _preview(args: argparse.Namespace) -> int:
    from nlp import homonyms
    from nlp.preview import preview

    root = args.root.resolve()
    current = load_settings(root)
    changed = _settings(root, args.plan) if args.plan else current
    _known(args.brand, changed, current)
    damaged: dict[str, str] = {}
    posts = landed(current, now() - timedelta(hours=args.hours), damaged)
    before = current.plan.brands if args.plan else None
    found = preview(
        posts, changed.plan.brands, before, only=args.brand,
        judge=homonyms.load(current.var / homonyms.FOLDER), size=args.size, seed=args.seed,
    )  # fmt: skip
    if args.json:
        show(args, found)
    else:
        print("\n".join(_lines(found, args.hours, before is not None)))
    for reason in damaged.values():
        print(reason, file=sys.stderr)
    return 3 if damaged else 0


def _settings(root: Path, plan: Path) -> Settings:
    """Settings with another plan file; errors name that file."""
    if not plan.exists():
        raise UsageError(f"{plan}: 没有这个文件 (no such file)")
    return load_settings(root, env={**os.environ, "KEQING_PLAN": str(plan.resolve())})


def _known(brand: str | None, changed: Settings, current: Settings) -> None:
    keys = sorted({*changed.plan.brands, *current.plan.brands})
    if brand and brand not in keys:
        raise UsageError(
            f"--brand {brand}: 方案里没有这个主体；有 {', '.join(keys)} (no such brand)"
        )


def _begun_after(file: str, moment: datetime) -> bool:
    """Whether the run that landed a file began then or later; its name says so."""
    return Path(file).name[:16] >= f"{moment:%Y%m%dT%H%M%SZ}"


def _lines(found: Preview, hours: float, compared: bool) -> Iterator[str]:
    yield f"最近 {hours:g} 小时采集的帖文 {found.posts:,} 条 (posts)"
    for brand in found.brands:
        yield ""
        yield f"【{brand.name}】{brand.brand}  采用 {brand.accepted:,} · 未采用 {sum(brand.rejected.values()):,}"
        yield from _counts(brand.rejected, "  ", reason=True)
        yield from _clauses(brand.clauses)
        yield from _samples("采用样本 (accepted)", brand.accepted_sample)
        yield from _samples("未采用样本 (rejected)", brand.rejected_sample)
        if compared:
            yield from _compared(brand)
    if found.remarks:
        yield ""
        yield "方案提示 (remarks)"
        yield from (f"  {remark}" for remark in found.remarks)


def _compared(brand: BrandPreview) -> Iterator[str]:
    yield f"  与现行方案相比：增加 {brand.gained:,} · 减少 {brand.lost:,} (gained, lost)"
    yield from _samples("增加的帖文 (gained)", brand.gained_sample)
    yield from _samples("减少的帖文 (lost)", brand.lost_sample)


def _counts(counts: Mapping[str, int], indent: str, reason: bool = False) -> Iterator[str]:
    for name, count in counts.items():
        yield f"{indent}{_reason(name) if reason else name} {count:,}"


def _clauses(clauses: Mapping[str, int]) -> Iterator[str]:
    if not clauses:
        return
    yield "  命中条款 (clauses)"
    yield from _counts(dict(list(clauses.items())[:MOST_CLAUSES]), "    ")
    if len(clauses) > MOST_CLAUSES:
        yield f"    … 其余 {len(clauses) - MOST_CLAUSES} 条见 --json"


def _samples(title: str, samples: Sequence[Sample]) -> Iterator[str]:
    if samples:
        yield f"  {title}"
    for one in samples:
        why = f"{_reason(one.reason)} · {one.alias} · {one.clause}".rstrip(" ·")
        yield f"    [{one.source}] {one.post}  {why}"
        yield f"      {one.words}"


def _reason(code: str) -> str:
    return f"{word(f'outcome.{code}')} ({code})"
