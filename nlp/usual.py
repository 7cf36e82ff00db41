"""What is usual for a brand: the mean of what is said of it, and how much is said in an hour.

In:  what was kept of it, new stories. Out: a mean vector to take off, a rate. A new brand begins with
the mean of any talk (nlp/models/events).
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keqing.workflow.event_sums import Standing

Floats = NDArray[np.float32]
WIDTH = 512
MEAN = Path(__file__).parent / "models" / "events" / "mean.npy"
HOUR_S = 3600.0
PULSE_H, USUAL_H = 6.0, 72.0  # after so many hours a post counts 1/e in what is hot, what is usual
MEAN_WEIGHT = 20.0  # stories that the mean of any talk is worth beside the brand's own
MEAN_AFTER = 64  # new stories after which a brand's mean is reckoned anew
NOTHING = np.zeros(WIDTH, np.float32)


class Usual:
    """A brand's mean vector and how much is told of it in an hour."""

    def __init__(self, kept: Standing | None) -> None:
        self._kept = kept or Standing(NOTHING.tobytes(), 0.0, 0.0, 0, 0)
        self._total = np.frombuffer(self._kept.total, np.float32).copy()
        self._weight, self._pulse = self._kept.weight, self._kept.pulse
        self._at, self._first = self._kept.pulse_at_s, self._kept.first_at_s
        self._new = 0

    def mean(self) -> Floats:
        """What is taken off each vector."""
        answer: Floats = (MEAN_WEIGHT * any_talk() + self._total) / (MEAN_WEIGHT + self._weight)
        return answer

    def per_hour(self, at_s: int) -> float:
        """Stories an hour, the last three days above all."""
        seen_h = max((max(self._at, at_s) - self._first) / HOUR_S, PULSE_H) if self._at else PULSE_H
        hours = USUAL_H * (1 - math.exp(-seen_h / USUAL_H))
        return beat(self._pulse, self._at, at_s, USUAL_H) / hours

    def add(self, vector: Floats, weight: float, at_s: int) -> bool:
        """Count a story; whether the mean is to be reckoned anew."""
        self._total += np.float32(weight) * vector
        self._weight += weight
        self._pulse = beat(self._pulse, self._at, at_s, USUAL_H) + 1
        self._first = min(self._first, at_s) if self._at else at_s
        self._at = max(self._at, at_s)
        self._new += 1
        return self._new % MEAN_AFTER == 0

    def kept(self) -> Standing:
        """What the workflow database holds."""
        return Standing(
            self._total.tobytes(), round(self._weight, 6), round(self._pulse, 6),
            self._at, self._first,
        )  # fmt: skip


@cache
def any_talk() -> Floats:
    """Mean vector of talk about anything."""
    answer: Floats = np.load(MEAN).astype(np.float32)
    return answer


def beat(pulse: float, since_s: float, at_s: float, fading_h: float) -> float:
    """A count of posts at a later moment; at an earlier one it is as it was."""
    return float(pulse * math.exp(-max(at_s - since_s, 0) / HOUR_S / fading_h))
