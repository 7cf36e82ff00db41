"""Who goes to the second stage: texts on which the first stage is undecided.

In:  texts. Out: the first stage's Scores with the doubtful rows read again, and each row's stage.
A second stage that fails leaves the first one's answer, marked `degraded`: no post is lost to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from keqing.errors import ModelError
from keqing.logs import get_logger
from keqing.settings import SecondStage
from nlp.encoder import Classifier
from nlp.linear import CLASSES, Model, Scores, rounded

Stage = Literal["linear", "second", "degraded"]
NEUTRAL = 1
log = get_logger(__name__)


@dataclass(frozen=True)
class Cascade:
    """First stage, and a second one for rows whose two best classes are closer than `margin`."""

    first: Model
    second: Classifier | None = None
    margin: float = 0.0

    @property
    def version(self) -> str:
        """Versions of what is loaded."""
        return "+".join([self.first.version, *([self.second.version] if self.second else [])])

    def score(self, texts: Sequence[str]) -> tuple[Scores, list[Stage]]:
        """Answers for `texts` and the stage that gave each."""
        scores = self.first.score(texts)
        stages: list[Stage] = ["linear"] * len(texts)
        doubtful = self._doubtful(scores.p) if self.second else []
        if not doubtful or self.second is None:
            return scores, stages
        try:
            read = self.second.predict([texts[n] for n in doubtful])
        except ModelError as error:
            log.warning("second stage failed", rows=len(doubtful), error=str(error)[:200])
            return scores, [
                "degraded" if n in set(doubtful) else "linear" for n in range(len(texts))
            ]
        return self._merged(scores, doubtful, read, stages), stages

    def _doubtful(self, p: NDArray[np.float64]) -> list[int]:
        if not len(p):
            return []
        best = np.sort(p, axis=1)
        return [int(n) for n in np.flatnonzero(best[:, -1] - best[:, -2] < self.margin)]

    def _merged(
        self, scores: Scores, rows: list[int], read: NDArray[np.float64], stages: list[Stage]
    ) -> Scores:
        """A model without a neutral class decides between the poles; how polar is the first's word."""
        p, polarity = scores.p.copy(), list(scores.polarity)
        for n, row in zip(rows, read, strict=True):
            if self.second is not None and not self.second.has_neutral:
                neutral = p[n, NEUTRAL]
                row = row * (1 - neutral)
                row[NEUTRAL] = neutral
            p[n] = rounded(row[None, :])[0]
            polarity[n] = CLASSES[int(np.argmax(p[n]))]
            stages[n] = "second"
        return replace(scores, p=p, polarity=polarity)


def build(first: Model, plan: SecondStage, root: Path) -> Cascade:
    """The cascade that the plan asks for; a folder is relative to keqing.toml.

    Raises:
        ModelError, UnknownLabels: the folder cannot be read as a classifier.
    """
    if plan.model == "off":
        return Cascade(first)
    return Cascade(first, Classifier(root / plan.model, plan.labels, plan.threads), plan.margin)
