"""Which stories are one event, on sentences written by the project."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
import pytest

from bench import events_written
from bench.events import among_written, b_cubed, city, clustered
from bench.stories import first_stage
from keqing.records import Author, Post
from keqing.workflow import db, event_history
from keqing.workflow import events as kept
from keqing.workflow.db import Engine
from nlp import happenings, stories
from nlp.embed import Embedder
from nlp.events import cluster, event_id
from nlp.pool import Told
from nlp.telling import cosine, name, normal
from nlp.understand import Reader

WRITTEN = 0.7, 0.3  # least precision and recall
NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
CRISIS = [
    "木槿壶万象店的青提冻里喝出一截塑料片，差点划伤喉咙，太可怕了",
    "在木槿壶喝青提冻吃出塑料片，店员还说是果肉",
    "木槿壶青提冻有塑料片，要求退款被拒绝，已经打12315投诉",
    "孩子喝了木槿壶的青提冻嗓子疼，里面有塑料片，非常愤怒",
]
DAILY = [
    "木槿壶的优惠券又用不了，客服一直不回",
    "请问木槿壶会展店几点关门？",
    "木槿壶换了新杯子，挺好看的，茉莉奶绿也清爽",
]


class Line:
    """Finds events of texts as `score` does."""

    def __init__(self, reader: Reader, engine: Engine) -> None:
        self.reader, self.engine, self.batches = reader, engine, 0
        self.brands = first_stage().plan.brands

    def events(self, posts: Sequence[Post], now: datetime = NOW) -> list[str | None]:
        readings = self.reader.read([p.text or "" for p in posts], [p.title or "" for p in posts])
        read = list(zip(posts, readings, strict=True))
        self.batches += 1
        with db.begin(self.engine) as tx:
            places = stories.fold(tx, f"b{self.batches}", read, now)
            return happenings.events(tx, self.reader, self.brands, read, places, now)


@pytest.fixture
def line(reader: Reader, engine: Engine) -> Line:
    return Line(reader, engine)


def post(id_: str, text: str, at: datetime = NOW, **more: object) -> Post:
    return Post.model_validate(
        {"id": f"x:{id_}", "platform": "x", "source": "x", "text": text, "run_id": "r",
         "author": Author(id=f"k1:{id_}"), "published_at": at, "first_seen_at": at,
         "collected_at": at} | more
    )  # fmt: skip


def posts(texts: Sequence[str], mark: str = "p", at: datetime = NOW) -> list[Post]:
    return [post(f"{mark}{n}", text, at + timedelta(minutes=n)) for n, text in enumerate(texts)]


def test_a_crisis_is_one_event_and_daily_talk_is_not_in_it(line: Line) -> None:
    """What was found in the cup is one event by whatever words; coupons and hours are others."""
    found = line.events(posts([*CRISIS, *DAILY]))
    assert len(set(found[:4])) == 1
    assert not set(found[:4]) & set(found[4:])
    assert found[0] == event_id("mujinhu", "x:p0")


def test_its_name_and_representatives_tell_it(line: Line, engine: Engine) -> None:
    """The name holds the most telling words, never the brand's; stars are posts of the event."""
    [event] = set(line.events(posts(CRISIS)))
    assert event is not None
    with db.begin(engine) as tx:
        held = kept.get(tx, [event])[event]
    assert "塑料片" in held.name
    assert "木槿壶" not in held.name
    assert "§" not in held.name
    assert held.stars[0].post_id in {f"x:p{n}" for n in range(4)}
    assert (held.stories, held.brand) == (4, "mujinhu")


def test_events_of_two_brands_never_mix(line: Line) -> None:
    """The same trouble at a rival is another event; a post about nobody has none."""
    words = "奶茶里喝出一截塑料片，差点划伤喉咙，太可怕了"
    texts = [f"木槿壶的{words}", f"青稚茶的{words}", "今天天气真好，适合出门走一走"]
    ours, theirs, nobody = line.events(posts(texts))
    assert ours != theirs
    assert nobody is None


