"""Whether a story is about an event, and whether two events are one: weighed features, above 0 is yes.

In:  a Pool, a story with a vector or an event's row, rows of candidates. Out: a score per candidate,
the logarithm of the odds. Weights and biases are those that `python -m bench.events_fit` gave;
docs/models.md has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nlp.pool import Numbers, Pool, Rows, Told
from nlp.usual import Floats

JOIN = {
    "near": 6.97,  # cosine with the event's centroid, the brand's mean taken off
    "near_of_many": -0.08,  # the same times the logarithm of its stories
    "terms": 3.35,  # cosine with its stars' terms
    "quiet": 0.04,  # logarithm of the hours since it was last talked of
    "alone": -1.74,  # it has one story
    "against": -1.29,  # difference of the probabilities of negative
    "burst": 0.29,  # how much hotter it is than the brand's talk usually
    "age": -1.19,  # logarithm of the hours since it began, three days at most
    "own": -0.1,  # logarithm of the story's distance from what is usual for the brand
    "near_own": 16.2,  # its product with near: what everybody says is near to anything
    "standing_out": 0.65,  # near, in standard deviations above the brand's other events
}
JOIN_BIAS = 2.07
MERGE = {
    "near": 14.61,  # cosine of the centroids
    "pairs": -12.54,  # mean cosine of a story of one with a story of the other
    "terms": 4.64,
    "apart": -0.3,  # logarithm of the hours between the end of one and the beginning of the other
    "begun": -0.79,  # logarithm of the hours between their beginnings
    "few": 0.07,  # logarithm of the stories of the smaller one, of the larger one
    "many": -1.6,
    "against": -1.22,
}
MERGE_BIAS = 0.88
LEAST_NEAR = 0.2, 0.3  # to join, to merge: two matters of one hour are not one for that


@dataclass
class Judge:
    """Weights of one fit."""

    join_weights: tuple[float, ...] = tuple(JOIN.values())
    join_bias: float = JOIN_BIAS
    merge_weights: tuple[float, ...] = tuple(MERGE.values())
    merge_bias: float = MERGE_BIAS

    def join(self, pool: Pool, one: Told, vector: Floats, rows: Rows) -> Numbers:
        """Score of each event for a story; both have vectors."""
        return self.joins(pool.joining(one, vector, rows))

    def merge(self, pool: Pool, row: int, rows: Rows) -> Numbers:
        """Score of each event as the other half of one; both have vectors."""
        return self.merges(pool.merging(row, rows))

    def joins(self, features: Numbers) -> Numbers:
        """Scores of (n, len(JOIN)) features."""
        return _weighed(features, self.join_weights, self.join_bias, LEAST_NEAR[0])

    def merges(self, features: Numbers) -> Numbers:
        """Scores of (n, len(MERGE)) features."""
        return _weighed(features, self.merge_weights, self.merge_bias, LEAST_NEAR[1])


def _weighed(
    features: Numbers, weights: tuple[float, ...], bias: float, least_near: float
) -> Numbers:
    """Rounded: sums in another order must not decide."""
    scores = np.round(features @ np.array(weights) + bias, 6)
    answer: Numbers = np.where(features[:, 0] >= least_near, scores, -np.abs(scores))
    return answer


SHIPPED = Judge()
