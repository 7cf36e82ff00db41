"""A judge of events that notes its decisions, for bench.events_fit to learn from.

In:  a judge, the happening of each post. Out: features of each decision with what would have been right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from nlp.likeness import Judge
from nlp.pool import Numbers, Pool, Rows, Told
from nlp.usual import Floats

STRANGERS = 0.3  # share of the decisions between two posts of daily talk that is learned from
DECIDED = 0.5  # an event with fewer posts of one happening among its stars is nobody's
NOBODY = "?"
Examples = tuple[list[Numbers], list[Numbers]]


class Noting(Judge):
    """Decides as it is told to and notes each decision with what would have been right.

    Args:
        truth: happening by post, "" of daily talk.
        of_templates: daily talk repeats itself: whether two posts of it belong together is not known.
    """

    def __init__(self, judge: Judge, truth: Mapping[str, str], of_templates: bool) -> None:
        super().__init__(**vars(judge))
        self.truth, self.of_templates = truth, of_templates
        self.random = np.random.default_rng(1)
        self.of_joins: Examples = ([], [])
        self.of_merges: Examples = ([], [])

    def join(self, pool: Pool, one: Told, vector: Floats, rows: Rows) -> Numbers:
        """Scores, noted."""
        features = pool.joining(one, vector, rows)
        own = self.truth.get(one.post_id, "")
        self._note(self.of_joins, features, own, self._labels(pool, rows))
        return self.joins(features)

    def merge(self, pool: Pool, row: int, rows: Rows) -> Numbers:
        """Scores, noted."""
        features = pool.merging(row, rows)
        [own] = self._labels(pool, np.array([row]))
        if own != NOBODY:
            self._note(self.of_merges, features, own, self._labels(pool, rows))
        return self.merges(features)

    def _labels(self, pool: Pool, rows: Rows) -> list[str]:
        labels = []
        for row in rows:
            stars = Counter(self.truth.get(star.post_id, "") for star in pool.events[row].stars)
            [(label, n)] = stars.most_common(1) or [(NOBODY, 0)]
            labels.append(label if n >= DECIDED * stars.total() else NOBODY)
        return labels

    def _note(self, into: Examples, features: Numbers, own: str, labels: list[str]) -> None:
        right = np.array([bool(own) and label == own for label in labels])
        strange = np.array([not own and not label for label in labels])
        drawn = self.random.random(len(labels)) < (0 if self.of_templates else STRANGERS)
        use = np.array([label != NOBODY for label in labels]) & (~strange | drawn)
        into[0].append(features[use])
        into[1].append(right[use].astype(np.float64))
