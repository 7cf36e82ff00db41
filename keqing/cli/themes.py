"""Verb `themes`: what posts outside the taxonomy are about, put together by their embeddings (自动聚类)."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from keqing.cli.context import AddVerb, context, now, show
from keqing.cli.words import scored_originals
from keqing.errors import TooLittleHistory, UsageError
from keqing.records import Mention, Polarity
from keqing.settings import Settings

if TYPE_CHECKING:
    from nlp.themes import Telling, Themes

QUOTED = 60  # characters of a representative post


def add_verbs(add: AddVerb) -> None:
    """Declare the verb of this file."""
    verb = add(
        "themes", _themes, "themes of posts that no topic holds", "keqing themes --brand mujinhu"
    )
    verb.add_argument("--brand", metavar="K", help="a brand of the plan (default: all together)")
    verb.add_argument("--hours", type=int, default=168, help="how far back (default 168)")
    verb.add_argument("--k", type=int, metavar="N", help="number of clusters (default: 3 to 12)")


def _themes(args: argparse.Namespace) -> int:
    settings, moment = context(args).settings, now()
    _checked(args, settings)
    said = list(_untaken(settings, args.brand, moment - timedelta(hours=args.hours)))
    found = _found(args, settings, said)
    report = _report(args, settings, said, found)
    if args.json:
        show(args, report)
    else:
        _print(report, args)
    return 0


def _checked(args: argparse.Namespace, settings: Settings) -> None:
    brands = settings.plan.brands
    if args.brand is not None and args.brand not in brands:
        known = ", ".join(sorted(brands)) or "无"
        raise UsageError(f"{args.brand}: 方案里没有这个主体；有 {known} (no such brand)")
    if args.hours <= 0:
        raise UsageError("themes: --hours 须大于 0 (must be over 0)")


def _untaken(settings: Settings, brand: str | None, since: datetime) -> Iterator[Mention]:
    """First tellings said since, about the brand, without a topic; of a post scored twice the newest."""
    newest: dict[str, Mention] = {}
    for one in scored_originals(settings, since):
        if one.post.id not in newest or one.scored_at >= newest[one.post.id].scored_at:
            newest[one.post.id] = one
    for one in newest.values():
        at = one.post.published_at or one.post.first_seen_at
        about = any(brand in (None, hit.brand) for hit in one.brands)
        if at >= since and about and not one.topics:
            yield one


def _found(args: argparse.Namespace, settings: Settings, said: Sequence[Mention]) -> Themes:
    from nlp.segment import stop_words
    from nlp.text import flat
    from nlp.themes import FEWEST, themes

    told = [_telling(one, args.brand) for one in said if one.vector]
    if len(told) < FEWEST:
        raise TooLittleHistory(_too_few(args, settings, len(said), len(told), FEWEST))
    names = {flat(w) for b in settings.plan.brands.values() for w in (b.name, *b.aliases)}
    return themes(told, args.k, stop_words() | names)


def _too_few(
    args: argparse.Namespace, settings: Settings, said: int, told: int, fewest: int
) -> str:
    if said < fewest:
        return (f"近 {args.hours} 小时不属任何话题的事由 {said} 个，自动聚类至少要 {fewest} 个；"
                "可加大 --hours (too few stories)")  # fmt: skip
    do = "之后新到的帖文才有；已有的可用 keqing replay 重新研判"
    if settings.plan.nlp.second_stage.model == "off":
        do = f'在 keqing.toml 设 [nlp.second_stage] model = "builtin"（现为 off），{do}'
    return (f"{said} 个事由中只有 {told} 个有文本向量，自动聚类至少要 {fewest} 个；{do} "
            "(no vectors: the second stage was off)")  # fmt: skip


def _telling(mention: Mention, brand: str | None) -> Telling:
    from nlp.embed import unpacked
    from nlp.themes import Telling

    felt = next((h.polarity for h in mention.brands if h.brand == brand), mention.polarity)
    words = frozenset((*mention.title_tokens, *mention.tokens))
    vector = unpacked(mention.vector or "")
    return Telling(mention.post.id, words, vector, felt == Polarity.NEGATIVE)


def _report(
    args: argparse.Namespace, settings: Settings, said: Sequence[Mention], found: Themes
) -> dict[str, Any]:
    by_id = {one.post.id: one for one in said}
    brands = Counter(key for one in said for key in {hit.brand for hit in one.brands})
    shown = []
    for theme in found.themes:
        posts = [{"id": id_, "text": _text(by_id[id_])} for id_ in theme.posts]
        shown.append(asdict(theme) | {"posts": posts})
    return {
        "how": "自动聚类", "brand": args.brand, "hours": args.hours, "k": found.k,
        "stories": found.stories, "without_vector": sum(not one.vector for one in said),
        "brands": {settings.plan.brands[key].name: n for key, n in brands.most_common()
                   if key in settings.plan.brands},
        "themes": shown, "rest": found.rest,
    }  # fmt: skip


def _text(mention: Mention) -> str:
    said = f"{mention.post.title or ''} {mention.post.text or ''}"
    return " ".join(said.split())[:QUOTED]


def _print(report: dict[str, Any], args: argparse.Namespace) -> None:
    about = "，".join(f"{name} {n:,}" for name, n in report["brands"].items())
    print(f"自动聚类：近 {args.hours} 小时不属任何话题的事由 {report['stories']:,} 个（{about}）")
    if report["without_vector"]:
        print(f"另有 {report['without_vector']:,} 个没有文本向量，未参与")
    for theme in report["themes"]:
        print(f"\n{'·'.join(theme['label'])}　{theme['size']:,} 个，负面 {theme['negative']:.0%}")
        for post in theme["posts"]:
            print(f"  {post['text']}　[{post['id']}]")
    print(f"\n未成主题：{report['rest']:,} 个。标签由机器从词频得出，请以帖文为准。")
