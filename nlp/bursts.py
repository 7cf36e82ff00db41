"""Terms that rise: what is said of a brand now against what was said before.

In:  stories (distinct tellings) of now and before: words and author of each. Out: rising terms.
Counted are stories, so that copies weigh once; the score is the log-likelihood ratio of both rates with
half a story added to each side, positive only for a rise.

Source: Dunning 1993, Computational Linguistics 19(1), Accurate methods for the statistics of surprise.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

FEWEST_STORIES = 5
FEWEST_AUTHORS = 3
SHRINK = 0.5


@dataclass(frozen=True)
class Telling:
    """One story: who told it first, and its words."""

    author: str
    words: frozenset[str]


@dataclass(frozen=True)
class Burst:
    """A term with its stories now and before and its log-likelihood ratio."""

    term: str
    now: int
    before: int
    score: float


def bursts(now: Sequence[Telling], before: Sequence[Telling], top: int = 20) -> list[Burst]:
    """The terms that rose most, at most `top`."""
    stories: dict[str, int] = defaultdict(int)
    authors: dict[str, set[str]] = defaultdict(set)
    for one in now:
        for word in one.words:
            stories[word] += 1
            authors[word].add(one.author)
    past: dict[str, int] = defaultdict(int)
    for one in before:
        for word in one.words & stories.keys():
            past[word] += 1
    found = [
        Burst(word, n, past[word], round(_ratio(n, len(now), past[word], len(before)), 3))
        for word, n in stories.items()
        if n >= FEWEST_STORIES and len(authors[word]) >= FEWEST_AUTHORS
    ]
    rising = [one for one in found if one.score > 0]
    return sorted(rising, key=lambda one: (-one.score, one.term))[:top]


def _ratio(a: int, n: int, b: int, m: int) -> float:
    """2 log(likelihood of two rates / of one rate); negative when the term fell."""
    x, y, p, q = a + SHRINK, b + SHRINK, n + 2 * SHRINK, m + 2 * SHRINK
    one = (x + y) / (p + q)
    value = 2 * (_log(x, p, x / p) + _log(y, q, y / q) - _log(x, p, one) - _log(y, q, one))
    return value if x / p > y / q else -value


def _log(hits: float, of: float, rate: float) -> float:
    return hits * math.log(rate) + (of - hits) * math.log(1 - rate)
