"""Targets of the shipped classifier: what the labels say, softened by models that never saw the row.

In:  labels, folds, and for each teacher the fold it was kept from and its logits of all rows.
Out: targets and weights (rows, OUTPUTS).
A row's own label counts half; the other half is the mean of the teachers of its fold. Where no label
is known, all teachers answer, with less weight.

Source: Hinton et al. 2015, Distilling the knowledge in a neural network; Furlanello et al. 2018,
ICML, Born-again neural networks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nlp.second.tasks import BINARY, FELT, OUTPUTS, WIDTHS

Floats = NDArray[np.float32]
OWN = 0.5  # of a target is the label itself
FILLED = 0.25  # weight of an answer where no label is known


def hard(labels: NDArray[np.int8]) -> tuple[Floats, Floats]:
    """Targets and weights of the labels alone; columns as TASKS, spread over OUTPUTS."""
    targets = np.zeros((len(labels), OUTPUTS), np.float32)
    known = labels >= 0
    for column, task in zip(BINARY, (0, 1, 3), strict=True):
        targets[:, column] = np.maximum(labels[:, task], 0)
    felt = np.flatnonzero(known[:, 2])
    targets[felt, 2 + labels[felt, 2]] = 1
    return targets, _spread(known.astype(np.float32))


def soft(
    labels: NDArray[np.int8], fold: NDArray[np.int8], answers: Sequence[tuple[int, Floats]]
) -> tuple[Floats, Floats]:
    """Targets and weights after the teachers' logits `answers` (fold kept from them, all rows)."""
    targets, known = hard(labels)
    every = np.mean([probabilities(logits) for _, logits in answers], axis=0)
    unseen = out_of_fold(fold, answers)
    mixed = np.where(known > 0, OWN * targets + (1 - OWN) * unseen, every)
    return mixed.astype(np.float32), np.where(known > 0, 1, FILLED).astype(np.float32)


def out_of_fold(fold: NDArray[np.int8], answers: Sequence[tuple[int, Floats]]) -> Floats:
    """For each row, the mean probabilities of the teachers that were kept from its fold."""
    total = np.zeros((len(fold), OUTPUTS), np.float64)
    count = np.zeros(len(fold))
    for kept, logits in answers:
        rows = fold == kept
        total[rows] += probabilities(logits[rows])
        count[rows] += 1
    return (total / np.maximum(count, 1)[:, None]).astype(np.float32)


def probabilities(logits: Floats) -> Floats:
    """Sigmoid of the binary columns, softmax of the emotions."""
    answer = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    felt = logits[:, FELT]
    odds = np.exp(felt - felt.max(axis=1, keepdims=True))
    answer[:, FELT] = odds / odds.sum(axis=1, keepdims=True)
    return answer.astype(np.float32)


def _spread(tasks: Floats) -> Floats:
    """One column a task → one column an output."""
    return np.repeat(tasks, WIDTHS, axis=1).astype(np.float32)
