"""Posts over many trades that were written before the lists were mended (bench/golden)."""

from __future__ import annotations

import pytest

from bench.golden.judge import Judged, Score, judge
from bench.golden.rows import JUDGE, TUNE, half_of, posts, rows

# Field, figure, least value: what was measured on the half that only counts, less .05 of noise.
BARS = (
    ("intent", "macro", 0.89),
    ("primary intent", "f1", 0.88),
    ("emotion", "macro", 0.80),
    ("aspects", "f1", 0.78),
    ("  its clause", "f1", 0.90),
    ("  its polarity", "f1", 0.90),
    ("towards", "macro", 0.82),
    ("severity of posts", "f1", 0.87),
    ("sarcasm", "precision", 0.73),
    ("sarcasm", "recall", 0.83),
    ("danger, asserted", "recall", 0.95),
    ("danger, not asserted", "exact", 0.87),
    ("brand", "exact", 0.95),
    ("region", "exact", 0.80),
    ("role", "exact", 0.88),
    ("mask, contact", "exact", 0.95),
    ("mask, harmless", "exact", 0.95),
)
# The same of rounds 5 to 7, each by another writer, which taught nothing.
UNSEEN = (
    (5, "intent", "macro", 0.74),
    (5, "primary intent", "f1", 0.66),
    (5, "emotion", "macro", 0.70),
    (5, "aspects", "f1", 0.41),
    (5, "  its clause", "f1", 0.67),
    (5, "  its polarity", "f1", 0.77),
    (5, "towards", "macro", 0.51),
    (5, "severity of posts", "precision", 0.76),
    (5, "severity of posts", "recall", 0.40),
    (5, "dangers at all", "precision", 0.72),
    (5, "dangers at all", "recall", 0.46),
    (5, "sarcasm", "precision", 0.75),
    (5, "sarcasm", "recall", 0.39),
    (6, "intent", "macro", 0.67),
    (6, "primary intent", "f1", 0.63),
    (6, "emotion", "macro", 0.68),
    (6, "aspects", "f1", 0.48),
    (6, "  its clause", "f1", 0.44),
    (6, "  its polarity", "f1", 0.66),
    (6, "towards", "macro", 0.54),
    (6, "severity of posts", "precision", 0.89),
    (6, "severity of posts", "recall", 0.30),
    (6, "dangers at all", "precision", 0.70),
    (6, "dangers at all", "recall", 0.34),
    (6, "sarcasm", "precision", 0.75),
    (6, "sarcasm", "recall", 0.35),
    (7, "intent", "macro", 0.79),
    (7, "primary intent", "f1", 0.78),
    (7, "emotion", "macro", 0.74),
    (7, "aspects", "f1", 0.54),
    (7, "  its clause", "f1", 0.58),
    (7, "  its polarity", "f1", 0.79),
    (7, "towards", "macro", 0.72),
    (7, "severity of posts", "precision", 0.83),
    (7, "severity of posts", "recall", 0.35),
    (7, "dangers at all", "precision", 0.70),
    (7, "dangers at all", "recall", 0.53),
    (7, "sarcasm", "precision", 0.87),
    (7, "sarcasm", "recall", 0.87),
)


@pytest.fixture(scope="module")
def judged() -> Judged:
    """The rounds that were learnt from, as it ships; rounds 4 to 7 taught nothing."""
    return judge(rounds=frozenset({1, 3}))


@pytest.fixture(scope="module")
def unseen() -> dict[int, Judged]:
    """Each round that taught nothing."""
    return {number: judge(rounds=frozenset({number})) for number in (5, 6, 7)}


def figure(score: Score, name: str) -> float:
    """A figure of the table by its name."""
    if name == "macro":
        return score.macro
    if name == "exact":
        return score.exact / score.rows
    return float(getattr(score.whole, name))


@pytest.mark.xdist_group("golden_judge")
@pytest.mark.parametrize(("field", "name", "least"), BARS)
def test_the_half_that_only_counts_keeps_its_figure(
    judged: Judged, field: str, name: str, least: float
) -> None:
    """No rule that is mended for one post may cost the others more than noise."""
    assert figure(judged.scores[JUDGE, field], name) >= least


@pytest.mark.xdist_group("golden_judge")
@pytest.mark.parametrize(("number", "field", "name", "least"), UNSEEN)
def test_posts_of_a_writer_who_taught_nothing_keep_their_figure(
    unseen: dict[int, Judged], number: int, field: str, name: str, least: float
) -> None:
    """What is gained on posts that nobody learnt from is not lost again."""
    assert figure(unseen[number].scores[JUDGE, field], name) >= least


def test_halves_hang_on_the_text_alone() -> None:
    """A row's id and half are its text's hash, so that none is moved to the half that may be read."""
    column = {"posts": 2, "dangers": 2, "regions": 0, "masks": 0, "names": 1, "roles": 2}
    for name, at in column.items():
        for row in rows(name):
            assert (row.id, row.half) == half_of(row.cells[at])
            assert row.half in (JUDGE, TUNE)


def test_every_aspect_label_stands_in_its_post() -> None:
    """The words that carry an aspect are words of the post, so that its clause can be judged."""
    assert all(one.anchor in post.text for post in posts() for one in post.aspects)


def test_there_are_posts_enough() -> None:
    """At least 1,000 posts, 130 dangers, over forty trades."""
    every = posts()
    assert len(every) >= 1000
    assert len(list(rows("dangers"))) >= 130
    assert len({post.trade for post in every}) >= 40