def test_what_is_answered_belongs_to_the_thread_s_event(line: Line) -> None:
    """A reply that names us and says little joins its thread's event; alone it is another one."""
    first = line.events([post("root", CRISIS[0])])
    words = "木槿壶必须给个说法！"
    reply = post("a", words, thread_id="x:root")
    alone = post("b", words.replace("说法", "交代"))
    answered, other = line.events([reply, alone])
    assert [answered] == first
    assert other != answered


def test_after_72_quiet_hours_it_is_a_new_event(line: Line) -> None:
    """The same trouble next week opens an event of its own; within three days it goes on."""
    first = line.events(posts(CRISIS[:2]))
    soon = line.events(posts(CRISIS[2:3], "s", NOW + timedelta(hours=60)))
    late = line.events(posts(CRISIS[3:], "l", NOW + timedelta(hours=150)))
    assert soon[0] == first[0]
    assert late[0] not in first


def test_a_copy_stands_where_its_story_does(line: Line) -> None:
    """A copy, also weeks later, has the event of its story."""
    first = line.events(posts(CRISIS[:1]))
    again = line.events([post("late", CRISIS[0], NOW + timedelta(days=20))])
    assert again == first


def test_the_order_inside_a_batch_does_not_matter(engine: Engine, tmp_path: Path) -> None:
    """Stories are taken by time: a shuffled batch gives the same events."""
    told = [
        Told(
            "b",
            f"s{n}",
            f"p{n}",
            NOW_S + 60 * n,
            normal({"甲": 1.0, f"乙{n % 4}": 1.3}),
            (f"t{n}",),
        )
        for n in range(20)
    ]
    with db.begin(engine) as tx:
        expected = cluster(tx, told, NOW_S)
    Random(5).shuffle(told)
    other = db.open_file(tmp_path / "other.db")
    with db.begin(other) as tx:
        assert cluster(tx, told, NOW_S) == expected
    assert 1 < len(set(expected.values())) < 20


def test_alike_events_merge_at_the_second_tick(engine: Engine) -> None:
    """Two events that grew alike become the elder one; the younger id stays as its alias."""
    first, second = {"甲": 1.0}, {"丙": 1.0, "丁": 0.3}
    elder = kept.Event("e1", "b", "甲", "s0", NOW_S, NOW_S, 2)
    elder.stars = [kept.Star("s0", "p0", first), kept.Star("s1", "p1", normal({"丙": 1.0}))]
    younger = kept.Event("e2", "b", "丙", "s2", NOW_S + 1, NOW_S + 1, 2)
    younger.stars = [kept.Star("s2", "p2", normal(second))]
    with db.begin(engine) as tx:
        kept.save(tx, [elder, younger], NOW_S)
        kept.add_members(tx, [kept.Member("b", "s2", "e2", "s2", 0.0)], {("b", "t2"): "e2"})
        tick = cluster(tx, [_told("m", first, 1), _told("n", second, 2)], NOW_S + 60)
        assert (tick["b", "m"], tick["b", "n"]) == ("e1", "e2")
        again = cluster(tx, [_told("o", first, 3), _told("p", second, 4)], NOW_S + 120)
        assert (again["b", "o"], again["b", "p"]) == ("e1", "e1")
        assert set(kept.of_stories(tx, {("b", s) for s in ("s2", "n", "p")}).values()) == {"e1"}
        assert kept.of_threads(tx, {("b", "t2")}) == {("b", "t2"): "e1"}
        assert (event_history.living(tx, "e2"), event_history.aliases(tx, "e1")) == (
            "e1",
            ("e1", "e2"),
        )
        assert [(c.kind, c.event, c.other) for c in event_history.history(tx, "e2")] == [
            ("merge", "e1", "e2")
        ]
        assert kept.get(tx, ["e1", "e2"]).keys() == {"e1"}
        assert kept.get(tx, ["e1"])["e1"].stories == 8


