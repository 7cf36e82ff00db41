"""Teach the heads: `python -m bench.golden.teach [--out FILE] [--check]`.

In:  bench/golden/taught, posts of four writers of this project, none of which is ever judged, and the
golden posts that the lists were mended by (round 1, half of round 3): without these the heads trust the
lists no more in plain words than in vivid ones. Out: nlp/models/heads/weights.npz, the same to the byte
on the same machine. `--check` writes nothing and prints how well the posts of each writer are read by
heads that the others taught.
Needs scikit-learn, as keqing train does.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.golden.judge import Judged, judge_posts
from bench.golden.rows import TUNE, WRITERS, Labels, Post, named, posts, settings, taught
from nlp import heads
from nlp.embed import WIDTH, shipped
from nlp.evidence import ASPECTS, MARKS, spoken
from nlp.heads import GROUPS, SHIPPED, Floats
from nlp.understand import Reader

SCALE = (3.0, 1.0)  # of the post's vector, of the numbers
STRENGTH = {"polarity": 0.1, "emotion": 0.3, "intents": 0.3, "aspects": 0.3, "severity": 0.6}
CLAUSE_STRENGTH = 20.0
MENDED = "mended"  # not a writer: it always teaches
OPEN = -1  # a label that may be given or not teaches nothing
FIELDS = (
    "intent", "primary intent", "emotion", "aspects", "  its clause", "  its polarity", "towards",
    "severity of posts", "dangers at all",
)  # fmt: skip


@dataclass(frozen=True)
class Lesson:
    """Posts of one writer with their features."""

    posts: list[Post]
    features: Floats  # (posts, COLUMNS - 1)
    clauses: list[tuple[str, Floats]]  # bare words and vector of each clause, by post
    owners: list[int]

    @cached_property
    def labels(self) -> dict[str, Any]:
        """(posts, classes) of 1, 0 and OPEN, by group."""
        return {
            group: np.array([[_label(post, group, name) for name in names] for post in self.posts])
            for group, names in GROUPS.items()
        }

    @cached_property
    def borne(self) -> Any:
        """(clauses, aspects) of 1, 0 and OPEN: whose label's words stand in the clause."""
        pairs = zip(self.owners, self.clauses, strict=True)
        return np.array([[_bears(self.posts[n], c[0], a) for a in ASPECTS] for n, c in pairs])


