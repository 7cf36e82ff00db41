"""Teach the aspects by likeness: `python -m bench.golden.teach [--out FILE]`.

In:  clauses of the golden posts of round 1 and half of round 3, all texts of this project, with the aspects that they
bear. Out: nlp/models/likened/weights.npy, and how many posts of the rounds that taught nothing
are right where the lists find no aspect. Needs scikit-learn, as keqing train does.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.golden.rows import TUNE, AspectLabel, Post, posts, settings
from nlp.clauses import Clauses
from nlp.embed import shipped
from nlp.likened import NAMES, SHIPPED, Floats, probabilities, spoken
from nlp.text import flat
from nlp.understand import Reader

TAUGHT = frozenset({1})  # and the half of round 3 that may be looked at
STRENGTH = 1.0
BOUNDS = (0.4, 0.5, 0.6, 0.7)
Example = tuple[str, frozenset[str]]


def main() -> int:
    """Fit, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    out: Path = parser.parse_args().out
    weights = fit(list(_clauses(teachers())))
    out.parent.mkdir(parents=True, exist_ok=True)
    np.save(out, weights.astype(np.float16))
    _judge(weights)
    return 0


def teachers() -> list[Post]:
    """Posts that teach: round 1, and the `tune` half of round 3."""
    third = [post for post in posts(frozenset({3})) if post.row.half == TUNE]
    return [*posts(TAUGHT), *third]


def fit(examples: Sequence[Example]) -> Floats:
    """Weights of one regression an aspect."""
    from sklearn.linear_model import LogisticRegression

    vectors = shipped().vectors([words for words, _ in examples])
    rows = []
    for name in NAMES:
        model = LogisticRegression(C=STRENGTH, max_iter=500, class_weight="balanced")
        model.fit(vectors, [name in names for _, names in examples])
        rows.append(np.r_[model.coef_[0], model.intercept_])
    answer: Floats = np.array(rows, np.float32)
    return answer


def _clauses(golden_posts: Sequence[Post]) -> Iterator[Example]:
    """Clauses with the aspects whose anchors stand in them."""
    for post in golden_posts:
        clauses = Clauses(flat(post.text))
        for number, words in spoken(clauses):
            yield words, frozenset(_borne(post, *clauses.span(number)))


def _borne(post: Post, start: int, stop: int) -> Iterator[str]:
    for one in post.aspects:
        if start <= _place(post, one) < stop:
            yield one.name


def _place(post: Post, label: AspectLabel) -> int:
    return post.text.find(label.anchor)


def _judge(weights: Floats) -> None:
    """Posts of other rounds in which the lists find nothing, by bound."""
    taught = {post.row.id for post in teachers()}
    rest = [post for post in posts() if post.row.id not in taught]
    readings = Reader(settings(second_stage=False)).read([p.text for p in rest], [""] * len(rest))
    bare = [p for p, read in zip(rest, readings, strict=True) if not read.aspect_hits]
    best = []
    for post in bare:
        words = [w for _, w in spoken(Clauses(flat(post.text)))]
        if words and post.towards and "neutral" not in post.towards.values():
            p = probabilities(weights, shipped().vectors(words))
            right = NAMES[int(p.argmax()) % len(NAMES)] in {one.name for one in post.aspects}
            best.append((float(p.max()), right))
    for bound in BOUNDS:
        sure = [right for p, right in best if p >= bound]
        print(f"≥ {bound}: {len(sure):>3} of {len(best)} posts, right {sum(sure)}")


if __name__ == "__main__":
    raise SystemExit(main())
