"""Verb `words`: words that the dictionary lacks and terms that rise; a person takes or leaves them."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from keqing.cli.context import AddVerb, context, now, show
from keqing.records import Mention
from keqing.settings import Settings
from nlp.bursts import Telling


def add_verbs(add: AddVerb) -> None:
    """Declare the verb of this file."""
    words = add("words", _words, "new words and rising terms", "keqing words --accept 青提冻")
    words.add_argument("--accept", action="append", default=[], metavar="WORD")
    words.add_argument("--reject", action="append", default=[], metavar="WORD")
    words.add_argument("--days", type=int, default=28, help="how far back (default 28)")
    words.add_argument("--hours", type=int, default=24, help="what counts as now (default 24)")
    words.add_argument("--top", type=int, default=20)


def _words(args: argparse.Namespace) -> int:
    from nlp import words

    settings = context(args).settings
    moment = now()
    for state, chosen in (("accepted", args.accept), ("rejected", args.reject)):
        for one in words.decide(settings.root, chosen, state, getpass.getuser(), moment):
            said = "收入词典，下一批起生效" if state == "accepted" else "不再提示"
            print(f"{one.word}：{said}")
    if args.accept or args.reject:
        return 0
    report = _proposals(args, settings, moment)
    if args.json:
        show(args, report)
        return 0
    _print(report, args, settings)
    return 0


def _proposals(args: argparse.Namespace, settings: Settings, moment: datetime) -> dict[str, Any]:
    from nlp.bursts import bursts
    from nlp.newwords import candidates
    from nlp.segment import in_dictionary, make_segmenter
    from nlp.words import decisions

    segmenter = make_segmenter(settings)
    mentions = list(scored_originals(settings, moment - timedelta(days=args.days)))
    decided = decisions(settings.root)
    new = candidates(
        [mention.post.text or "" for mention in mentions], in_dictionary(segmenter), segmenter.cut
    )
    since = moment - timedelta(hours=args.hours)
    rising = {
        brand: bursts(*_tellings(mentions, brand, since), top=args.top)
        for brand in settings.plan.brands
    }
    return {
        "new": [asdict(one) for one in new if one.word not in decided][: args.top],
        "rising": {
            brand: [asdict(one) for one in found] for brand, found in rising.items() if found
        },
        "mentions": len(mentions),
    }


def scored_originals(settings: Settings, since: datetime) -> Iterator[Mention]:
    """The first telling of each story that was scored since, by time."""
    from index.run import mentions_of

    for path in sorted((settings.var / "mentions").glob("*/*.jsonl.gz")):
        if _day(path) >= since.astimezone(UTC).date().isoformat():
            yield from (one for one in mentions_of(path) if one.story_role == "original")


def _day(path: Path) -> str:
    return path.parent.name


def _tellings(
    mentions: Sequence[Mention], brand: str, since: datetime
) -> tuple[list[Telling], list[Telling]]:
    from nlp.segment import stop_words

    stop, own = stop_words(), _is_about(brand)
    now_: list[Telling] = []
    before: list[Telling] = []
    for one in filter(own, mentions):
        words = frozenset(
            w for w in (*one.title_tokens, *one.tokens) if len(w) > 1 and w not in stop
        )
        telling = Telling(one.post.author.id or one.post.id, words)
        at = one.post.published_at or one.post.first_seen_at
        (now_ if at >= since else before).append(telling)
    return now_, before


def _is_about(brand: str) -> Callable[[Mention], bool]:
    return lambda mention: any(hit.brand == brand for hit in mention.brands)


def _print(report: dict[str, Any], args: argparse.Namespace, settings: Settings) -> None:
    print(
        f"近 {args.days} 天 {report['mentions']:,} 个事由。收词：keqing words --accept 词；弃词：--reject 词"
    )
    print("\n新词候选（次数，凝固度，自由度）")
    for one in report["new"]:
        print(f"  {one['word']}\t{one['count']}\t{one['cohesion']:.1f}\t{one['freedom']:.1f}")
    if not report["new"]:
        print("  无")
    for brand, found in report["rising"].items():
        print(
            f"\n{settings.plan.brands[brand].name}：近 {args.hours} 小时上升的词（现在 / 以前的事由数）"
        )
        for one in found:
            beside = f"\t同说：{'、'.join(one['beside'])}" if one["beside"] else ""
            print(f"  {one['term']}\t{one['now']} / {one['before']}{beside}")
