"""What people talk of beside the taxonomy: stories put together by their embeddings (自动聚类).

In:  stories with words, vector and whether they are negative. Out: themes with a label, a size, the
negative share and the posts nearest to their centre; stories that belong to none are the rest. Nothing
is fitted for later: the same stories, in any order, give the same themes.

Source: Grootendorst 2022, arXiv:2203.05794 (labels by class-based TF-IDF, here counted in stories).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from keqing.errors import TooLittleHistory, UsageError
from nlp.clusters import Floats, centred, clusters, cohesion, space, unit

FEWEST = 30  # stories; under that clusters are chance
MOST = 20_000  # stories taken, evenly over those given: neighbours cost the square
SMALLEST = 5  # stories of a theme, and a fiftieth of all
COHESION = 0.05  # least mean cosine of two of a theme's stories, all centred: strangers have 0
LABELS = 4
SHOWN = 3


@dataclass(frozen=True)
class Telling:
    """One story: its first post, its words, its unit vector, whether it is negative."""

    post: str
    words: frozenset[str]
    vector: Floats
    negative: bool = False


@dataclass(frozen=True)
class Theme:
    """Stories of one matter; `posts` are the nearest to its centre, `cohesion` the mean cosine of two."""

    label: tuple[str, ...]
    size: int
    negative: float
    cohesion: float
    posts: tuple[str, ...]


@dataclass(frozen=True)
class Themes:
    """Themes, largest first, and how many stories belong to none; `k` clusters were looked for."""

    themes: tuple[Theme, ...]
    rest: int
    stories: int
    k: int


def themes(told: Sequence[Telling], k: int | None = None, left_out: Collection[str] = ()) -> Themes:
    """Themes of some stories.

    Args:
        k: number of clusters; None tries 3 to 12 and takes the best silhouette.
        left_out: words that label nothing: stop words, names of brands.

    Raises:
        TooLittleHistory: fewer than FEWEST stories; says how many there are.
        UsageError: k is under 2, or there are not three stories a cluster.
    """
    if len(told) < FEWEST:
        raise TooLittleHistory(f"{len(told)} stories, at least {FEWEST} are needed for themes")
    if k is not None and not 2 <= k <= len(told) // 3:
        raise UsageError(f"k = {k}: 2 to {len(told) // 3} clusters for {len(told)} stories")
    ordered = sorted(told, key=lambda one: one.post)
    if len(ordered) > MOST:
        ordered = [ordered[n * len(ordered) // MOST] for n in range(MOST)]
    vectors = np.stack([one.vector for one in ordered])
    place, flat = space(vectors), centred(vectors)
    groups = clusters(place, k)
    members = [np.flatnonzero(groups == n) for n in np.unique(groups)]
    kept = [m for m in members if _is_theme(flat[m], len(ordered))]
    words = _labels([[ordered[n].words for n in m] for m in kept], left_out)
    found = [
        _theme([ordered[n] for n in m], place[m], cohesion(flat[m]), said)
        for m, said in zip(kept, words, strict=True)
    ]
    found = sorted((one for one in found if one.label), key=lambda one: (-one.size, one.posts))
    rest = len(ordered) - sum(one.size for one in found)
    return Themes(tuple(found), rest, len(ordered), len(members))


def _is_theme(rows: Floats, stories: int) -> bool:
    return len(rows) >= max(SMALLEST, stories / 50) and cohesion(rows) >= COHESION


def _theme(told: Sequence[Telling], place: Floats, close: float, label: tuple[str, ...]) -> Theme:
    near = place @ unit(place.mean(axis=0)[None])[0]
    ranked = sorted(range(len(told)), key=lambda n: (-round(float(near[n]), 5), told[n].post))
    negative = sum(one.negative for one in told) / len(told)
    posts = tuple(told[n].post for n in ranked[:SHOWN])
    return Theme(label, len(told), round(negative, 4), round(close, 3), posts)


def _labels(
    groups: Sequence[Sequence[Collection[str]]], left_out: Collection[str]
) -> list[tuple[str, ...]]:
    """The words of each cluster that are frequent in it and not elsewhere; none twice in another."""
    counts = [Counter(word for words in group for word in words) for group in groups]
    total = sum(counts, Counter[str]())
    mean = total.total() / max(1, len(counts))
    return [_telling(count, len(group), total, mean, left_out)
            for count, group in zip(counts, groups, strict=True)]  # fmt: skip


def _telling(
    count: Counter[str], stories: int, total: Counter[str], mean: float, left_out: Collection[str]
) -> tuple[str, ...]:
    weights = {
        word: n / stories * math.log(1 + mean / total[word])
        for word, n in count.items()
        if n > 1 and len(word) > 1 and word not in left_out and not any(map(str.isdigit, word))
    }
    picked: list[str] = []
    for word in sorted(weights, key=lambda word: (-weights[word], word)):
        if not any(word in other or other in word for other in picked):
            picked.append(word)
    return tuple(picked[:LABELS])
