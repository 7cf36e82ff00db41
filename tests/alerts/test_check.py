"""A check opens one incident per rise and class, tells once, and is silent about what is not ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from alerts.run import check, ticks_since
from index.sqlite import SqliteEngine
from keqing.records import Incident, Level, Mention, Polarity, SeverityHit
from keqing.settings import Settings, load_settings
from keqing.workflow import db, incidents, outbox, runs
from tests.contracts.index.made import mention

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
START = NOW - timedelta(days=6)
PLAN = """
[brands.tea]
name = "青石茶"
aliases = ["青石茶"]
[brands.rival]
name = "白沙茶"
ours = false
aliases = ["白沙茶"]
[[watch.target]]
source = "feed"
kind = "feed"
key = "all"
"""
CARD = (
    'title = "示例媒体"\nspider = "feed"\nplatform = "feed:x"\nbase_url = "http://127.0.0.1:9/"\n'
)


class World:
    """A plan, a workflow database and an index to fill."""

    def __init__(self, root: Path) -> None:
        (root / "keqing.toml").write_text(PLAN, encoding="utf-8")
        (root / "sources").mkdir()
        (root / "sources" / "feed.toml").write_text(CARD, encoding="utf-8")
        self.settings: Settings = load_settings(root, env={})
        self.engine = db.open_workflow(self.settings)
        self.index = SqliteEngine(root / "index.db")

    def load(self, posts: Sequence[Mention]) -> None:
        self.index.upsert(posts, NOW)
        self.index.refresh()

    def check(self, now: datetime = NOW) -> tuple[str, ...]:
        with db.begin(self.engine) as tx:
            run = runs.start(tx, "check", None, now)
        report = check(self.settings, self.engine, self.index, now)
        with db.begin(self.engine) as tx:
            runs.finish(tx, run, "ok", {}, now)
        return report.opened

    def incidents(self) -> list[Incident]:
        with db.begin(self.engine) as tx:
            return incidents.list_incidents(tx)

    def notices(self) -> int:
        with db.begin(self.engine) as tx:
            return sum(outbox.tally(tx).values())

    def crawled(self, outcome: str, at: datetime) -> None:
        with db.begin(self.engine) as tx:
            runs.finish(tx, runs.start(tx, "crawl", "feed", at), outcome, {}, at)


@pytest.fixture
def world(either: str | None, tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.index.close()


def usual(polarity: Polarity = Polarity.NEGATIVE) -> list[Mention]:
    """Six days of two posts an hour."""
    minutes = np.sort(np.random.default_rng(3).uniform(0, 6 * 1440 - 90, 280))
    return [
        mention(n, at=START + timedelta(minutes=float(m)), polarity=polarity)
        for n, m in enumerate(minutes)
    ]


def burst(n: int = 60, minutes: int = 40, **more: object) -> list[Mention]:
    """Many voices in the minutes before now."""
    step = timedelta(minutes=minutes) / n
    return [mention(10_000 + k, at=NOW - step * (n - k), **more) for k in range(n)]


def test_a_rise_is_one_incident_and_one_notice(world: World) -> None:
    """A burst of negative voices opens one incident; the same window again tells nothing."""
    world.load([*usual(), *burst()])
    assert len(world.check()) == 1
    assert world.check() == ()
    assert world.check(NOW + timedelta(minutes=1)) == ()
    found = world.incidents()
    assert [i.scope for i in found] == ["brand"]
    assert found[0].observed > found[0].high
    assert found[0].evidence
    assert world.notices() == 1


def test_a_quiet_week_is_silent(world: World) -> None:
    """The usual posts of the first day's walk open nothing."""
    world.load(usual())
    assert world.check() == ()


def test_hype_opens_nothing(world: World) -> None:
    """Sixty happy voices are buzz, no alert."""
    world.load([*usual(Polarity.POSITIVE), *burst(polarity=Polarity.POSITIVE)])
    assert world.check() == ()


def test_a_rivals_crisis_opens_nothing(world: World) -> None:
    """Only brands that are ours are alarmed, by volume and by a single post."""
    world.load([*usual(), *burst(brands=("rival",), severe=(0.95,))])
    assert world.check() == ()


def test_documents_join_one_incident_and_lift_it(world: World) -> None:
    """One post is blue at once; the third author makes it yellow, told as a rise in level."""
    first, *rest = burst(3, 6, severe=(0.95,))
    world.load([*usual(), first])
    assert len(world.check(NOW - timedelta(minutes=3))) == 1
    assert [i.level for i in world.incidents()] == [Level.BLUE]
    world.load(rest)
    assert world.check() == ()
    assert [(i.level, i.evidence_count, i.notice) for i in world.incidents()] == [
        (Level.YELLOW, 3, 2)
    ]
    assert world.notices() == 2


def test_a_danger_told_by_its_clause_gives_a_short_title(world: World) -> None:
    """A danger that no word names is told by its first words; the evidence has the whole text."""
    clause = "电梯门关到一半又弹开，" + "把老人的拐杖夹断了半截" * 3
    (post,) = burst(1, 6)
    danger = SeverityHit(name="人身安全", term=clause, confidence=0.85)
    world.load([*usual(), post.model_copy(update={"severity": (danger,)})])
    world.check(NOW - timedelta(minutes=3))
    (incident,) = world.incidents()
    assert incident.title == f"青石茶：人身安全（{clause[:16]}…）"


def test_unsure_and_old_posts_do_not_alarm(world: World) -> None:
    """Confidence under 0.8, and a month-old post that arrives today, open nothing."""
    old = mention(1, at=NOW - timedelta(days=30), seen=NOW, severe=(0.95,))
    world.load([old, *burst(1, 5, severe=(0.79,))])
    assert world.check() == ()


def test_a_closed_false_alarm_stays_closed(world: World) -> None:
    """What staff closed as false is not opened again by the posts that made it."""
    world.load([*usual(), *burst(), *[mention(20_000, at=NOW - timedelta(hours=2), severe=(0.9,))]])
    for id in world.check():
        with db.begin(world.engine) as tx:
            incidents.act(tx, id, "close", "wang", "false_positive", 1, NOW)
    assert world.check(NOW + timedelta(minutes=1)) == ()


def test_two_failed_crawls_are_blindness_until_one_answers(world: World) -> None:
    """The second empty run in a row is told, the return too; coverage falls meanwhile."""
    world.crawled("unreachable", NOW - timedelta(minutes=20))
    assert world.check(NOW - timedelta(minutes=15)) == ()
    world.crawled("fetched_nothing", NOW - timedelta(minutes=10))
    assert len(world.check(NOW - timedelta(minutes=5))) == 1
    assert world.check(NOW - timedelta(minutes=4)) == ()
    assert [(i.scope, i.coverage) for i in world.incidents()] == [("blind:feed", 0.0)]
    world.crawled("fresh", NOW - timedelta(minutes=1))
    world.check(NOW)
    assert [i.state for i in world.incidents()] == ["closed"]
    assert world.notices() == 2


def test_missed_ticks_are_walked_at_most_a_day() -> None:
    """A first check, and one after a long stop, look at the last 24 hours in five minutes."""
    assert len(ticks_since(None, NOW)) == 289
    assert ticks_since(NOW - timedelta(days=9), NOW) == ticks_since(None, NOW)
    assert ticks_since(NOW - timedelta(minutes=5), NOW)[-1] == NOW
    assert ticks_since(NOW + timedelta(hours=3), NOW) == [NOW]
