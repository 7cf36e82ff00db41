"""Where an event was seen: first posts by platform, however batches, merges and erasures come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import pytest

from keqing.workflow import db, events, spread
from keqing.workflow.events import Member
from keqing.workflow.spread import Reached, Sighting

A_DAY = 86_400


@pytest.fixture
def engine(opened: Callable[[], db.Engine]) -> db.Engine:
    return opened()


def seen(story: str, platform: str, at_s: int, post: str) -> Sighting:
    return Sighting("tea", story, platform, at_s, post)


def members(tx: db.Tx, **of: str) -> None:
    """Stories with their events."""
    events.add_members(
        tx, [Member("tea", story, event, story, 0.0) for story, event in of.items()], {}
    )


POSTS = [
    seen("s1", "weibo", 100, "w1"), seen("s1", "weibo", 90, "w2"), seen("s1", "forum", 400, "f1"),
    seen("s2", "forum", 300, "f2"), seen("s2", "shop", A_DAY, "p1"), seen("s3", "weibo", 10, "x1"),
]  # fmt: skip
WAY = [
    Reached("weibo", 90, "w2", 2), Reached("forum", 300, "f2", 2), Reached("shop", A_DAY, "p1", 1),
]  # fmt: skip


def way(engine: db.Engine, event: str = "e1") -> list[Reached]:
    with db.read(engine) as tx:
        return spread.of_events(tx, [event]).get(event, [])


def batches(seed: int) -> Sequence[Sequence[Sighting]]:
    """The same posts in some order and some cuts."""
    draw = Random(seed)
    posts = draw.sample(POSTS, len(POSTS))
    cut = draw.randrange(len(posts) + 1)
    return posts[:cut], posts[cut:]


@pytest.mark.parametrize("seed", range(4))
def test_the_first_post_is_first_however_they_come(engine: db.Engine, seed: int) -> None:
    """An earlier post that comes in a later batch takes the first place; all are counted once."""
    with db.begin(engine) as tx:
        members(tx, s1="e1", s2="e1", s3="e2")
        for batch in batches(seed):
            spread.add(tx, batch)
    assert way(engine) == WAY
    assert way(engine, "e2") == [Reached("weibo", 10, "x1", 1)]
    assert way(engine, "e3") == []


def test_a_merge_and_a_split_take_their_stories_along(engine: db.Engine) -> None:
    """Rows hang on stories: the way follows wherever the story goes."""
    with db.begin(engine) as tx:
        members(tx, s1="e1", s2="e1", s3="e2")
        spread.add(tx, POSTS)
        events.merge(tx, "e1", "e2", 500)
    assert way(engine)[0] == Reached("weibo", 10, "x1", 3)
    assert way(engine, "e2") == []
    with db.begin(engine) as tx:
        events.split(tx, "e1", "s3", "e9", 600)
    assert (way(engine), way(engine, "e9")) == (WAY, [Reached("weibo", 10, "x1", 1)])


def test_an_erased_post_is_named_no_more(engine: db.Engine) -> None:
    """That the platform was reached then stays; by whom does not."""
    with db.begin(engine) as tx:
        members(tx, s1="e1", s2="e1")
        spread.add(tx, POSTS)
        assert spread.forget_posts(tx, ["w2", "f1"]) == 2
    assert way(engine)[:2] == [Reached("weibo", 90, None, 2), WAY[1]]
    with db.begin(engine) as tx:
        spread.add(tx, [seen("s1", "weibo", 95, "w3")])
    assert way(engine)[0] == Reached("weibo", 90, None, 3)
