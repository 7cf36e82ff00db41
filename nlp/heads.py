"""What a post wants, is about, feels and tells of dangers, weighed over all that is known of it.

In:  Evidence of posts, the heads' own encoder. Out: a Leaning each: probabilities by class, and the clause
that speaks most for each. One logistic regression a class over what the encoder pools of the post and the
numbers of nlp/evidence.py; encoder and weights learned it together from posts of this project
(nlp/second/joint.py). Clauses are read only where a finding without a word needs its place.
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
from nlp.embed import Embedder
from nlp.evidence import ASPECTS, DANGERS, Evidence
from nlp.intent import PRIORITY
from nlp.linear import CLASSES, EMOTIONS
from nlp.second.tasks import POOLED

SHIPPED = Path(__file__).parent / "models" / "heads"
FILE = "weights.npz"
SARCASM = "反讽"
GROUPS: Mapping[str, tuple[str, ...]] = {
    "polarity": tuple(map(str, CLASSES)),
    "emotion": EMOTIONS,
    "intents": PRIORITY,
    "aspects": ASPECTS,
    "severity": DANGERS,
    "sarcasm": (SARCASM,),
}
PLACED = ("aspects", "severity")
ROWS = sum(map(len, GROUPS.values()))
COLUMNS = POOLED + evidence.WIDTH + 1  # the last one is the bias

Floats = NDArray[np.float32]
Likely = dict[str, dict[str, float]]  # group → class → probability
Clauses = Sequence[tuple[int, str]]  # number and words


@dataclass(frozen=True)
class Leaning:
    """Probabilities of one post by class, and the clause that says most of those that need a place."""

    polarity: Mapping[str, float]  # these sum to 1
    emotion: Mapping[str, float]
    intents: Mapping[str, float]
    aspects: Mapping[str, float]
    severity: Mapping[str, float]
    sarcasm: Mapping[str, float]
    clauses: Mapping[str, Mapping[str, tuple[int, str]]]  # group → class → clause and its words


class Heads:
    """Weights (ROWS, COLUMNS) over what `encoder` pools of a post and its numbers."""

    def __init__(self, encoder: Embedder, weights: Floats, version: str) -> None:
        self._encoder, self._weights, self.version = encoder, weights, version

    def weigh(
        self, posts: Sequence[Evidence], places: Callable[[Evidence, Likely], bool]
    ) -> list[Leaning]:
        """One Leaning a post, independent of its neighbours.

        Args:
            places: whether the clauses of a post are to be read too, so that a finding has its place.

        Raises:
            ModelError: the encoder refuses a text.
        """
        if not posts:
            return []
        whole = self._encoder.vectors([one.whole for one in posts])
        likely = [self._likely(row(*each)) for each in zip(posts, whole, strict=True)]
        asked = [places(*each) for each in zip(posts, likely, strict=True)]
        spoken = [
            evidence.spoken(p.signs) if ask else [] for p, ask in zip(posts, asked, strict=True)
        ]
        read = self._encoder.vectors([words for clauses in spoken for _, words in clauses])
        held = np.split(read, np.cumsum([len(clauses) for clauses in spoken])[:-1])
        return [
            Leaning(**groups, clauses=self._placed(rows, clauses))
            for groups, rows, clauses in zip(likely, held, spoken, strict=True)
        ]

    def _likely(self, features: Floats) -> Likely:
        """Probabilities by group and class."""
        said = dict(_grouped(sigmoid(self._weights[:, :-1] @ features + self._weights[:, -1])))
        whole = sum(said["polarity"].values()) or 1.0
        said["polarity"] = {name: p / whole for name, p in said["polarity"].items()}
        return said

    def _placed(self, held: Floats, clauses: Clauses) -> dict[str, dict[str, tuple[int, str]]]:
        """The clause that its weights like most, of each class; none of a post without clauses."""
        if not clauses:
            return {group: {} for group in PLACED}
        liked = [(self._weights[:, :POOLED] @ one).round(4) for one in held]
        best = dict(_named(np.argmax(liked, axis=0)))
        return {
            group: {name: clauses[int(n)] for name, n in best[group].items()} for group in PLACED
        }


def row(one: Evidence, pooled: Floats) -> Floats:
    """Features of a post: what the encoder pools of it, the numbers."""
    return np.concatenate([pooled, np.array(evidence.numbers(one), np.float32)])


def sigmoid(logits: Floats) -> Floats:
    """Logits as probabilities."""
    answer: Floats = (1 / (1 + np.exp(-logits))).astype(np.float32)
    return answer


def _grouped(said: Floats) -> Iterator[tuple[str, dict[str, float]]]:
    for group, values in _named(said):
        yield group, {name: round(float(p), 4) for name, p in values.items()}


def _named(values: NDArray[np.generic]) -> Iterator[tuple[str, dict[str, float]]]:
    """ROWS values by group and class."""
    at = 0
    for group, names in GROUPS.items():
        yield group, dict(zip(names, values[at : at + len(names)].tolist(), strict=True))
        at += len(names)


def load(folder: Path = SHIPPED) -> Heads:
    """The heads of a folder, with the encoder that learned with them.

    Raises:
        ModelError: a file is missing or damaged, not the heads that this code asks, or heads of another encoder.
    """
    encoder, path = Embedder(folder, width=POOLED), folder / FILE
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with np.load(path, allow_pickle=False) as held:
            posts, learnt_with = held["posts"].astype(np.float32), str(held["encoder"])
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: no weights of heads; restore it: {error}") from error
    if posts.shape != (ROWS, COLUMNS):
        raise ModelError(f"{path}: posts are {posts.shape}, {(ROWS, COLUMNS)} needed; restore it")
    if learnt_with != encoder.digest:
        raise ModelError(
            f"{path}: learnt with the encoder {learnt_with[:12]}, not {encoder.digest[:12]}; restore "
            "both, or run keqing train --stage heads and python -m bench.golden.teach --write"
        )
    return Heads(encoder, posts, f"heads-{digest[:12]}")
