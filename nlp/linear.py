"""First stage: linear heads over hashed features, in numpy.

In:  texts; a folder with `weights.npz` (float16) and `card.toml`.
Out: probabilities of negative, neutral, positive, the decided polarity, complaint, emotion.
Two heads make three classes: u = neutral, q = negative of the polar rest;
p = (q(1 - u), u, (1 - q)(1 - u)). Fitting is train.py's work.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from keqing.errors import ModelError
from keqing.records import Polarity
from nlp.features import SIZE, Batch, Floats, featurise

SHIPPED = Path(__file__).parent / "models" / "linear"
CLASSES = (Polarity.NEGATIVE, Polarity.NEUTRAL, Polarity.POSITIVE)
EMOTIONS = ("愤怒", "厌恶", "悲伤", "担忧", "喜悦", "惊讶", "无")
HEADS = ("neutral", "negative", "complaint")


@dataclass(frozen=True)
class Scores:
    """Answers for a batch, one row a text; probabilities with 4 decimals that sum to 1."""

    p: NDArray[np.float64]  # columns as CLASSES
    polarity: list[Polarity]
    complaint: NDArray[np.float64]
    emotion: list[str]
    logits: NDArray[np.float64]  # columns neutral, negative, complaint; calibrated

    def rows(self, chosen: Sequence[int]) -> Scores:
        """These rows alone, in this order."""
        at = np.array(chosen, np.int64)
        return Scores(self.p[at], [self.polarity[n] for n in chosen], self.complaint[at],
                      [self.emotion[n] for n in chosen], self.logits[at])  # fmt: skip

    def put(self, chosen: Sequence[int], other: Scores) -> Scores:
        """A copy with the rows of `other` in these places."""
        at = np.array(chosen, np.int64)
        p, complaint, logits = self.p.copy(), self.complaint.copy(), self.logits.copy()
        p[at], complaint[at], logits[at] = other.p, other.complaint, other.logits
        polarity, emotion = list(self.polarity), list(self.emotion)
        for n, said, felt in zip(chosen, other.polarity, other.emotion, strict=True):
            polarity[n], emotion[n] = said, felt
        return Scores(p, polarity, complaint, emotion, logits)


@dataclass(frozen=True)
class Model:
    """Weights of all heads and how their scores become probabilities and decisions.

    `calibration` holds slope and offset per head; `bias` is added to log p of negative and
    neutral before the argmax.
    """

    idf: Floats
    weights: Mapping[str, Floats]
    emotion: Floats  # one row a class of EMOTIONS, over folded buckets; empty when not trained
    calibration: Mapping[str, tuple[float, float]]
    bias: tuple[float, float]
    version: str

    def score(self, texts: Sequence[str]) -> Scores:
        """Answers for `texts`, each independent of its neighbours."""
        if not texts:
            return Scores(np.zeros((0, 3)), [], np.zeros(0), [], np.zeros((0, 3)))
        batch = featurise(texts, self.idf)
        logits = np.stack([self.logit(head, batch) for head in HEADS], axis=1)
        u, q, c = sigmoid(logits).T
        p = rounded(np.stack([q * (1 - u), u, (1 - q) * (1 - u)], axis=1))
        return Scores(p, self.decide(p), c, self._emotions(batch), logits)

    def logit(self, head: str, batch: Batch) -> NDArray[np.float64]:
        """Calibrated logit of one head for each row."""
        slope, offset = self.calibration[head]
        return slope * dot(batch, self.weights[head]) + offset

    def decide(self, p: NDArray[np.float64]) -> list[Polarity]:
        """Polarity of each row of `p` under the decision biases."""
        shift = np.array([self.bias[0], self.bias[1], 0.0])
        return [CLASSES[i] for i in np.argmax(np.log(np.maximum(p, 1e-6)) + shift, axis=1)]

    def _emotions(self, batch: Batch) -> list[str]:
        if not self.emotion.size:
            return [EMOTIONS[-1]] * len(batch)
        products = self._felt[batch.columns % len(self._felt)] * batch.wide[:, None]
        scores = summed(batch, products) + self.emotion[:, -1]
        return [EMOTIONS[i] for i in np.argmax(scores, axis=1)]

    @cached_property
    def _felt(self) -> Floats:
        """Weights of all emotions side by side, a bucket a row: one look-up for all of them."""
        return np.ascontiguousarray(self.emotion[:, :-1].T)


def dot(batch: Batch, weights: Floats) -> NDArray[np.float64]:
    """Product of each row with `weights`."""
    return summed(batch, batch.wide * weights[batch.columns])


def summed(batch: Batch, entries: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of the entries of each row, by itself: it does not depend on the batch it stands in.

    Every row has entries: an empty text has its two edges.
    """
    sums: NDArray[np.float64] = np.add.reduceat(entries, batch.starts[:-1], axis=0)
    return sums


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logistic function."""
    answer: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-np.clip(x, -40, 40)))
    return answer


def rounded(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Four decimals that sum to exactly 1; the largest takes the rest."""
    parts = np.round(p * 10_000).astype(np.int64)
    rest = 10_000 - parts.sum(axis=1)
    parts[np.arange(len(parts)), parts.argmax(axis=1)] += rest
    answer: NDArray[np.float64] = parts / 10_000
    return answer


def folder_of(named: str, root: Path) -> Path:
    """Where the model of `[nlp] model` lies: `builtin`, or a folder relative to keqing.toml."""
    return SHIPPED if named == "builtin" else root / named


@cache
def load(folder: Path = SHIPPED) -> Model:
    """Read a model folder, checking the weights against the card.

    Raises:
        ModelError: missing, damaged, or not of this program's shape.
    """
    try:
        card = tomllib.loads((folder / "card.toml").read_text(encoding="utf-8"))
        body = (folder / "weights.npz").read_bytes()
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"{folder}: no readable model ({error}); run keqing train") from error
    digest = hashlib.sha256(body).hexdigest()
    if digest != card["weights"]["sha256"]:
        raise ModelError(f"{folder}/weights.npz: sha256 {digest} is not the card's; restore it")
    return _model(folder, card, digest[:12])


def _model(folder: Path, card: Mapping[str, Mapping[str, object]], version: str) -> Model:
    try:
        with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
            held = {name: arrays[name].astype(np.float32) for name in arrays.files}
    except (BadZipFile, ValueError) as error:
        raise ModelError(f"{folder}/weights.npz: not a plain npz: {error}") from error
    wrong = [h for h in (*HEADS, "idf") if held.get(h, np.zeros(0)).shape != (SIZE,)]
    if wrong:
        raise ModelError(f"{folder}/weights.npz: {', '.join(wrong)} must have {SIZE} entries")
    scale = {h: (float(card[h]["slope"]), float(card[h]["offset"])) for h in HEADS}  # type: ignore[arg-type]
    bias = float(card["decision"]["negative"]), float(card["decision"]["neutral"])  # type: ignore[arg-type]
    heads = {head: held[head] for head in HEADS}
    emotion = held.get("emotion", np.zeros((0, 0), np.float32))
    return Model(held["idf"], heads, emotion, scale, bias, f"linear-{version}")