def test_a_part_that_drifted_away_is_split_off(engine: Engine) -> None:
    """A star far from the first one goes with its stories; the larger part's id stays."""
    first, far = normal({"火": 1.0}), normal({"演习": 1.0})
    with db.begin(engine) as tx:
        event = kept.Event("e1", "b", "火", "s0", NOW_S, NOW_S, 12)
        event.stars = [kept.Star("s0", "p0", first, None, 6), kept.Star("s1", "p1", far, None, 6)]
        kept.save(tx, [event], NOW_S)
        stories_ = [kept.Member("b", f"s{n}", "e1", f"s{n % 2}", 0.5) for n in range(12)]
        kept.add_members(tx, stories_, {})
        cluster(tx, [_told("new", {"火": 1.0}, 1)], NOW_S + 60)
        part = event_id("b", "s1")
        assert kept.of_stories(tx, {("b", "s3"), ("b", "s1")}) == {
            ("b", "s3"): part,
            ("b", "s1"): part,
        }
        assert kept.of_stories(tx, {("b", "s2")}) == {("b", "s2"): "e1"}
        assert [(c.kind, c.event, c.other) for c in event_history.history(tx, part)] == [
            ("split", "e1", part)
        ]
        assert event_history.living(tx, part) == part
        assert kept.get(tx, [part])[part].stories == 6


def _told(story: str, terms: dict[str, float], minute: int) -> Told:
    return Told("b", story, f"p{story}", NOW_S + 60 * minute, normal(terms), (f"t{story}",))


def test_embeddings_join_what_shares_few_words(engine: Engine) -> None:
    """With vectors of both, they decide; without, the words decide alone."""
    draw = np.random.default_rng(1).normal(size=512)
    vector = np.round(draw / np.abs(draw).max() * 127).astype(np.int8).tobytes()
    far, near = normal({"店": 1.0, "乙": 1.6}), normal({"店": 1.0, "甲": 1.6})
    with db.begin(engine) as tx:
        for brand, held in (("plain", None), ("embedded", vector)):
            cluster(tx, [Told(brand, "s0", "p0", NOW_S, far, (), held)], NOW_S)
            found = cluster(tx, [Told(brand, "s1", "p1", NOW_S, near, (), held)], NOW_S)
            joined = found[brand, "s1"] == event_id(brand, "s0")
            assert joined == (held is not None)


def test_terms_are_compared_by_weight() -> None:
    """Norm 1 makes equal sets equal to 1; nothing in common is 0; an empty set is like nothing."""
    one = normal({"塑料片": 3.0, "退款": 4.0})
    assert one == {"塑料片": 0.6, "退款": 0.8}
    assert cosine(one, one) == pytest.approx(1)
    assert cosine(one, normal({"杯子": 2.0})) == cosine(one, normal({})) == 0
    assert name([one, normal({"§食品安全": 9.0})]) == "退款·塑料片"
    assert name([]) == ""


def test_the_city_s_happenings_are_found_and_a_replay_is_the_same() -> None:
    """B-cubed F1 over .80 on four days of the city with its crisis; the same batches give the same ids."""
    said = city(7, 4)
    found, names = clustered(said, timedelta(hours=2))
    precision, recall = b_cubed([one.truth for one in said], found)
    assert 2 * precision * recall / (precision + recall) > 0.80
    assert clustered(said, timedelta(hours=2)) == (found, names)


def test_b_cubed_on_a_small_table() -> None:
    """Two of three together with one stranger: precision 2/3 and 1, recall 2/3, 2/3 and 1/3."""
    truth, found = ["a", "a", "a", "", ""], ["x", "x", "y", "x", None]
    precision, recall = b_cubed(truth, found)
    assert precision == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3) / 3)


@pytest.mark.parametrize("writer", events_written.writers("unseen"))
def test_happenings_as_people_tell_them_come_together(writer: str) -> None:
    """By writers who taught and fitted nothing, with the shipped embedder, among their brands' own talk."""
    settings, posts = among_written(2, 0, [writer])
    found, _ = clustered(posts, timedelta(hours=1), Embedder(), settings=settings)
    precision, recall = b_cubed([one.truth for one in posts], found)
    assert precision > WRITTEN[0]
    assert recall > WRITTEN[1]
