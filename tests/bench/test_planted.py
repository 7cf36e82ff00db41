"""What bench.events plants is what it says, with or without the open data."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from bench import events_told
from bench.events import clustered
from bench.events_planted import FEWEST, MOST, planted
from keqing.records import Kind

NAMES = {"mujinhu": "木槿壶", "lian": "砾岸酒店", "beichuang": "北窗外卖", "qingzhi": "青稚茶"}
TALK = ["今天下雨", "晚饭吃什么好呢", "周末想去爬山", "新买的鞋有点磨脚"] * 5


def test_sixteen_happenings_stand_among_the_talk() -> None:
    """8 to 40 posts each, oldest first, some of them reposts and answers; a seed gives the same again."""
    posts = planted(3, TALK, NAMES)
    counts = Counter(one.truth for one in posts)
    assert counts.pop("") == len(TALK)
    assert len(counts) == 16
    assert all(FEWEST <= n <= MOST for n in counts.values())
    assert [one.at for one in posts] == sorted(one.at for one in posts)
    assert any(one.post.kind is Kind.REPOST for one in posts)
    assert any(one.post.thread_id != one.post.id for one in posts)
    assert all(any(name in (one.post.text or "") for name in NAMES.values()) for one in posts)
    assert planted(3, TALK, NAMES) == posts
    assert planted(4, TALK, NAMES) != posts


def test_tuning_and_judging_are_kept_apart() -> None:
    """No happening is in both halves, and in each two of one brand meet."""
    half = {h: {one.truth for one in planted(3, TALK, NAMES, h)} - {""} for h in "ab"}
    assert not half["a"] & half["b"]
    assert len(half["a"]) + len(half["b"]) == 16


def test_each_post_gets_one_event_and_a_replay_the_same() -> None:
    """Every planted post names a brand, so it has an event; the same batches give the same ids."""
    posts = planted(3, TALK, NAMES, "a")[:120]
    found, names = clustered(posts, timedelta(hours=6))
    assert None not in found
    assert clustered(posts, timedelta(hours=6)) == (found, names)


def test_happenings_told_post_by_post_stand_among_their_brands_talk() -> None:
    """Twelve of each half, two of a brand at a time, each wording once; a seed gives the same again."""
    posts = events_told.told(3, TALK, "b")
    counts = Counter(one.truth for one in posts)
    assert counts.pop("") > len(TALK)
    assert len(counts) == 12
    assert not set(counts) & {one.truth for one in events_told.told(3, TALK, "a")}
    assert [one.at for one in posts] == sorted(one.at for one in posts)
    names = [brand.name for brand in events_told.brands().values()]
    assert all(any(name in (one.post.text or "") for name in names) for one in posts)
    assert events_told.told(3, TALK, "b") == posts
