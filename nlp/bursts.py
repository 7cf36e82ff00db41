"""Terms that rise: what is said of a brand now against what was said before, each matter once.

In:  stories (distinct tellings) of now and before: words and author of each. Out: rising terms.
Counted are stories, so that copies weigh once; the score is the log-likelihood ratio of both rates with
half a story added to each side, positive only for a rise. Five words of one matter rise together: the
strongest is taken, and a word of its stories is a rise of its own only by stories that it does not share.

Source: Dunning 1993, Computational Linguistics 19(1), Accurate methods for the statistics of surprise.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FEWEST_STORIES = 4
FEWEST_AUTHORS = 3
SHRINK = 0.5
BESIDE = 4  # words that are told along with a rise


@dataclass(frozen=True)
class Telling:
    """One story: who told it first, and its words."""

    author: str
    words: frozenset[str]


@dataclass(frozen=True)
class Burst:
    """A term with its stories now and before and its log-likelihood ratio.

    `beside`: other rising words that its stories tell along with it, the strongest first.
    """

    term: str
    now: int
    before: int
    score: float
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Rates:
    """How often words stand in the stories of now (`n`) and of before (`m`)."""

    n: int
    m: int
    past: Counter[str]

    def score(self, word: str, stories: int) -> float:
        return _ratio(stories, self.n, self.past[word], self.m)


def bursts(now: Sequence[Telling], before: Sequence[Telling], top: int = 20) -> list[Burst]:
    """The rises that are strongest, at most `top`."""
    told = {word: stories for word, stories in _told(now).items() if _several(stories, now)}
    past = Counter(word for one in before for word in one.words if word in told)
    rates = _Rates(len(now), len(before), past)
    rising = {
        word: stories for word, stories in told.items() if rates.score(word, len(stories)) > 0
    }
    return sorted(_apart(rising, rates, top), key=lambda one: (-one.score, one.term))


def _told(now: Sequence[Telling]) -> dict[str, set[int]]:
    """The stories that tell each word, by their place."""
    stories: dict[str, set[int]] = defaultdict(set)
    for n, one in enumerate(now):
        for word in one.words:
            stories[word].add(n)
    return stories


def _several(stories: set[int], now: Sequence[Telling]) -> bool:
    authors = {now[n].author for n in stories}
    return len(stories) >= FEWEST_STORIES and len(authors) >= FEWEST_AUTHORS


def _apart(rising: dict[str, set[int]], rates: _Rates, top: int) -> Iterator[Burst]:
    """The strongest word by stories that no stronger one tells, again and again."""
    left = {word: set(stories) for word, stories in rising.items()}
    for _ in range(top):
        ranked = sorted(((rates.score(w, len(s)), w) for w, s in left.items()), reverse=True)
        if not ranked or ranked[0][0] <= 0:
            return
        best = ranked[0][1]
        gone = left.pop(best)
        for stories in left.values():
            stories -= gone
        shared = [word for _, word in ranked if len(left.get(word, gone)) < FEWEST_STORIES]
        for word in shared:
            left.pop(word)
        whole = len(rising[best])
        score = round(rates.score(best, whole), 3)
        yield Burst(best, whole, rates.past[best], score, tuple(shared[:BESIDE]))


def _ratio(a: int, n: int, b: int, m: int) -> float:
    """2 log(likelihood of two rates / of one rate); negative when the term fell."""
    x, y, p, q = a + SHRINK, b + SHRINK, n + 2 * SHRINK, m + 2 * SHRINK
    one = (x + y) / (p + q)
    value = 2 * (_log(x, p, x / p) + _log(y, q, y / q) - _log(x, p, one) - _log(y, q, one))
    return value if x / p > y / q else -value


def _log(hits: float, of: float, rate: float) -> float:
    return hits * math.log(rate) + (of - hits) * math.log(1 - rate)
