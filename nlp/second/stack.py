"""How both stages' logits become one answer: logistic stacking, a head each.

In:  logits of the first stage and of the encoder on labelled rows that neither learned from.
Out: a Stack: (weight of first, weight of second, offset) a head, and biases of the decision.
The encoder adds knowledge and throws none away.

Source: Wolpert 1992, Stacked generalization; Platt 1999.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.second.judge import judged, three

Array = NDArray[np.float64]
HEADS = ("neutral", "negative", "complaint")
SOFTEST = 1.0  # regularisation of the fit
BIASES = np.arange(-0.6, 0.21, 0.05)
SHARE = 0.02  # by which the share of negatives may be off


@dataclass(frozen=True)
class Stack:
    """`weights[head]` = (first, second, offset); `bias` is added to log p of negative, neutral."""

    weights: Mapping[str, tuple[float, float, float]]
    bias: tuple[float, float] = (0.0, 0.0)

    def logit(self, head: str, first: Array, second: Array) -> Array:
        """One logit a row of both stages'."""
        a, b, c = self.weights[head]
        return a * first + b * second + c


def fit(first: Array, second: Array, known: Array) -> Stack:
    """Weights on rows where `known` (rows, HEADS) is 0 or 1; -1 says nothing."""
    return Stack(
        {head: _line(first[:, n], second[:, n], known[:, n]) for n, head in enumerate(HEADS)}
    )


def _line(first: Array, second: Array, known: Array) -> tuple[float, float, float]:
    from sklearn.linear_model import LogisticRegression

    rows = known >= 0
    x = np.stack([first[rows], second[rows]], axis=1)
    model = LogisticRegression(C=SOFTEST).fit(x, known[rows])
    return float(model.coef_[0, 0]), float(model.coef_[0, 1]), float(model.intercept_[0])


def out_of_fold(first: Array, second: Array, known: Array, fold: NDArray[np.int64]) -> Array:
    """Logits (rows, HEADS), each from a stack that was fitted without the row's fold."""
    answer = np.zeros((len(fold), len(HEADS)))
    for kept in np.unique(fold):
        stack, rows = (
            fit(first[fold != kept], second[fold != kept], known[fold != kept]),
            fold == kept,
        )
        for n, head in enumerate(HEADS):
            answer[rows, n] = stack.logit(head, first[rows, n], second[rows, n])
    return answer


def neutral_bias(logits: Array, truth: NDArray[np.int64], names: Sequence[str]) -> float:
    """Bias on log p(neutral): best mean macro-F1 of the tri sets with a fair share of negatives."""
    sets = np.array(names)
    rows = np.char.startswith(sets, "tri")
    logits, truth, sets = logits[rows], truth[rows], sets[rows]
    spoken = np.log(np.maximum(three(logits[:, 0], logits[:, 1]), 1e-6))
    best, answer = -1.0, 0.0
    for bias in BIASES:
        said = np.argmax(spoken + np.array([0, bias, 0]), axis=1)
        if abs((said == 0).mean() - (truth == 0).mean()) > SHARE:
            continue
        score = np.mean([judged(logits[sets == n, 0], logits[sets == n, 1], "tri",
                                truth[sets == n], float(bias)) for n in set(names) if n.startswith("tri")])  # fmt: skip
        if score > best:
            best, answer = float(score), round(float(bias), 2)
    return answer
