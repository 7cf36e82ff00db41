"""What staff's corrections taught of polarity: a small linear layer over both stages' answer.

In:  posts of the half that may train, with the polarity that a person gave and the one the models
gave. Out: a House, which moves p of neutral and of negative by weights on the first stage's hashed
features. A Gaussian prior around "no change" keeps it near the models; how near is chosen on held-out
stories. There is no intercept: staff look at posts that struck them, and their mix of classes is not
that of all posts. The file holds buckets and numbers, no text.

Source: Chelba & Acero 2004, EMNLP, Adaptation of maximum entropy capitalizer.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from keqing.errors import ModelError, UsageError
from keqing.private import private_folder
from keqing.records import Polarity
from nlp.features import Batch, Floats, Ints, featurise
from nlp.linear import Model, rounded, sigmoid

FOLDER, FILE = "house", "house.npz"
FEWEST, FOLDS = 30, 5
PRIORS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # precision of the prior, loosest first
LEAST = 1e-4  # p is kept with four decimals

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Lesson:
    """One corrected post: as the models read it, p (negative, neutral, positive) and the truth."""

    text: str  # title and text as one
    p: tuple[float, float, float]
    truth: Polarity
    story: str  # copies of one text are never in two folds


@dataclass(frozen=True)
class House:
    """Weights (len(columns), 2) of the heads neutral and negative on sorted buckets."""

    columns: Ints
    weights: Floats
    made_for: str  # version of the first stage whose features these are

    @property
    def version(self) -> str:
        """Changes with any weight."""
        body = self.columns.tobytes() + self.weights.tobytes()
        return f"house-{hashlib.sha256(body).hexdigest()[:12]}"

    def moved(self, p: Array, texts: Sequence[str], idf: Floats) -> Array:
        """`p` (len(texts), 3) after what was learned; each row by itself."""
        by = self._sums(featurise(texts, idf))
        u, q = _logits(p)
        return _three(u + by[:, 0], q + by[:, 1])

    def _sums(self, batch: Batch) -> Array:
        at = np.minimum(np.searchsorted(self.columns, batch.columns), len(self.columns) - 1)
        known = self.columns[at] == batch.columns
        rows, value = batch.rows[known], batch.wide[known]
        held = self.weights[at[known]]
        heads = [np.bincount(rows, value * held[:, n], minlength=len(batch)) for n in range(2)]
        return np.stack(heads, axis=1)


@dataclass(frozen=True)
class Learned:
    """A House and how its folds did: mean log loss of held-out lessons, before and with it."""

    house: House
    prior: float
    loss_before: float
    loss_after: float


def learn(lessons: Sequence[Lesson], first: Model) -> Learned:
    """Fit on these lessons; the same lessons give the same bytes.

    Raises:
        UsageError: fewer than FEWEST lessons, or all of one polarity.
    """
    kinds = {lesson.truth for lesson in lessons}
    if len(lessons) < FEWEST or len(kinds) < 2:
        raise UsageError(
            f"可用于训练的极性更正 {len(lessons)} 条、{len(kinds)} 类；至少要 {FEWEST} 条、两类"
            " (too few corrections of the training half)"
        )
    rows = _Rows.of(lessons, first)
    losses = {prior: rows.held_out(prior) for prior in PRIORS}
    prior = min(PRIORS, key=lambda one: losses[one])
    weights = rows.fit(prior)
    used = np.abs(weights).max(axis=1) > 0
    house = House(rows.columns[used], weights[used].astype(np.float32), first.version)
    return Learned(house, prior, rows.loss(np.zeros_like(weights)), losses[prior])


def load(folder: Path, first: Model) -> House | None:
    """What was learned in an installation; None where nothing was.

    Raises:
        ModelError: the file is damaged or belongs to another first stage; names the verb that repeats it.
    """
    path = folder / FILE
    if not path.exists():
        return None
    again = "repeat keqing train --corrections, or remove it"
    try:
        with np.load(path, allow_pickle=False) as held:
            house = House(
                held["columns"].astype(np.int64),
                held["weights"].astype(np.float32),
                str(held["made_for"]),
            )
        if house.weights.shape != (len(house.columns), 2) or not len(house.columns):
            raise ValueError("wrong shape")
    except (OSError, BadZipFile, ValueError, KeyError) as error:
        raise ModelError(f"{path}: damaged ({error}); {again}") from error
    if house.made_for != first.version:
        raise ModelError(f"{path}: made for {house.made_for}, not {first.version}; {again}")
    return house


def save(folder: Path, house: House) -> None:
    """Write what was learned, whole or not at all."""
    private_folder(folder)
    body = io.BytesIO()
    np.savez_compressed(
        body, allow_pickle=False, columns=house.columns.astype(np.int32), weights=house.weights,
        made_for=np.array(house.made_for),
    )  # fmt: skip
    aside = folder / f".{FILE}.{os.getpid()}"
    with open(aside, "wb") as file:
        file.write(body.getvalue())
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, folder / FILE)


@dataclass(frozen=True)
class _Rows:
    """Lessons as sparse rows over the buckets that occur in them."""

    columns: Ints
    row: Ints
    place: Ints
    value: Array
    logits: Array  # (lessons, 2): neutral, negative
    known: NDArray[np.int8]  # (lessons, 2): 1 yes, 0 no, -1 says nothing
    fold: Ints

    @classmethod
    def of(cls, lessons: Sequence[Lesson], first: Model) -> _Rows:
        batch = featurise([lesson.text for lesson in lessons], first.idf)
        columns, place = np.unique(batch.columns, return_inverse=True)
        u, q = _logits(np.array([lesson.p for lesson in lessons]))
        known = [
            (1, -1) if one.truth == Polarity.NEUTRAL else (0, int(one.truth == Polarity.NEGATIVE))
            for one in lessons
        ]
        folds = [hashlib.sha256(one.story.encode()).digest()[1] % FOLDS for one in lessons]
        return cls(columns, batch.rows, place, batch.wide, np.stack([u, q], axis=1),
                   np.array(known, np.int8), np.array(folds))  # fmt: skip

    def fit(self, prior: float, without: int = -1) -> Array:
        """Weights (buckets, 2) from the lessons outside one fold."""
        heads = [self._head(n, prior, (self.known[:, n] >= 0) & (self.fold != without))
                 for n in range(2)]  # fmt: skip
        return np.stack(heads, axis=1)

    def held_out(self, prior: float) -> float:
        """Mean log loss of lessons that the weights did not learn from."""
        total = count = 0.0
        for fold in np.unique(self.fold):
            mine = self.fold == fold
            total += self.loss(self.fit(prior, int(fold)), mine) * (self.known[mine] >= 0).sum()
            count += (self.known[mine] >= 0).sum()
        return float(total / count)

    def loss(self, weights: Array, which: NDArray[np.bool_] | None = None) -> float:
        """Mean log loss of both heads on some lessons."""
        rows = np.ones(len(self.fold), bool) if which is None else which
        told = (self.known >= 0) & rows[:, None]
        z = self.logits + np.stack([self._dot(weights[:, n]) for n in range(2)], axis=1)
        sign = np.where(self.known == 1, 1.0, -1.0)
        return float(np.logaddexp(0.0, -sign * z)[told].mean())

    def _head(self, n: int, prior: float, told: NDArray[np.bool_]) -> Array:
        from scipy.optimize import minimize

        sign = np.where(self.known[:, n] == 1, 1.0, -1.0) * told

        def cost(weights: Array) -> tuple[float, Array]:
            z = sign * (self.logits[:, n] + self._dot(weights))
            slope = -sign * sigmoid(-z)
            pull = np.bincount(self.place, self.value * slope[self.row], len(self.columns))
            fit = float(np.logaddexp(0.0, -z)[told].sum())
            return fit + prior / 2 * float(weights @ weights), pull + prior * weights

        start = np.zeros(len(self.columns))
        return np.asarray(minimize(cost, start, jac=True, method="L-BFGS-B").x)

    def _dot(self, weights: Array) -> Array:
        sums = np.bincount(self.row, self.value * weights[self.place], len(self.fold))
        return np.asarray(sums, np.float64)


def _logits(p: Array) -> tuple[Array, Array]:
    """Of neutral, and of negative among the polar rest."""
    held = np.clip(np.asarray(p, np.float64), LEAST, None)
    return (
        np.log(held[:, 1]) - np.log(held[:, 0] + held[:, 2]),
        np.log(held[:, 0]) - np.log(held[:, 2]),
    )


def _three(u: Array, q: Array) -> Array:
    neutral, negative = sigmoid(u), sigmoid(q)
    rest = 1 - neutral
    return rounded(np.stack([negative * rest, neutral, (1 - negative) * rest], axis=1))
