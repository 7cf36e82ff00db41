"""What bench.events plants is what it says, with or without the open data."""

from __future__ import annotations

import gzip
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from bench import events_teach, events_told, events_written
from bench.events import clustered
from bench.events_planted import FEWEST, MOST, planted
from keqing.records import Kind

NAMES = {"mujinhu": "木槿壶", "lian": "砾岸酒店", "beichuang": "北窗外卖", "qingzhi": "青稚茶"}
SAID_BY_ANYBODY = 12  # letters
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


@pytest.mark.parametrize("folder", ["taught", "fitted", "unseen"])
def test_what_writers_wrote_can_be_planted(folder: str) -> None:
    """Five named brands a writer, five or six happenings each beside daily talk, every post with its brand's name."""
    for writer in events_written.writers(folder):
        held = events_written.book([writer])
        assert len(held.names) == 5
        assert {line.brand for line in held.lines} == set(held.names)
        for brand in held.names:
            happenings = held.happenings(brand)
            assert len(happenings.pop("")) >= 20
            assert len(happenings) in (5, 6)
            assert all(10 <= len(lines) <= 22 for lines in happenings.values())
        assert all("{b}" in line.text and 0 <= line.hour <= 72 for line in held.lines)


def test_written_happenings_stand_among_their_brands_talk() -> None:
    """Each post once and some followed by others; hours as the writer told; a seed gives the same again."""
    held, posts = events_written.book(["g"]), events_written.written(3, TALK, ["g"])
    counts = Counter(one.truth for one in posts)
    assert counts.pop("") == len(TALK) + sum(not line.happening for line in held.lines)
    assert sum(counts.values()) > sum(bool(line.happening) for line in held.lines)
    assert [one.at for one in posts] == sorted(one.at for one in posts)
    assert not any("{b}" in (one.post.text or "") for one in posts)
    assert events_written.written(3, TALK, ["g"]) == posts


def test_no_writer_teaches_and_judges() -> None:
    """Each writer is in one folder, and no sentence but a bare reaction both teaches and judges."""
    folders = [events_written.writers(name) for name in ("taught", "fitted", "unseen")]
    assert len(set().union(*folders)) == sum(map(len, folders)) >= 12
    taught = {line.text for line in events_written.book(folders[0] + folders[1]).lines}
    judging = {line.text for line in events_written.book(folders[2]).lines}
    assert all(len(text) <= SAID_BY_ANYBODY for text in taught & judging)


def test_a_broken_line_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row with three columns is refused with file and line; so is a writer that is not there."""
    (tmp_path / "taught").mkdir()
    (tmp_path / "taught" / "z.tsv").write_text("b\t=\t-\t甲\nb\t-\t只有三列\n", encoding="utf-8")
    monkeypatch.setattr(events_written, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"z\.tsv, line 2"):
        events_written.book(["z"])
    with pytest.raises(ValueError, match="no writer 'y'"):
        events_written.book(["y"])


def test_what_teaches_the_embedder_hides_names(tmp_path: Path) -> None:
    """A brand comes under three names as three brands, its happenings keep one group each; few-posted hashtags pair."""
    rows = list(events_teach.happenings())
    brands = 5 * len(events_written.writers("taught"))
    assert len({brand for brand, _, _ in rows}) == brands * events_teach.COPIES
    assert {group for _, group, _ in rows} > {events_teach.NOBODY}
    own = [text for brand, _, text in rows if brand == 0]
    other = [text for brand, _, text in rows if brand == 1]
    assert len(own) == len(other)
    assert own != other
    with gzip.open(tmp_path / "x_set_train.csv.gz", "wt", encoding="utf-8") as file:
        file.write(
            "text,label\n#某地停电#今天又没电了晚饭吃不成,0\n停了三个小时还没来电真急人#某地停电#,0\n#孤零零的#只有这一条帖文而已,0\n"
        )
    assert [text for _, text in events_teach.tagged(tmp_path)] == sorted(
        ["今天又没电了晚饭吃不成", "停了三个小时还没来电真急人"]
    )
