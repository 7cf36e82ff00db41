"""How well the first stage reads labelled sets: accuracy, macro-F1, calibration.

In:  a model folder, folders of labelled CSV, a split. Out: one row a set.
On sets without neutral the decision is negative against positive.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from nlp import linear
from nlp.rows import read_sets

SHORT = ("neg", "neu", "pos")
BINS = 15


@dataclass(frozen=True)
class Row:
    """Figures of one labelled set; `ece` is the expected calibration error of p_negative."""

    name: str
    rows: int
    accuracy: float
    macro_f1: float
    ece: float


def evaluate(folder: Path, data: Sequence[Path], split: str = "dev") -> Iterator[Row]:
    """Judge every `tri_*` and `bin_*` set of `data`."""
    model = linear.load(folder)
    for one in read_sets(data, split, ("tri", "bin"), ()):
        scores = model.score(one.texts)
        if one.task == "tri":
            said = [SHORT[linear.CLASSES.index(polarity)] for polarity in scores.polarity]
        else:
            said = ["neg" if p[0] > p[2] else "pos" for p in scores.p]
        truth = list(one.labels)
        f1 = f1_score(truth, said, average="macro")
        shares = (
            scores.p[:, 0] if one.task == "tri" else scores.p[:, 0] / (1 - scores.p[:, 1] + 1e-9)
        )
        error = _ece(np.asarray(shares), np.array(truth) == "neg")
        yield Row(one.name, len(truth), float(accuracy_score(truth, said)), float(f1), error)


def _ece(
    p: np.ndarray[tuple[int], np.dtype[np.float64]], true: np.ndarray[tuple[int], np.dtype[np.bool]]
) -> float:
    places = np.minimum((p * BINS).astype(int), BINS - 1)
    gaps = [
        abs(p[places == b].mean() - true[places == b].mean()) * (places == b).mean()
        for b in range(BINS)
        if (places == b).any()
    ]
    return float(sum(gaps))
