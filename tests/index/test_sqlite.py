"""What only the embedded engine promises."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from index.answers import LoadReport, Window
from index.ast import All, Tag
from index.sqlite import SqliteEngine
from index.sqlite_recount import differences
from index.sqlite_sheets import PART
from keqing.records import Polarity
from tests.contracts.index.made import T0, mention

MONTH = Window(T0 - timedelta(days=30), T0 + timedelta(days=1))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[SqliteEngine]:
    """An empty engine."""
    made = SqliteEngine(tmp_path / "e.db")
    yield made
    made.close()


def test_what_is_erased_is_gone(tmp_path: Path) -> None:
    """After erasure no byte of the text is left in the index's files, not as it is squeezed either."""
    engine = SqliteEngine(tmp_path / "e.db")
    engine.upsert([mention(1, "绝密词汇甲 乙", story="事由丙"), mention(2)], T0)
    with sqlite3.connect(tmp_path / "e.db") as db:
        squeezed = [row[0] for row in db.execute("SELECT doc FROM mentions ORDER BY row")]
    db.close()
    assert engine.erase_ids(["weibo:1", "weibo:none"]) == 1
    engine.close()
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert [part in left for part in squeezed] == [False, True]
    assert not any(word.encode() in left for word in ("绝密词汇甲", "事由丙"))


def test_what_an_edit_took_out_goes_with_the_post(engine: SqliteEngine) -> None:
    """A word of an older snapshot is in no table after the post is erased."""
    engine.upsert([mention(1, "绝密词汇甲 乙")], T0)
    engine.upsert([mention(1, "换了 话", collected=T0 + timedelta(hours=1))], T0)
    engine.erase_ids(["weibo:1"])
    engine.close()
    assert "绝密词汇甲".encode() not in engine.path.read_bytes()


def test_a_known_post_with_a_number_too_large_holds_back_nobody(engine: SqliteEngine) -> None:
    """It is refused with the reason and stays as it was; the others of the batch go in."""
    engine.upsert([mention(1, likes=3)], T0)
    later = T0 + timedelta(hours=1)
    report = engine.upsert([mention(1, likes=2**63, collected=later), mention(2)], T0)
    assert (report.created, [id_ for id_, _ in report.rejected]) == (1, ["weibo:1"])
    assert engine.get(["weibo:1"])[0].likes == 3


def test_the_newest_moment_is_that_of_a_post_that_is_there(engine: SqliteEngine) -> None:
    """A newer snapshot with an earlier first sight takes the later one along, as an erasure does."""
    engine.upsert([mention(n) for n in range(2 * PART)], T0)
    newest, later = 2 * PART - 1, T0 + timedelta(days=1)
    engine.upsert([mention(newest, "改", seen=T0, collected=later)], T0)
    assert engine.latest() == T0 + timedelta(minutes=newest - 1)
    engine.erase_ids([f"weibo:{n}" for n in range(3, 2 * PART)])
    assert engine.latest() == T0 + timedelta(minutes=2)


def test_an_export_shows_what_stood_at_its_begin(engine: SqliteEngine) -> None:
    """Beside a writer it neither waits nor grows; a changed post is new, an erased one left out."""
    engine.upsert([mention(n) for n in range(1200)], T0)
    export = engine.export(All(), None, T0 + timedelta(days=9))
    first = next(export)
    later = T0 + timedelta(days=2)
    engine.upsert([mention(n, "新 话", collected=later) for n in (0, 1, 5000)], T0)
    engine.upsert([mention(3, likes=7, collected=later)], T0)
    engine.erase_ids(["weibo:2"])
    rest = {hit.id: hit for hit in export}
    assert first.id == "weibo:1199"
    assert len(rest) == 1198
    assert (rest["weibo:0"].text, rest["weibo:3"].likes) == ("新话", 7)
    assert not {"weibo:2", "weibo:5000"} & rest.keys()


