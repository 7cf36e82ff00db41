"""What a plan takes and leaves of the posts that landed, before it is saved.

In:  masked Posts, the plan's brands, maybe the brands of another plan to compare with.
Out: a Preview: posts accepted and rejected a brand, by reason and by clause, samples drawn by a seed,
posts gained and lost against the other plan, remarks on lines of the plan that do nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from keqing.records import BrandHit, Post, Rejection
from keqing.settings import Brand
from nlp.brands import Judge, Matcher, Matches
from nlp.text import flat

ABSENT = "NOT_NAMED"  # no writing of the brand occurs
AROUND = 30  # code points shown to either side of a name
Decision = BrandHit | Rejection


@dataclass(frozen=True)
class Sample:
    """One post, why it counts or not, and the words around the name (masked)."""

    post: str
    source: str
    reason: str
    alias: str
    clause: str
    words: str


@dataclass
class BrandPreview:
    """One brand: posts, not occurrences; a post with one accepted name is accepted."""

    brand: str
    name: str
    accepted: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    clauses: dict[str, int] = field(default_factory=dict)
    accepted_sample: list[Sample] = field(default_factory=list)
    rejected_sample: list[Sample] = field(default_factory=list)
    gained: int = 0
    lost: int = 0
    gained_sample: list[Sample] = field(default_factory=list)
    lost_sample: list[Sample] = field(default_factory=list)


@dataclass
class Preview:
    """All brands asked for, over so many posts."""

    posts: int
    brands: list[BrandPreview]
    remarks: list[str]


@dataclass(frozen=True)
class _Seen:
    """A post with the decision on one brand, and that of the plan it is compared with."""

    post: Post
    now: Decision | None
    before: Decision | None


def preview(
    posts: Sequence[Post],
    brands: Mapping[str, Brand],
    before: Mapping[str, Brand] | None = None,
    *,
    only: str | None = None,
    judge: Judge | None = None,
    size: int = 5,
    seed: int = 7,
) -> Preview:
    """Match every post by the plan, and by the plan `before` where one is given.

    Args:
        posts: masked, each id once.
        only: one brand's key; None is all of both plans.
        size: posts in each sample, drawn by `seed` and their ids.
    """
    keys = [only] if only else sorted({*brands, *(before or {})})
    older = None if before is None else Matcher(before, judge)
    seen = _decisions(posts, keys, Matcher(brands, judge), older)
    names = {key: (brands.get(key) or (before or {})[key]).name for key in keys}
    drawn = {key: sorted(rows, key=lambda row: _lot(row.post, seed)) for key, rows in seen.items()}
    return Preview(
        len(posts),
        [_brand(key, names[key], drawn[key], size, before is not None) for key in keys],
        [remark for key in keys if key in brands for remark in remarks(key, brands[key])],
    )


def remarks(key: str, brand: Brand) -> Iterator[str]:
    """Lines of a brand's plan that cannot do anything, or too much."""
    writings = [brand.name, *brand.aliases, *(w for ws in brand.products.values() for w in ws)]
    for phrase in brand.exclude:
        if not any(flat(writing) in flat(phrase) for writing in writings):
            yield f"brands.{key}.exclude: 「{phrase}」不含任何别名，不起作用 (covers no alias)"
    if brand.need_context and not brand.context:
        yield f"brands.{key}.need_context: 没有 context 词，名字都不会被采用 (no context word)"
    if brand.context and not (brand.need_context or brand.not_context):
        yield (
            f"brands.{key}.context: 没有 need_context 或 not_context，不起作用 "
            "(does nothing without need_context or not_context)"
        )
    for word in sorted(set(map(flat, brand.context)) & set(map(flat, brand.not_context))):
        yield f"brands.{key}: 「{word}」同时在 context 和 not_context 里，按 context 算 (in both)"
    for writing in dict.fromkeys(writings):
        if len(writing) == 1:
            yield f"brands.{key}.aliases: 「{writing}」只有一个字，会命中太多 (one character)"


def _decisions(
    posts: Sequence[Post], keys: Sequence[str], now: Matcher, before: Matcher | None
) -> dict[str, list[_Seen]]:
    found: dict[str, list[_Seen]] = {key: [] for key in keys}
    for post in posts:
        plain = flat(post.title or ""), flat(post.text or "")
        mine = now.find(post.title, post.text, plain, post.source)
        old = before.find(post.title, post.text, plain, post.source) if before else None
        for key in _named(mine, old):
            if key in found:
                was = _decision(old, key) if old else None
                found[key].append(_Seen(post, _decision(mine, key), was))
    return found


def _named(mine: Matches, old: Matches | None) -> set[str]:
    named: set[str] = set()
    for matches in (mine, old) if old else (mine,):
        named |= {hit.brand for hit in matches.hits} | {r.brand for r in matches.rejected}
    return named


def _decision(matches: Matches, key: str) -> Decision | None:
    """The first accepted name, else the first rejected one, else none."""
    hit = next((hit for hit in matches.hits if hit.brand == key), None)
    return hit or next((found for found in matches.rejected if found.brand == key), None)


def _brand(key: str, name: str, seen: Sequence[_Seen], size: int, compared: bool) -> BrandPreview:
    taken = [row for row in seen if isinstance(row.now, BrandHit)]
    left = [row for row in seen if isinstance(row.now, Rejection)]
    clauses = Counter(f"{row.now.alias} · {row.now.clause}" for row in seen if row.now)
    found = BrandPreview(
        key, name, len(taken),
        dict(Counter(row.now.reason for row in left if row.now).most_common()),
        dict(clauses.most_common()),
        [_sample(row.post, row.now) for row in taken[:size]],
        [_sample(row.post, row.now) for row in left[:size]],
    )  # fmt: skip
    if compared:
        gained = [row for row in taken if not isinstance(row.before, BrandHit)]
        lost = [
            row
            for row in seen
            if isinstance(row.before, BrandHit) and not isinstance(row.now, BrandHit)
        ]
        found.gained, found.lost = len(gained), len(lost)
        found.gained_sample = [_sample(row.post, row.now) for row in gained[:size]]
        found.lost_sample = [_sample(row.post, row.now, row.before) for row in lost[:size]]
    return found


def _sample(post: Post, now: Decision | None, before: Decision | None = None) -> Sample:
    shown = now or before
    alias = shown.alias if shown else ""
    reason, clause = (now.reason, now.clause) if now else (ABSENT, "")
    return Sample(post.id, post.source, reason, alias, clause, _words(post, alias))


def _words(post: Post, alias: str) -> str:
    """What stands around the name, on one line."""
    whole = " ".join(f"{post.title or ''} {post.text or ''}".split())
    at = max(flat(whole).find(flat(alias)), 0)
    low, high = max(0, at - AROUND), at + len(alias) + AROUND
    return f"{'…' if low else ''}{whole[low:high]}{'…' if high < len(whole) else ''}"


def _lot(post: Post, seed: int) -> str:
    return hashlib.blake2b(f"{seed}\n{post.id}".encode(), digest_size=8).hexdigest()
