"""Who is suspected to be an army (疑似水军), on crowds that are made here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from keqing.records import Post
from keqing.settings import Settings
from keqing.workflow import authors, batches, db
from keqing.workflow.authors import Company, Seen
from keqing.workflow.db import Engine
from nlp import coordination, speakers, stories
from nlp.coordination import Code
from nlp.speakers import Verdict
from nlp.understand import Reader
from tests.nlp.crowds import SCRIPTS, START, Crowd, crowd, post

ROOT = Path(__file__).resolve().parents[2]
AUTHORS = (authors.AUTHORS, authors.TELLINGS, authors.COMPANY, authors.MARKS, authors.CALLS)
BATCH = 400


class Line:
    """Folds batches as `score` does."""

    def __init__(self, reader: Reader, settings: Settings, engine: Engine) -> None:
        self.reader, self.engine, self.brands = reader, engine, settings.plan.brands

    def fold(self, posts: Sequence[Post], now: datetime, *, log: bool = True) -> list[Verdict]:
        said = self.reader.read([p.text or "" for p in posts], [p.title or "" for p in posts])
        read, name = list(zip(posts, said, strict=True)), f"{now:%Y%m%d%H%M%S}{posts[0].id}"
        with db.begin(self.engine) as tx:
            places = stories.fold(tx, name, read, now)
            found = speakers.fold(tx, self.brands, read, places, now)
            if log:
                batches.record_scored(tx, name, [name], name, now)
        return found

    def all(self, posts: Sequence[Post], *, log: bool = True) -> dict[str, Verdict]:
        """Verdicts of all posts, batch by batch."""
        found: dict[str, Verdict] = {}
        for at in range(0, len(posts), BATCH):
            part = posts[at : at + BATCH]
            verdicts = self.fold(part, part[-1].first_seen_at, log=log)
            found |= {p.id: v for p, v in zip(part, verdicts, strict=True)}
        return found

    def empty(self, *tables: object) -> None:
        with db.begin(self.engine) as tx:
            for table in tables:
                tx.execute(table.delete())  # type: ignore[attr-defined]


@pytest.fixture
def line(reader: Reader, settings: Settings, engine: Engine) -> Line:
    return Line(reader, settings, engine)


def suspected(made: Crowd, found: dict[str, Verdict]) -> set[str]:
    return {str(p.author.id) for p in made.posts if found[p.id].coordinated}


@pytest.mark.parametrize("seed", [1, 2])
def test_armies_are_found_and_people_are_left_alone(line: Line, seed: int):
    """Of planted accounts nine of ten are suspected, of organic ones at most one of a hundred."""
    made = crowd(seed)
    flagged = suspected(made, line.all(made.posts))
    recall = {n: len(flagged & army) / len(army) for n, army in made.armies.items()}
    wrong = sorted(flagged & made.organic)
    assert len(flagged & made.soldiers) >= 0.9 * len(made.soldiers), recall
    assert len(wrong) <= 0.01 * len(made.organic), wrong


def test_replay_says_the_same(line: Line):
    """The tables emptied and the batches folded again: the same verdicts."""
    posts = crowd(3).posts[-2400:]
    first = line.all(posts)
    line.empty(*AUTHORS, stories.kept.STORIES, stories.kept.MEMBERS, stories.kept.TEXTS,
               stories.kept.KEYS, stories.kept.VOICES)  # fmt: skip
    assert line.all(posts, log=False) == first


def test_order_within_a_batch_changes_nothing(line: Line):
    """A batch is a set: its reverse gives every post the same verdict."""
    posts = [p for p in crowd(3).posts if "ring" in p.id or "edited" in p.id]
    posts = list({p.text: p for p in posts}.values()) + [p for p in posts if "ring" in p.id][1:]
    now = posts[-1].first_seen_at
    first = {p.id: v for p, v in zip(posts, line.fold(posts, now, log=False), strict=True)}
    line.empty(*AUTHORS)
    back = posts[::-1]
    again = {p.id: v for p, v in zip(back, line.fold(back, now, log=False), strict=True)}
    assert {id_: v.speaker for id_, v in again.items()} == {i: v.speaker for i, v in first.items()}


def test_score_is_the_sum_of_its_reasons(line: Line):
    """Every point has a reason; nobody is suspected for one reason alone."""
    made = crowd(4)
    for verdict in line.all(made.posts[-3000:]).values():
        points = [sign.points for sign in verdict.speaker.signs]
        assert verdict.speaker.coordination == min(100.0, sum(points))
        assert not verdict.coordinated or len(points) >= 2


def seen(n: int, how: str, minutes: float, story: str = "s") -> Seen:
    at = int((START + timedelta(minutes=minutes)).timestamp())
    return Seen(f"x:{n}", at, True, 1, how, story, False)


@pytest.mark.parametrize(
    ("hows", "holds"),
    [
        (["copy"] * 3 + ["own"] * 2, True),  # 60 %
        (["copy"] * 3 + ["own"] * 3, False),
        (["copy"] * 2, False),  # too few to tell
        (["copy"] * 3 + ["linked"] * 3, False),
        (["copy"] * 3 + ["called"] * 9 + [""] * 9, True),  # lotteries and others do not count
        (["called"] * 9, False),
    ],
)
def test_share_of_copies(hows: list[str], holds: bool):
    """Three copies that are 60 % of what the author says of us."""
    posts = [seen(n, how, n * n) for n, how in enumerate(hows)]
    assert (Code.COPIES in {s.code for s in coordination.signs(posts, [], [], None)}) == holds


@pytest.mark.parametrize(
    ("others", "holds"),
    [
        ([{"b", "c"}] * 3, True),
        ([{"b", "c"}] * 2, False),
        ([{"b", "c"}, {"b", "d"}, {"c", "d"}], False),  # never the same two
        ([{"b"}] * 9, False),  # two accounts are a couple
        ([{"b", "c", "d"}, {"b", "c"}, {"b", "c", "e"}], True),
    ],
)
def test_told_together(others: list[set[str]], holds: bool):
    """The same three accounts in three stories."""
    rows = [Company("a", f"s{n}", False, 0, tuple(sorted(o))) for n, o in enumerate(others)]
    assert coordination.together(rows) == holds


@pytest.mark.parametrize(
    ("minutes", "holds"),
    [
        ([0, 20, 40, 60, 80, 100], True),
        ([0, 20, 41, 60, 81, 100], True),
        ([0, 5, 47, 60, 130, 131], False),
        ([0, 20, 40, 60], False),  # too few gaps
        ([n * 1440 for n in range(9)], False),  # a daily habit
    ],
)
def test_regular_gaps(minutes: list[float], holds: bool):
    """A timer is regular; a person with a daily habit is not meant."""
    assert coordination.regular([seen(n, "own", m) for n, m in enumerate(minutes)]) == holds


def test_unknown_name_is_no_sign():
    """Names are kept of checked organisations alone: no name, no point."""
    assert coordination.signs([], [], [], None) == ()
    (sign,) = coordination.signs([], [], [], "用户83920471")
    assert sign.code == Code.DEFAULT_NAME


def test_an_organisation_is_never_an_army(line: Line):
    """A chain's verified stores that tell the head office's text together are no water army."""
    at = START + timedelta(days=1)
    posts = [
        post(f"shop{n}", f"shop{n}.{s}", at + timedelta(hours=s, seconds=n), text)
        for s, text in enumerate(SCRIPTS)
        for n in range(6)
    ]
    checked = [
        p.model_copy(update={"author": p.author.model_copy(update={"verified_type": 2})})
        for p in posts
    ]
    assert any(v.coordinated for v in line.all(posts).values())
    line.empty(*AUTHORS)
    verdicts = line.all([p.model_copy(update={"id": p.id + "v"}) for p in checked])
    assert not any(v.coordinated for v in verdicts.values())
    assert max(v.speaker.coordination for v in verdicts.values()) >= coordination.FLAG


def test_erase_leaves_nothing_of_an_author(line: Line, engine: Engine):
    """Erasing an author empties its rows and takes it out of others' company."""
    line.all([p for p in crowd(1).posts if "copies" in p.id])
    with db.begin(engine) as tx:
        assert authors.erase(tx, "k1:copies3") > 0
        left = authors.authors(tx, ["k1:copies3"]), authors.company(tx, ["k1:copies3"])
        rest = authors.company(tx, [f"k1:copies{n}" for n in range(30)])
    assert left == ({}, [])
    assert rest
    assert not any("k1:copies3" in row.others for row in rest)