def test_a_late_post_is_counted_in_its_own_time(engine: SqliteEngine) -> None:
    """A post that arrives weeks late, after full parts, is in the window of its time and no other."""
    engine.upsert([mention(n) for n in range(3 * PART)], T0)
    engine.upsert([mention(9999, at=T0 - timedelta(days=20))], T0)
    early = replace(MONTH, end=T0)
    assert engine.count(Tag("brand", "tea"), early).posts == 1
    assert engine.count(All(), replace(MONTH, start=T0)).posts == 3 * PART
    assert sum(engine.counts(["tea"], MONTH, 86_400)["tea"].posts) == 3 * PART + 1


def test_two_threads_give_names_once(engine: SqliteEngine) -> None:
    """What one writer remembers of names is forgotten when another drops them."""
    other = SqliteEngine(engine.path)
    engine.upsert([mention(1, "甲"), mention(2, "乙")], T0)
    other.upsert([mention(3, "甲")], T0)
    engine.erase_ids(["weibo:1", "weibo:3"])
    other.upsert([mention(4, "甲")], T0)
    found = engine.keywords(All(), None, MONTH)
    assert {word.word: word.count for word in found} == {"甲": 1, "乙": 1}
    assert differences(engine) == []
    other.close()


def test_an_address_finds_its_posts(engine: SqliteEngine) -> None:
    """All posts at it, none that only names it in its text, nor one that moved to another."""
    here, there = "https://a.example/1", "https://a.example/2"
    posts = [mention(n, f"看 {here}", url=here if n < 3 else None) for n in range(5)]
    engine.upsert(posts, T0)
    engine.upsert([mention(1, url=there, collected=T0 + timedelta(days=1))], T0)
    assert engine.find("url", here) == ["weibo:0", "weibo:2"]
    assert engine.find("url", there) == ["weibo:1"]
    engine.erase_ids(engine.find("url", here))
    assert engine.find("url", here) == []
    assert differences(engine) == []


VECTOR = base64.b64encode(bytes(range(256)) * 2).decode()


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ({}, "unchanged"),
        ({"likes": 4}, "unchanged"),
        ({"text": "客服 好"}, "changed"),
        ({"polarity": Polarity.POSITIVE}, "changed"),
        ({"risk": 1.0000001}, "changed"),
        ({"event": "e2"}, "changed"),
        ({"vector": VECTOR}, "changed"),
    ],
)
def test_what_is_corrected_is_written(
    engine: SqliteEngine, more: dict[str, Any], verdict: str
) -> None:
    """A post that comes again is stored as it comes, whatever differs, and once only."""
    before, after = mention(1, risk=1.0, likes=3), mention(1, **{"risk": 1.0, "likes": 3} | more)
    engine.upsert([before, mention(2)], T0)
    report = engine.upsert([after, mention(2)], T0)
    assert (report.unchanged, report.changed) == ((2, 0) if verdict == "unchanged" else (1, 1))
    assert engine.upsert([after, mention(2)], T0).unchanged == 2
    assert engine.get(["weibo:1"])[0].likes == more.get("likes", 3)
    assert differences(engine) == []


def test_an_endless_number_is_refused_by_itself(engine: SqliteEngine) -> None:
    """A counter of more than 64 bits holds back no other post."""
    report = engine.upsert([mention(1, likes=10**30), mention(2)], T0)
    assert (report.created, [id_ for id_, _ in report.rejected]) == (1, ["weibo:1"])


def test_two_writers_at_once_create_each_post_once(tmp_path: Path) -> None:
    """Of the same posts, loaded by two at the same time, each is counted as created by one of them."""
    posts = [mention(n) for n in range(1500)]

    def load(_: int) -> LoadReport:
        engine = SqliteEngine(tmp_path / "e.db")
        try:
            return engine.upsert(posts, T0)
        finally:
            engine.close()

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(load, range(2))
    assert one.created + other.created == 1500
    assert one.unchanged + other.unchanged == 1500
