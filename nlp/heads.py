"""What a post wants, is about, feels and tells of dangers, weighed over all that is known of it.

In:  Evidence of posts, the shipped embedder. Out: a Leaning each: probabilities by class, and the clause
that speaks most for each. One logistic regression a class over the vector of the post and the numbers
of nlp/evidence.py; the project's own posts taught it (python -m bench.golden.teach). Vectors cost more
than all else here, so those of clauses are made only where a finding without a word needs its place.
What is made of a probability is decided in nlp/weighed.py.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keqing.errors import ModelError
from nlp import evidence
from nlp.embed import WIDTH, Embedder, signed
from nlp.evidence import ASPECTS, DANGERS, Evidence
from nlp.intent import PRIORITY
from nlp.linear import CLASSES, EMOTIONS

SHIPPED = Path(__file__).parent / "models" / "heads" / "weights.npz"
GROUPS: Mapping[str, tuple[str, ...]] = {
    "polarity": tuple(map(str, CLASSES)),
    "emotion": EMOTIONS,
    "intents": PRIORITY,
    "aspects": ASPECTS,
    "severity": DANGERS,
}
ROWS = sum(map(len, GROUPS.values()))
COLUMNS = WIDTH + evidence.WIDTH + 1  # the last one is the bias

Floats = NDArray[np.float32]
Likely = dict[str, dict[str, float]]  # group → class → probability


@dataclass(frozen=True)
class Leaning:
    """Probabilities of one post by class, and the clause that says most of those that need a place."""

    polarity: Mapping[str, float]  # these sum to 1
    emotion: Mapping[str, float]
    intents: Mapping[str, float]
    aspects: Mapping[str, float]
    severity: Mapping[str, float]
    clauses: Mapping[str, Mapping[str, tuple[int, str]]]  # group → class → clause and its words
    vector: bytes | None = None  # of the whole post, signed: events take it too


class Heads:
    """Weights (ROWS, COLUMNS) over posts and (aspects, WIDTH + 1) over single clauses."""

    def __init__(self, embedder: Embedder, posts: Floats, places: Floats, version: str) -> None:
        self._embedder, self._posts, self._places = embedder, posts, places
        self.version = version

    def weigh(
        self, posts: Sequence[Evidence], places: Callable[[Evidence, Likely], bool]
    ) -> list[Leaning]:
        """One Leaning a post, independent of its neighbours.

        Args:
            places: whether the clauses of a post are to be read too, so that a finding has its place.

        Raises:
            ModelError: the embedder refuses a text.
        """
        whole = self._embedder.vectors([one.whole for one in posts])
        likely = [self._likely(row(*each)) for each in zip(posts, whole, strict=True)]
        asked = [places(*each) for each in zip(posts, likely, strict=True)]
        spoken = [
            evidence.spoken(p.signs) if ask else [] for p, ask in zip(posts, asked, strict=True)
        ]
        held = vectors(self._embedder, spoken)
        return [
            Leaning(**groups, clauses=self._placed(vectors_, clauses), vector=signed(vector))
            for groups, vectors_, clauses, vector in zip(likely, held, spoken, whole, strict=True)
        ]

    def _likely(self, features: Floats) -> Likely:
        """Probabilities by group and class."""
        said = dict(_grouped(sigmoid(self._posts[:, :-1] @ features + self._posts[:, -1])))
        whole = sum(said["polarity"].values()) or 1.0
        said["polarity"] = {name: p / whole for name, p in said["polarity"].items()}
        return said

    def _placed(
        self, held: Floats, clauses: Sequence[tuple[int, str]]
    ) -> dict[str, dict[str, tuple[int, str]]]:
        """The clause that says most of each aspect and danger."""
        return {
            "aspects": _best(ASPECTS, self._places, held, clauses),
            "severity": _best(DANGERS, self._dangers, held, clauses),
        }

    @property
    def _dangers(self) -> Floats:
        """What the dangers' heads make of a vector, for want of labels by clause."""
        rows = self._posts[-len(DANGERS) :]
        answer: Floats = np.hstack([rows[:, :WIDTH], rows[:, -1:]])
        return answer


def vectors(embedder: Embedder, spoken: Sequence[Sequence[tuple[int, str]]]) -> list[Floats]:
    """Vectors of the clauses of each post; all in one call."""
    every = embedder.vectors([words for clauses in spoken for _, words in clauses])
    ends = np.cumsum([len(clauses) for clauses in spoken])
    return np.split(every, ends[:-1]) if spoken else []


def row(one: Evidence, whole: Floats) -> Floats:
    """Features of a post: its vector, the numbers."""
    return np.concatenate([whole, np.array(evidence.numbers(one), np.float32)])


def sigmoid(logits: Floats) -> Floats:
    """Logits as probabilities."""
    answer: Floats = (1 / (1 + np.exp(-logits))).astype(np.float32)
    return answer


def _grouped(said: Floats) -> Iterator[tuple[str, dict[str, float]]]:
    at = 0
    for group, names in GROUPS.items():
        values = said[at : at + len(names)]
        yield group, {n: round(float(p), 4) for n, p in zip(names, values, strict=True)}
        at += len(names)


def _best(
    names: Sequence[str], weights: Floats, held: Floats, clauses: Sequence[tuple[int, str]]
) -> dict[str, tuple[int, str]]:
    """The clause of each class that its weights like most; none of a post without clauses."""
    if not clauses:
        return {}
    liked = [(weights[:, :-1] @ vector + weights[:, -1]).round(4) for vector in held]
    best = np.argmax(liked, axis=0)
    return {name: clauses[int(n)] for name, n in zip(names, best, strict=True)}


def load(embedder: Embedder, path: Path = SHIPPED) -> Heads:
    """The heads of a file.

    Raises:
        ModelError: no file, or not the heads that this code asks.
    """
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with np.load(path, allow_pickle=False) as held:
            posts, places = (held[name].astype(np.float32) for name in ("posts", "places"))
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: no weights of heads; restore it: {error}") from error
    for name, found, wanted in (
        ("posts", posts.shape, (ROWS, COLUMNS)),
        ("places", places.shape, (len(ASPECTS), WIDTH + 1)),
    ):
        if found != wanted:
            raise ModelError(f"{path}: {name} are {found}, {wanted} needed; restore it")
    return Heads(embedder, posts, places, f"heads-{digest[:12]}")
