"""Aspects by likeness, where no word of the lists speaks: 座椅弹簧顶出来了 is about quality.

In:  the clauses of one post, the shipped embedder. Out: the clauses that surely bear an aspect,
with its name and how sure that is. A logistic regression over clause vectors, taught by the
project's own golden posts (python -m bench.golden.teach); lists of words always come first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keqing.errors import ModelError
from nlp.clauses import Clauses
from nlp.embed import WIDTH, Embedder

SHIPPED = Path(__file__).parent / "models" / "likened" / "weights.npy"
NAMES = (
    "承诺", "品质", "实用", "愉悦", "尊重", "价格", "物流", "售后", "门店", "安全", "隐私",
)  # fmt: skip
SURE = 0.55  # of 21 posts of a round that taught nothing 15 were right above it, of 7 below it 2
SHORT, LONG = 6, 40  # characters of a clause that says something of one thing
MOST = 8  # clauses that are looked at: what a post is about stands in its beginning
MARKS = " \t\n，,。.！!？?~；;、…"

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Likeness:
    """A clause, as number and words, and the aspect that it most surely bears."""

    clause: int
    words: str
    name: str
    p: float


class Likened:
    """Weights over clause vectors: (aspects, WIDTH + 1), the last column the bias."""

    def __init__(self, embedder: Embedder, path: Path = SHIPPED) -> None:
        try:
            body = path.read_bytes()
            weights = np.load(path, allow_pickle=False).astype(np.float32)
        except (OSError, ValueError) as error:
            raise ModelError(f"{path}: no weights of aspects; restore it: {error}") from error
        if weights.shape != (len(NAMES), WIDTH + 1):
            raise ModelError(f"{path}: {weights.shape} weights, {len(NAMES)} × {WIDTH + 1} needed")
        self.version = f"likened-{hashlib.sha256(body).hexdigest()[:12]}"
        self._embedder, self._weights = embedder, weights

    def find(self, clauses: Clauses) -> list[Likeness]:
        """The surest aspect of each clause that is sure enough, in order of place."""
        numbered = spoken(clauses)[:MOST]
        if not numbered:
            return []
        p = probabilities(self._weights, self._embedder.vectors([words for _, words in numbered]))
        return [
            Likeness(number, words, NAMES[int(row.argmax())], round(float(row.max()), 4))
            for (number, words), row in zip(numbered, p, strict=True)
            if row.max() >= SURE
        ]


def spoken(clauses: Clauses) -> list[tuple[int, str]]:
    """Number and bare words of each clause of a length that says one thing."""
    bare = [(number, clauses.words(number).strip(MARKS)) for number in range(len(clauses))]
    return [(number, words) for number, words in bare if SHORT <= len(words) <= LONG]


def probabilities(weights: Floats, vectors: Floats) -> Floats:
    """(clauses, aspects) between 0 and 1."""
    answer: Floats = 1 / (1 + np.exp(-(vectors @ weights[:, :-1].T + weights[:, -1])))
    return answer
