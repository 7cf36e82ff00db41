"""Who goes to the second stage: texts on which the first is undecided, and what may feed an alarm.

In:  texts, and for each how likely an alarm could come of it. Out: the first stage's Scores with those
rows read again, and each row's stage. Whether a row goes never depends on its neighbours.
A second stage that fails leaves the first one's answer, marked `degraded`: no post is lost to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from keqing.errors import ModelError
from keqing.logs import get_logger
from keqing.settings import SecondStage
from nlp.encoder import Classifier
from nlp.house import House
from nlp.hub import folder_of
from nlp.linear import CLASSES, Model, Scores
from nlp.second.model import Stacked

Stage = Literal["linear", "second", "degraded"]
ALARMING = 0.35  # p(negative) from which a post about us counts in an alarm
UNSURE = (0.3, 0.7)  # of a complaint
log = get_logger(__name__)


class Watch(IntEnum):
    """Whether an alarm could come of a post: about no brand of ours, about one, with a grave sign."""

    NO = 0
    YES = 1
    CLOSELY = 2


class Second(Protocol):
    """What reads a text again."""

    version: str
    bias: tuple[float, float]  # added to log p of negative and neutral before the argmax

    def again(self, texts: Sequence[str], first: Scores) -> Scores:
        """Better answers than `first`, one a text; ModelError when it cannot."""


@dataclass(frozen=True)
class Cascade:
    """First stage, and a second one for rows whose two best classes are closer than `margin`."""

    first: Model
    second: Second | None = None
    margin: float = 0.0
    house: House | None = None  # what staff's corrections taught, over both

    @property
    def version(self) -> str:
        """Versions of what is loaded."""
        return "+".join(one.version for one in (self.first, self.second, self.house) if one)

    def score(
        self, texts: Sequence[str], watched: Sequence[Watch] = ()
    ) -> tuple[Scores, list[Stage]]:
        """Answers for `texts` and the stage that gave each; `watched` rows may feed an alarm."""
        scores, stages = self._read(texts, watched)
        return self._taught(texts, scores, stages), stages

    def _taught(self, texts: Sequence[str], scores: Scores, stages: Sequence[Stage]) -> Scores:
        """The same answers after what corrections taught, decided as their stage decides."""
        if self.house is None or not texts:
            return scores
        p = self.house.moved(scores.p, texts, self.first.idf)
        bias = self.second.bias if self.second else self.first.bias
        shift = [[*(bias if stage == "second" else self.first.bias), 0.0] for stage in stages]
        said = np.argmax(np.log(np.maximum(p, 1e-6)) + np.array(shift), axis=1)
        return replace(scores, p=p, polarity=[CLASSES[n] for n in said])

    def _read(self, texts: Sequence[str], watched: Sequence[Watch]) -> tuple[Scores, list[Stage]]:
        scores = self.first.score(texts)
        stages: list[Stage] = ["linear"] * len(texts)
        if not texts or self.second is None:
            return scores, stages
        rows = [
            int(n) for n in np.flatnonzero(self._doubtful(scores.p) | _alarming(scores, watched))
        ]
        if not rows:
            return scores, stages
        try:
            read = self.second.again([texts[n] for n in rows], scores.rows(rows))
        except ModelError as error:
            log.warning("second stage failed", rows=len(rows), error=str(error)[:200])
            return scores, _marked(stages, rows, "degraded")
        return scores.put(rows, read), _marked(stages, rows, "second")

    def _doubtful(self, p: NDArray[np.float64]) -> NDArray[np.bool_]:
        best = np.sort(p, axis=1)
        answer: NDArray[np.bool_] = best[:, -1] - best[:, -2] < self.margin
        return answer


def _alarming(scores: Scores, watched: Sequence[Watch]) -> NDArray[np.bool_]:
    """Watched rows that are negative enough to count, or perhaps a complaint, or have a grave sign."""
    if not watched:
        return np.zeros(len(scores.p), bool)
    grade = np.array(watched)
    perhaps = (scores.complaint >= UNSURE[0]) & (scores.complaint <= UNSURE[1])
    counts = (grade >= Watch.YES) & ((scores.p[:, 0] >= ALARMING) | perhaps)
    answer: NDArray[np.bool_] = counts | (grade == Watch.CLOSELY)
    return answer


def _marked(stages: Sequence[Stage], rows: Sequence[int], stage: Stage) -> list[Stage]:
    marked = list(stages)
    for n in rows:
        marked[n] = stage
    return marked


def build(first: Model, plan: SecondStage, root: Path, house: House | None = None) -> Cascade:
    """The cascade that the plan asks for; a folder is relative to keqing.toml.

    Raises:
        BadConfig: a hub id without its commit.
        ModelError, UnknownLabels: the folder cannot be read as a classifier.
    """
    if plan.model == "off":
        return Cascade(first, house=house)
    if plan.model == "builtin":
        return Cascade(first, Stacked(threads=plan.threads), plan.margin, house)
    folder = folder_of(plan.model, root, plan.allow_download)
    return Cascade(first, Classifier(folder, plan.labels, plan.threads), plan.margin, house)
