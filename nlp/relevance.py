"""Which sense of a name is meant, learned from few labels: 苹果 the maker or the fruit.

In:  names where they are used (12 tokens to either side, source, hashtags), which of them mean the
brand. Out: a Sense a brand (logistic regression over the shipped embedder and hashed words), and
Senses, the Judge that nlp.brands asks where no word of the plan decides.

A name is embedded twice, as it stands and with 它 in its place: the second vector only knows the
company it keeps. Under LEAST labels a Sense may not speak; the plan's words decide alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keqing.errors import ModelError, UsageError
from keqing.private import private_folder
from nlp.around import Part
from nlp.brands import Found, Matcher, Verdict
from nlp.embed import WIDTH, shipped

LEAST = 30  # labels of one brand before it may reject
LEAST_EACH = 8  # of either sense
BUCKETS = 512
STRENGTH = 4.0  # C of the regression; 1 to 16 differ by less than one label in sixty
SEED_WEIGHT = 0.3  # a post that the plan's words decide teaches less than a person
FOLDS = 3
STAND_IN = "它"
FOLDER, FILE = "relevance", "senses.json"  # var/relevance/senses.json

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Usage:
    """A name with the words around it; lower case, simplified."""

    before: str
    name: str
    after: str
    source: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Labelled:
    """A post whose names are known to mean the brand, or not to."""

    text: str
    ours: bool
    title: str = ""
    source: str = ""


@dataclass(frozen=True)
class Sense:
    """What one brand learned; `weights` are packed float32 of the features, little-endian."""

    yes: int  # labels by people
    no: int
    accuracy: float  # on folds that did not teach it
    bias: float
    weights: str
    embedder: str

    @property
    def speaks(self) -> bool:
        """Whether there were labels enough to reject by it."""
        return self.yes + self.no >= LEAST and min(self.yes, self.no) >= LEAST_EACH


class Senses:
    """A Judge out of Senses."""

    def __init__(self, senses: Mapping[str, Sense]) -> None:
        body = json.dumps({k: asdict(s) for k, s in sorted(senses.items())}, sort_keys=True)
        self.version = f"senses-{hashlib.sha256(body.encode()).hexdigest()[:12]}"
        self.senses = dict(senses)
        self._weights = {k: _unpacked(k, s) for k, s in senses.items() if s.speaks}

    def about(self, brand: str, part: Part, start: int, end: int, source: str) -> Verdict | None:
        """Whether the name there means the brand; None without labels enough."""
        weights = self._weights.get(brand)
        if weights is None:
            return None
        row = features([usage(part, start, end, source)])[0]
        p = float(1 / (1 + np.exp(-(row @ weights + self.senses[brand].bias))))
        return Verdict(p >= 0.5, round(p, 4))


def usage(part: Part, start: int, end: int, source: str = "") -> Usage:
    """The name at a place with what surrounds it."""
    low, high = part.window(start, end)
    plain = part.plain
    tags = tuple(plain[a + 1 : b - 1] for a, b in part.tags)
    return Usage(plain[low:start], plain[start:end], plain[end:high], source, tags)


def features(usages: Sequence[Usage]) -> Floats:
    """One row a usage: vector as it stands, vector with a stand-in, hashed words; (n, 1536)."""
    if not usages:
        return np.zeros((0, 2 * WIDTH + BUCKETS), np.float32)
    texts = [one.before + one.name + one.after for one in usages]
    texts += [one.before + STAND_IN + one.after for one in usages]
    vectors = shipped().vectors(texts)
    bags = np.stack([_bag(one) for one in usages])
    return np.hstack([vectors[: len(usages)], vectors[len(usages) :], bags])


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


def load(folder: Path) -> Senses | None:
    """What was learned in an installation; None where nothing was.

    Raises:
        ModelError: the file is damaged or another embedder made it; names the verb that repeats it.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        senses = {str(key): Sense(**row) for key, row in rows.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: damaged ({error}); repeat keqing plan learn") from error
    return Senses(senses)


def save(folder: Path, senses: Mapping[str, Sense]) -> None:
    """Write what was learned, whole or not at all."""
    private_folder(folder)
    path = folder / FILE
    aside = path.with_name(f".{FILE}.{os.getpid()}")
    body = {key: asdict(sense) for key, sense in sorted(senses.items())}
    with open(aside, "w", encoding="utf-8") as file:
        json.dump(body, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)


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


def _bag(one: Usage) -> Floats:
    """Pairs of characters beside the name, source and hashtags, hashed; a unit vector."""
    row = np.zeros(BUCKETS, np.float32)
    text = f"{one.before} {one.after}"
    marks = [text[n : n + 2] for n in range(len(text) - 1)]
    marks += [f"source {one.source}"] if one.source else []
    marks += [f"tag {tag}" for tag in one.tags]
    for mark in marks:
        row[zlib.crc32(mark.encode()) % BUCKETS] = 1
    return row / np.float32(max(float(np.linalg.norm(row)), 1.0))


def _unpacked(brand: str, sense: Sense) -> Floats:
    try:
        weights = np.frombuffer(base64.b64decode(sense.weights, validate=True), "<f4")
    except (binascii.Error, ValueError) as error:
        raise ModelError(f"senses of {brand}: damaged; repeat keqing plan learn") from error
    if len(weights) != 2 * WIDTH + BUCKETS or sense.embedder != shipped().version:
        raise ModelError(f"senses of {brand}: another embedder made them; repeat keqing plan learn")
    return weights.astype(np.float32)
