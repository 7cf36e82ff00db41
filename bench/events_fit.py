"""Fit what nlp.likeness weighs: `python -m bench.events_fit [--cache DIR] [--mean]`.

In:  half "a" of the planted happenings and of those told post by post, among real texts; the demo city. Out: the
weights, as nlp/likeness.py has them. Fitted in rounds: the posts are clustered with the weights so far,
each decision is written down with what would have been right, and all decisions so far are learned from,
so that the weights know the clusters that they make themselves. Half "b" is never looked at.

Source: Ross et al. 2011, AISTATS, learning from one's own decisions.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from random import Random

import numpy as np
from sklearn.linear_model import LogisticRegression

from bench.events import Remembering, among_real_texts, among_told, b_cubed, city, clustered
from bench.events_city import Labelled
from bench.stories import SHARED, first_stage
from keqing.settings import Settings
from nlp.embed import Embedder
from nlp.likeness import JOIN, MERGE, Judge
from nlp.pool import Numbers, Pool, Rows, Told
from nlp.usual import MEAN, Floats

ROUNDS = 3
FIRST = Judge(  # by hand, from looking at cosines: the round that all begins with
    (7.0, 0.0, 1.0, -0.3, -2.0, -2.0, 0.4, -1.2),
    1.0,
    (14.0, -9.0, 4.4, -0.8, -0.7, -0.7, -1.0, -2.8),
    0.5,
)
STRANGERS = 0.3  # share of the decisions between two posts of daily talk that is learned from
DECIDED = 0.5  # an event with fewer posts of one happening among its stars is nobody's
# Added to the biases, chosen on "a": single decisions know nothing of later merges.
GENEROUS = 1.48, 0.34
NOBODY = "?"
OF_EACH, LONGEST = 150, 200  # posts of a file, their letters, for the mean of any talk
HOUR = timedelta(hours=1)
Examples = tuple[list[Numbers], list[Numbers]]


class Noting(Judge):
    """Decides as it is told to and notes each decision with what would have been right.

    Args:
        truth: happening by story, "" of daily talk.
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
        self._note(self.of_joins, features, self.truth.get(one.story, ""), self._labels(pool, rows))
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
            stars = Counter(self.truth.get(star.story, "") for star in pool.events[row].stars)
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


def main() -> int:
    """Print each round's B-cubed on what is learned from, then the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, help="folder where vectors stay for later runs")
    parser.add_argument("--mean", action="store_true", help="only write the mean of any talk anew")
    args = parser.parse_args()
    embedder, judge = Remembering(args.cache), FIRST
    if args.mean:
        np.save(MEAN, _any_talk(embedder).astype(np.float16))
        return 0
    joins: Examples = ([], [])
    merges: Examples = ([], [])
    for n in range(ROUNDS):
        for name, settings, posts in _sets():
            noting = Noting(judge, {one.post.id: one.truth for one in posts}, name == "city")
            found, _ = clustered(posts, HOUR, embedder, settings=settings, judge=noting)
            precision, recall = b_cubed([one.truth for one in posts], found)
            f1 = 2 * precision * recall / (precision + recall)
            print(
                f"{n} {name:<10} precision {precision:.3f} recall {recall:.3f} F1 {f1:.3f}",
                flush=True,
            )
            for held, new in ((joins, noting.of_joins), (merges, noting.of_merges)):
                held[0].extend(new[0])
                held[1].extend(new[1])
        embedder.keep()
        judge = Judge(*_learned(joins), *_learned(merges))
    judge.join_bias += GENEROUS[0]
    judge.merge_bias += GENEROUS[1]
    for title, names, weights, bias in (
        ("JOIN", JOIN, judge.join_weights, judge.join_bias),
        ("MERGE", MERGE, judge.merge_weights, judge.merge_bias),
    ):
        print(
            title, {key: round(w, 2) for key, w in zip(names, weights, strict=True)}, round(bias, 2)
        )
    return 0


def _any_talk(embedder: Embedder) -> Floats:
    """Mean vector of open posts of all kinds, as many of each training file."""
    texts: list[str] = []
    for path in sorted(SHARED.glob("*_train.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            own = [row["text"] for row in csv.DictReader(file)]
        Random(2).shuffle(own)
        texts += [text[:LONGEST] for text in own[:OF_EACH]]
    mean: Floats = embedder.vectors(texts).mean(axis=0)
    return mean


def _sets() -> Iterator[tuple[str, Settings, list[Labelled]]]:
    for seed in (2, 3):
        yield f"planted {seed}", first_stage(), among_real_texts(seed, 3000, "a")
    for seed in (2, 3):
        yield f"told {seed}", *among_told(seed, 2000, "a")
    yield "city", first_stage(), city(7, 30)


def _learned(examples: Examples) -> tuple[tuple[float, ...], float]:
    features, right = np.concatenate(examples[0]), np.concatenate(examples[1])
    middle, width = features.mean(axis=0), features.std(axis=0) + 1e-9
    model = LogisticRegression(max_iter=500).fit((features - middle) / width, right)
    weights = model.coef_[0] / width
    bias = float(model.intercept_[0] - weights @ middle)
    return tuple(weights.round(3).tolist()), round(bias, 3)


if __name__ == "__main__":
    raise SystemExit(main())
