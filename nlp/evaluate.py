"""How well the stages read labelled sets: accuracy, macro-F1, calibration, confusion, speed.

In:  a cascade, folders of labelled CSV, a split. Out: one row a set, and the paired comparison of the
first stage with both. On sets without neutral the decision is negative against positive.

Source: Efron & Tibshirani 1993 for the paired bootstrap; Guo et al. 2017 for the calibration error.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlp import linear
from nlp.cascade import Cascade
from nlp.linear import Scores
from nlp.rows import LabelledSet, read_sets
from nlp.second.judge import macro_f1

SHORT = ("neg", "neu", "pos")
BINS = 15
ROUNDS = 1000
SEED = 7

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Row:
    """Figures of one labelled set; `first` holds the first stage's answers, `said` both stages'."""

    name: str
    truth: Ints  # 0 negative, 1 neutral, 2 positive
    first: Ints
    said: Ints
    ece: float  # expected calibration error of p(negative), both stages
    share: float  # of the rows that the second stage read
    posts_per_s: float  # of CPU time, both stages

    @property
    def classes(self) -> tuple[int, ...]:
        """Classes that the set tells apart."""
        return (0, 1, 2) if self.name.startswith("tri") else (0, 2)

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return float((self.truth == self.said).mean())

    @property
    def macro_f1(self) -> float:
        """Of both stages."""
        return macro_f1(self.truth, self.said, self.classes)

    @property
    def first_f1(self) -> float:
        """Of the first stage alone."""
        return macro_f1(self.truth, self.first, self.classes)

    @property
    def confusion(self) -> dict[str, dict[str, int]]:
        """Rows by truth, then by answer."""
        return {
            SHORT[t]: {
                SHORT[s]: int(((self.truth == t) & (self.said == s)).sum()) for s in self.classes
            }
            for t in self.classes
        }


@dataclass(frozen=True)
class Gain:
    """Mean over sets of both stages' macro-F1 less the first's, with its 90 % interval."""

    task: str
    mean: float
    low: float
    high: float


def evaluate(model: Cascade, data: Sequence[Path], split: str = "dev") -> Iterator[Row]:
    """Judge every `tri_*` and `bin_*` set of `data`."""
    for one in read_sets(data, split, ("tri", "bin"), ()):
        began = time.process_time()
        scores, stages = model.score(one.texts)
        spent = max(time.process_time() - began, 1e-9)
        truth = np.array([SHORT.index(label) for label in one.labels])
        yield Row(
            name=one.name,
            truth=truth,
            first=_said(one, model.first.score(one.texts)),
            said=_said(one, scores),
            ece=_ece(_p_negative(one, scores), truth == 0),
            share=sum(stage == "second" for stage in stages) / max(len(stages), 1),
            posts_per_s=len(one.texts) / spent,
        )


def gains(rows: Sequence[Row]) -> list[Gain]:
    """Paired bootstrap over the rows of each set, for the tri sets, the bin sets and each alone."""
    groups = {task: [r for r in rows if r.name.startswith(task)] for task in ("tri", "bin")}
    groups |= {row.name: [row] for row in rows}
    return [_gain(task, group) for task, group in groups.items() if group]


def _gain(task: str, rows: Sequence[Row]) -> Gain:
    random = np.random.default_rng(SEED)
    drawn = []
    for _ in range(ROUNDS):
        each = []
        for row in rows:
            at = random.integers(0, len(row.truth), len(row.truth))
            both = macro_f1(row.truth[at], row.said[at], row.classes)
            each.append(both - macro_f1(row.truth[at], row.first[at], row.classes))
        drawn.append(np.mean(each))
    mean = float(np.mean([row.macro_f1 - row.first_f1 for row in rows]))
    low, high = np.quantile(drawn, [0.05, 0.95])
    return Gain(task, mean, float(low), float(high))


def _said(one: LabelledSet, scores: Scores) -> Ints:
    if one.task == "tri":
        return np.array([linear.CLASSES.index(polarity) for polarity in scores.polarity])
    return np.where(scores.p[:, 0] > scores.p[:, 2], 0, 2)


def _p_negative(one: LabelledSet, scores: Scores) -> NDArray[np.float64]:
    if one.task == "tri":
        return scores.p[:, 0]
    answer: NDArray[np.float64] = scores.p[:, 0] / (1 - scores.p[:, 1] + 1e-9)
    return answer


def _ece(p: NDArray[np.float64], true: NDArray[np.bool_]) -> float:
    places = np.minimum((p * BINS).astype(int), BINS - 1)
    gaps = [
        abs(p[places == b].mean() - true[places == b].mean()) * (places == b).mean()
        for b in range(BINS)
        if (places == b).any()
    ]
    return float(sum(gaps))
