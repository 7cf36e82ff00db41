"""What a story is about, as weighted terms, and a name for what several stories are about.

In:  a Reading, frozen inverse document frequencies. Out: a dict of term → weight with norm 1: tokens
with tf-idf, names of products and danger classes twice. The brand's own names tell nothing between
events of the brand and are left out.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from nlp.features import Floats, word_columns
from nlp.said import Reading
from nlp.segment import stop_words

MAX_TERMS = 40
TWICE = 2.0
SURE = 0.5
DANGER = "§"  # before a danger class: never part of a name
NAME_TERMS = 3
Rarity = Callable[[Sequence[str]], Sequence[float]]


def rarity(idf: Floats) -> Rarity:
    """Inverse document frequencies of words, as the first stage's model froze them."""

    def of(words: Sequence[str]) -> Sequence[float]:
        values: Sequence[float] = idf[word_columns(words)].tolist()
        return values

    return of


def terms(said: Reading, brand: str, names: Iterable[str], rare: Rarity) -> dict[str, float]:
    """Terms of a post for one brand, the weightiest 40, in alphabetical order.

    Args:
        names: all writings of the brand, flat.
    """
    left_out = set(names) | stop_words()
    tokens = [*said.title_tokens, *said.tokens]
    counts = Counter(t for t in tokens if len(t) > 1 and t not in left_out and not _number(t))
    words = sorted(counts)
    products = {hit.alias.lower() for hit in said.matches.hits if hit.brand == brand}
    weights = {
        word: (1 + math.log(counts[word])) * rare_ * (TWICE if word in products else 1.0)
        for word, rare_ in zip(words, rare(words), strict=True)
    }
    top = max(weights.values(), default=1.0)
    danger = {hit.name for hit in said.severity if hit.confidence >= SURE}
    weights |= {f"{DANGER}{found}": TWICE * top for found in danger}
    kept = sorted(weights, key=lambda term: (-weights[term], term))[:MAX_TERMS]
    return normal({term: weights[term] for term in sorted(kept)})


def normal(weights: Mapping[str, float]) -> dict[str, float]:
    """The same with norm 1, 4 decimals; empty stays empty."""
    norm = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {term: round(weight / norm, 4) for term, weight in weights.items() if norm}


def cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Cosine of two weighted term sets of norm 1."""
    small, large = (one, other) if len(one) <= len(other) else (other, one)
    return sum(weight * large[term] for term, weight in small.items() if term in large)


def name(stories: Iterable[Mapping[str, float]]) -> str:
    """The most telling terms of some stories, joined: `塑料片·青提冻·喉咙`."""
    total: dict[str, float] = {}
    for story in stories:
        for term, weight in story.items():
            if not term.startswith(DANGER):
                total[term] = total.get(term, 0.0) + weight
    best = sorted(total, key=lambda term: (-round(total[term], 6), term))
    return "·".join(best[:NAME_TERMS])


def _number(token: str) -> bool:
    return any(char.isdigit() for char in token)
