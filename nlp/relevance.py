"""Learning which sense of a name is meant, from few labels: 苹果 the maker or the fruit.

In:  posts that are known to mean the brand or not, the plan's Matcher. Out: a Sense (nlp/homonyms.py), and how
a matcher does on posts that taught nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keqing.errors import UsageError
from nlp.around import Part
from nlp.brands import Found, Matcher
from nlp.embed import shipped
from nlp.homonyms import LEAST, LEAST_EACH, Floats, Sense, Usage, features, usage

STRENGTH = 4.0  # C of the regression; 1 to 16 differ by less than one label in sixty
SEED_WEIGHT = 0.3  # a post that the plan's words decide teaches less than a person
FOLDS = 3


@dataclass(frozen=True)
class Labelled:
    """A post whose names are known to mean the brand, or not to."""

    text: str
    ours: bool
    title: str = ""
    source: str = ""


def usages_of(matcher: Matcher, brand: str, post: Labelled) -> list[Usage]:
    """The names of a brand in a post that no exclusion and no longer word takes away."""
    names = matcher.names(post.title, post.text)
    return [_usage(part, at, post.source) for at, part in names if at.brand == brand]


def learn(
    matcher: Matcher, brand: str, labelled: Sequence[Labelled], seeds: Sequence[Labelled] = ()
) -> Sense:
    """Fit the sense of one brand.

    Args:
        labelled: by people; each name of a post is an example.
        seeds: decided by the plan's context words alone; they teach with SEED_WEIGHT.

    Raises:
        UsageError: too few posts that name the brand, or one sense only; says how many there are.
    """
    posts = [post for post in labelled if usages_of(matcher, brand, post)]
    yes = sum(post.ours for post in posts)
    no = len(posts) - yes
    if len(posts) < LEAST or min(yes, no) < LEAST_EACH:
        raise UsageError(
            f"{brand}: {yes} 条相关、{no} 条无关的标注；至少要 {LEAST} 条，且每类 {LEAST_EACH} 条 "
            f"({yes} yes, {no} no; {LEAST} are needed, {LEAST_EACH} of either). 继续用 keqing correct 标注"
        )
    rows = _Rows.of(matcher, brand, posts, 1.0, 0)
    seeded = _Rows.of(matcher, brand, seeds, SEED_WEIGHT, len(posts))
    right = [_fold_right(rows, seeded, fold) for fold in range(FOLDS)]
    weights, bias = _fit(rows + seeded)
    packed = base64.b64encode(weights.astype("<f4").tobytes()).decode()
    accuracy = float(np.concatenate(right).mean())
    return Sense(yes, no, round(accuracy, 4), bias, packed, shipped().version)


def seeds_of(matcher: Matcher, brand: str, posts: Sequence[Labelled], most: int) -> list[Labelled]:
    """Posts that the plan's own words decide, at most `most` of either sense, in order."""
    found: dict[bool, list[Labelled]] = {True: [], False: []}
    for post in posts:
        matches = matcher.find(post.title, post.text, source=post.source)
        ours = any(h.brand == brand and h.clause.startswith("context") for h in matches.hits)
        other = any(r.brand == brand and r.reason == "NOT_CONTEXT" for r in matches.rejected)
        if ours != other and len(found[ours]) < most:
            found[ours].append(Labelled(post.text, ours, post.title, post.source))
    return found[True] + found[False]


@dataclass(frozen=True)
class Counted:
    """How a matcher does on posts that taught nothing."""

    right: int  # posts of the brand that it takes
    wrong: int  # others that it takes
    missed: int
    left: int  # others that it leaves

    @property
    def accuracy(self) -> float:
        """Share of posts judged rightly; 1 where there is none."""
        rows = self.right + self.wrong + self.missed + self.left
        return (self.right + self.left) / rows if rows else 1.0


def counted(matcher: Matcher, brand: str, posts: Sequence[Labelled]) -> Counted:
    """Judge a matcher on labelled posts."""
    seen = [
        (any(hit.brand == brand for hit in matcher.find(p.title, p.text, source=p.source).hits), p)
        for p in posts
    ]
    return Counted(
        sum(taken and p.ours for taken, p in seen),
        sum(taken and not p.ours for taken, p in seen),
        sum(not taken and p.ours for taken, p in seen),
        sum(not taken and not p.ours for taken, p in seen),
    )


@dataclass(frozen=True)
class _Rows:
    """Examples: features, truth, weight, and which post each comes from."""

    x: Floats
    truth: NDArray[np.bool_]
    weight: Floats
    post: NDArray[np.int64]

    @classmethod
    def of(
        cls, matcher: Matcher, brand: str, posts: Sequence[Labelled], weight: float, first: int
    ) -> _Rows:
        found = [
            (one, post.ours, n)
            for n, post in enumerate(posts, start=first)
            for one in usages_of(matcher, brand, post)
        ]
        return cls(
            features([one for one, _, _ in found]),
            np.array([ours for _, ours, _ in found], bool),
            np.full(len(found), weight, np.float32),
            np.array([n for _, _, n in found], np.int64),
        )

    def __add__(self, other: _Rows) -> _Rows:
        mine, others = vars(self), vars(other)
        return _Rows(**{name: np.concatenate([mine[name], others[name]]) for name in mine})

    def take(self, which: NDArray[np.bool_]) -> _Rows:
        return _Rows(**{name: values[which] for name, values in vars(self).items()})


def _fold_right(rows: _Rows, seeded: _Rows, fold: int) -> NDArray[np.bool_]:
    """Which examples of a fold are judged rightly by the others; a post is never in both."""
    held = rows.post % FOLDS == fold
    weights, bias = _fit(rows.take(~held) + seeded)
    answer: NDArray[np.bool_] = (rows.x[held] @ weights + bias >= 0) == rows.truth[held]
    return answer


def _fit(rows: _Rows) -> tuple[Floats, float]:
    from sklearn.linear_model import LogisticRegression  # only where something is learned

    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000)
    try:
        model.fit(rows.x, rows.truth, sample_weight=rows.weight)
    except ValueError as error:
        raise UsageError(f"labels of one sense only in a third of the posts: {error}") from error
    return model.coef_[0].astype(np.float32), float(model.intercept_[0])


def _usage(part: Part, at: Found, source: str) -> Usage:
    return usage(part, at.start, at.end, source)
