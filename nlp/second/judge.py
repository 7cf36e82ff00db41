"""Macro-F1 of a classifier's logits on labelled sets, by the two-head rule of the first stage.

In:  logits, labels of tri and bin rows. Out: a figure a set.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def three(neutral: Floats, negative: Floats) -> Floats:
    """p(negative), p(neutral), p(positive) of two logits."""
    u, q = (1 / (1 + np.exp(-np.clip(part, -30, 30))) for part in (neutral, negative))
    return np.stack([q * (1 - u), u, (1 - q) * (1 - u)], axis=1)


def macro_f1(truth: NDArray[np.int64], said: NDArray[np.int64], classes: tuple[int, ...]) -> float:
    """Mean over classes of the harmonic mean of precision and recall."""
    hit = [(2 * ((truth == k) & (said == k)).sum(), (truth == k).sum() + (said == k).sum())
           for k in classes]  # fmt: skip
    return float(np.mean([up / max(down, 1) for up, down in hit]))


def judged(
    neutral: Floats, negative: Floats, task: str, truth: NDArray[np.int64], bias: float = 0.0
) -> float:
    """Macro-F1 of one set: three classes on `tri`, the sign alone on `bin`; 0 neg, 1 neu, 2 pos.

    `bias` is added to log p(neutral).
    """
    if task == "bin":
        return macro_f1(truth, np.where(negative > 0, 0, 2), (0, 2))
    spoken = np.log(np.maximum(three(neutral, negative), 1e-6)) + np.array([0, bias, 0])
    return macro_f1(truth, np.argmax(spoken, axis=1), (0, 1, 2))
