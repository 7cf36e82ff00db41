"""What an export holds, on every engine."""

from __future__ import annotations

from datetime import timedelta

import pytest

from index import elastic_export
from index.answers import IndexEngine, Window
from index.ast import All, Not, Tag, Word
from tests.contracts.index.made import T0, mention

LATER = T0 + timedelta(days=2)


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few posts are many pages."""
    monkeypatch.setattr(elastic_export, "PAGE", 7)


def test_an_export_is_every_match_newest_first(engine: IndexEngine) -> None:
    """As the pages show it, over months and equal seconds, whatever the size of a page."""
    ages = [timedelta(days=31 * (n % 3), minutes=n // 4) for n in range(50)]
    engine.upsert([mention(n, at=T0 - age) for n, age in enumerate(ages)], T0)
    engine.refresh()
    shown = engine.search(All(), None, size=100).hits
    assert [hit.id for hit in engine.export(All(), None, LATER)] == [hit.id for hit in shown]
    assert len(shown) == 50


def test_an_export_holds_what_matches_and_its_marks(engine: IndexEngine) -> None:
    """Query and window bound it; words are marked as on a page."""
    engine.upsert([mention(1), mention(2, "客服 好"), mention(3, source="x"), mention(400)], T0)
    engine.refresh()
    window = Window(T0, T0 + timedelta(hours=1))
    found = list(engine.export(Word("差"), window, LATER))
    assert found == list(engine.search(Word("差"), window).hits)
    assert [hit.id for hit in found] == ["weibo:3", "weibo:1"]
    assert [hit.id for hit in engine.export(Not(Tag("source", "x")), window, LATER)] == [
        "weibo:2",
        "weibo:1",
    ]


def test_an_empty_export_ends(engine: IndexEngine) -> None:
    """An index without a post, or without a match."""
    assert list(engine.export(All(), None, LATER)) == []
    engine.upsert([mention(1)], T0)
    engine.refresh()
    assert list(engine.export(Word("无"), None, LATER)) == []


def test_an_export_beside_a_writer_is_the_count_at_its_start(engine: IndexEngine) -> None:
    """Posts that come while it is read are not in it, those that were there all are, each once."""
    engine.upsert([mention(n) for n in range(60)], T0)
    engine.refresh()
    now = T0 + timedelta(hours=2)
    export = engine.export(All(), None, now)
    seen = [next(export).id]
    for n in range(5):  # newer, older, and an old one that changes
        engine.upsert([mention(100 + n, at=T0 - timedelta(days=n), seen=now)], T0)
        engine.upsert([mention(200 + n, at=T0 + timedelta(hours=1), seen=now)], T0)
        engine.upsert([mention(n, "新 词", collected=now)], T0)
        engine.refresh()
        seen += [next(export).id for _ in range(5)]
    seen += [hit.id for hit in export]
    assert sorted(seen) == sorted(f"weibo:{n}" for n in range(60))


def test_what_was_first_seen_later_is_left_out(engine: IndexEngine) -> None:
    """The moment bounds it, to the second."""
    engine.upsert([mention(n, seen=T0 + timedelta(seconds=n)) for n in range(5)], T0)
    engine.refresh()
    found = [hit.id for hit in engine.export(All(), None, T0 + timedelta(seconds=3))]
    assert sorted(found) == ["weibo:0", "weibo:1", "weibo:2"]


def test_an_export_that_is_left_leaves_nothing_open(engine: IndexEngine) -> None:
    """Whoever stops reading holds nothing on."""
    engine.upsert([mention(n) for n in range(30)], T0)
    engine.refresh()
    export = engine.export(All(), None, LATER)
    next(export)
    export.close()  # type: ignore[attr-defined]  # it is a generator on both engines
    assert len(list(engine.export(All(), None, LATER))) == 30
