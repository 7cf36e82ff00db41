"""A writer that remembers instead of refreshing: copies are found whoever stored them, seen or not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from index import elastic_write
from index.ast import All, Word
from index.document import to_document
from index.elastic import ElasticEngine
from index.elastic_bulk import Action, Bulk
from index.elastic_client import packed
from index.elastic_document import document_id, stored
from tests.contracts.index.made import T0, mention
from tests.elastic.servers import Node, fresh, open_engine

pytestmark = pytest.mark.xdist_group("elasticsearch")
MONTH = timedelta(days=31)


@pytest.fixture
def engine(node: Node) -> Iterator[ElasticEngine]:
    with fresh(node) as made:
        yield made


def posts(engine: ElasticEngine) -> int:
    engine.refresh()
    return engine.count(All(), None).posts


def test_two_writers_in_turn_leave_one_copy(engine: ElasticEngine, node: Node) -> None:
    """A post moves from month to month, each time by another writer, and nothing is refreshed."""
    other = open_engine(node, engine.names.alias)
    for n in range(4):
        writer, at = (engine, other)[n % 2], T0 - n * MONTH
        report = writer.upsert([mention(1, at=at, collected=T0 + timedelta(hours=n))], T0)
        assert (report.created, report.changed) == ((1, 0) if n == 0 else (0, 1))
    assert other.upsert([mention(1, at=T0)], T0).stale == 1
    other.close()
    assert posts(engine) == 1


def test_a_writer_knows_what_it_stored(
    engine: ElasticEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is visible yet and it remembers few: the same posts again are unchanged, moved ones one."""
    monkeypatch.setattr(elastic_write, "REMEMBERED", 5)
    batch = [mention(n) for n in range(12)]
    for at in range(0, 12, 4):
        assert engine.upsert(batch[at : at + 4], T0).created == 4
    assert engine.upsert(batch, T0).unchanged == 12
    moved = [mention(n, at=T0 - MONTH, collected=T0 + timedelta(hours=1)) for n in range(12)]
    assert engine.upsert(moved, T0).changed == 12
    assert posts(engine) == 12


def test_what_another_erased_is_created_again(engine: ElasticEngine, node: Node) -> None:
    """A memory of posts that are gone would call them unchanged, and they would stay lost."""
    engine.upsert([mention(1), mention(2)], T0)
    other = open_engine(node, engine.names.alias)
    assert other.erase_ids(["weibo:1"]) == 1
    other.close()
    report = engine.upsert([mention(1), mention(2)], T0)
    assert (report.created, report.unchanged) == (1, 1)
    assert posts(engine) == 2


def test_a_second_copy_goes_at_the_next_sight(engine: ElasticEngine, node: Node) -> None:
    """Two writers at once may leave two; any later snapshot, an old one too, leaves the newest."""
    engine.upsert([mention(1, "新 词", collected=T0 + timedelta(hours=2))], T0)
    engine.refresh()
    edition = engine.state.current().name
    there = engine.names.month(edition, int((T0 - MONTH).timestamp()))
    older = to_document(mention(1, collected=T0))
    engine.server.create(there)
    copy = Action(there, document_id("weibo:1"), older.collected_at, packed(stored(older)))
    assert [outcome.fate for outcome in Bulk(engine.server).send([copy])] == ["created"]
    assert posts(engine) == 2
    assert open_engine(node, engine.names.alias).upsert([mention(1)], T0).stale == 1
    assert posts(engine) == 1
    assert engine.count(Word("新"), None).posts == 1


def test_a_post_twice_in_one_load_is_stored_in_order(engine: ElasticEngine) -> None:
    """Chunks are on their way while the next is looked up; a post of both waits for its first."""
    hours = [mention(1, f"第{n} 版", collected=T0 + timedelta(hours=n)) for n in range(3)]
    rest = [mention(10 + n) for n in range(600)]
    report = engine.upsert([hours[0], *rest[:550], hours[1], *rest[550:], hours[2]], T0)
    assert (report.received, report.created, report.changed) == (603, 601, 2)
    assert posts(engine) == 601
    assert engine.count(Word("第2"), None).posts == 1