def main() -> int:
    """Fit and write, or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    writers = {writer: taught(writer) for writer in WRITERS} | {MENDED: mended()}
    every = [post for held in writers.values() for post in held]
    reader = Reader(settings(more=named(every)), weigh=False)
    lessons = {writer: lesson(reader, held) for writer, held in writers.items()}
    if args.check:
        _check(reader, lessons)
        return 0
    write(args.out, list(lessons.values()))
    return 0


def mended() -> list[Post]:
    """Golden posts that the lists were mended by."""
    third = [post for post in posts(frozenset({3})) if post.row.half == TUNE]
    return [*posts(frozenset({1})), *third]


def lesson(reader: Reader, held: list[Post]) -> Lesson:
    """What the heads see of posts."""
    evidence = reader.evidence([post.text for post in held])
    said = [spoken(one.signs) for one in evidence]
    whole = shipped().vectors([one.whole for one in evidence])
    rows = [heads.row(*each) for each in zip(evidence, whole, strict=True)]
    clauses = [
        (words, vector)
        for found, vectors in zip(said, heads.vectors(shipped(), said), strict=True)
        for (_, words), vector in zip(found, vectors, strict=True)
    ]
    owners = [n for n, found in enumerate(said) for _ in found]
    return Lesson(held, np.stack(rows), clauses, owners)


def write(out: Path, lessons: Sequence[Lesson]) -> None:
    """Weights of all heads, in half precision."""
    posts, places = fit(lessons)
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(out, posts=posts.astype(np.float16), places=places.astype(np.float16))


def fit(lessons: Sequence[Lesson]) -> tuple[Floats, Floats]:
    """Weights over posts and over clauses."""
    from threadpoolctl import threadpool_limits

    scale = np.repeat(SCALE, (WIDTH, heads.COLUMNS - 1 - WIDTH)).astype(np.float32)
    features = np.concatenate([one.features for one in lessons]) * scale
    clauses = np.stack([vector for one in lessons for _, vector in one.clauses])
    with threadpool_limits(1):  # faster for these sizes, and the same on any number of cores
        posts = np.array(list(_heads(features, lessons)), np.float32)
        borne = np.concatenate([one.borne for one in lessons])
        places = np.array([_one(clauses, y, CLAUSE_STRENGTH) for y in borne.T], np.float32)
    posts[:, :-1] *= scale
    return posts, places


def _heads(features: Floats, lessons: Sequence[Lesson]) -> Iterator[Floats]:
    for group in GROUPS:
        labels = np.concatenate([one.labels[group] for one in lessons])
        for y in labels.T:
            yield _one(features, y, STRENGTH[group])


def _one(features: Floats, y: Any, strength: float) -> Floats:
    """Weights and bias of one class against the rest."""
    from sklearn.linear_model import LogisticRegression

    taught_by = y != OPEN
    model = LogisticRegression(C=strength, max_iter=300).fit(features[taught_by], y[taught_by])
    return np.r_[model.coef_[0], model.intercept_].astype(np.float32)


def _label(post: Post, group: str, name: str) -> int:
    if group == "polarity":
        felt = list(post.towards.values())
        return int(name == felt[0]) if len(felt) == 1 else OPEN
    if group == "emotion":
        return OPEN if name in post.emotions[1:] else int(name == post.emotions[0])
    if group == "aspects":
        must = tuple(one.name for one in post.aspects if not one.optional)
        return _given(Labels(must, tuple(one.name for one in post.aspects if one.optional)), name)
    return _given(post.intents if group == "intents" else post.severity, name)


def _given(labels: Labels, name: str) -> int:
    if name in labels.must:
        return 1
    return OPEN if name in labels.may else 0


def _bears(post: Post, words: str, name: str) -> int:
    """Whether the words of an aspect's label stand in a clause, or the clause in them."""
    anchors = [(one.optional, one.anchor.strip(MARKS)) for one in post.aspects if one.name == name]
    there = [optional for optional, anchor in anchors if anchor in words or words in anchor]
    if not there:
        return 0
    return OPEN if all(there) else 1


def _check(reader: Reader, lessons: Mapping[str, Lesson]) -> None:
    """The writers one by one: read by lists alone, and with heads that the others taught."""
    alone, weighed, spent = Judged(), Judged(), [0.0, 0.0]
    writers = {writer: held for writer, held in lessons.items() if writer != MENDED}
    for writer, held in writers.items():
        others = [one for name, one in lessons.items() if name != writer]
        spent[0] += _timed(partial(judge_posts, alone, reader, held.posts))
        reader.parts.heads = heads.Heads(shipped(), *fit(others), "taught")
        spent[1] += _timed(partial(judge_posts, weighed, reader, held.posts))
        reader.parts.heads = None
    read = sum(len(one.posts) for one in writers.values())
    lists, both = (1000 * one / read for one in spent)
    print(f"CPU of a post: {lists:.1f} ms by lists and both stages, {both:.1f} with heads")
    print(f"{'':20} {'lists: P':>9} {'R':>5} {'F1':>5} {'macro':>5}   {'heads: P':>9} {'R':>5} {'F1':>5} {'macro':>5}")  # fmt: skip
    for name in FIELDS:
        print(f"{name:20}" + "".join(_cells(one, name) for one in (alone, weighed)))


def _timed(work: Callable[[], None]) -> float:
    """CPU seconds of a piece of work."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _cells(judged: Judged, name: str) -> str:
    score = judged.both(name)
    whole = score.whole
    return f" {whole.precision:9.3f} {whole.recall:5.3f} {whole.f1:5.3f} {score.macro:5.3f}  "


if __name__ == "__main__":
    raise SystemExit(main())
