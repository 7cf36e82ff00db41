"""What only a real server shows: storms, blocks, refusals, writers side by side."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest

from index.answers import Window
from index.ast import All, Word
from index.elastic import ElasticEngine
from index.elastic_mapping import MAPPING, VERSION
from keqing.errors import IndexBusy, IndexRejected, IndexUnavailable
from tests.contracts.index.made import T0, mention
from tests.elastic.fake import Asked, Told, fake, forward, refusal
from tests.elastic.servers import Node, clear, fresh, open_engine

pytestmark = pytest.mark.xdist_group("elasticsearch")


@pytest.fixture
def engine(node: Node) -> Iterator[ElasticEngine]:
    with fresh(node) as made:
        yield made


def test_a_429_storm_loses_nothing(node: Node) -> None:
    """A proxy refuses two bulk calls of three and breaks one answer of ten: all posts arrive once."""
    draw = random.Random(5)

    def storm(asked: Asked) -> Told:
        if asked.path.startswith("/_bulk") and draw.random() < 0.66:
            return refusal(429, "es_rejected_execution_exception")
        answer = forward(node.url, asked)
        return refusal(502, "bad_gateway") if draw.random() < 0.1 else answer

    with fake(storm) as proxy, fresh(node) as engine:
        through = open_engine(Node(proxy.url), engine.names.alias)
        patience = through.server.writing.__class__(60, 0.01, 0.02)
        through.server.writing = through.server.reading = patience
        report = through.upsert([mention(n) for n in range(900)], T0)
        through.refresh()
        assert report.received == 900
        assert report.rejected == ()
        assert engine.count(All(), None).posts == 900
        through.close()


def test_a_document_that_the_mapping_refuses_is_named(engine: ElasticEngine) -> None:
    """The server's own reason and the id are told; the other 99 documents stand."""
    posts = [mention(n) for n in range(100)]
    posts[50] = mention(50, "字" * 20_000)  # as a keyword, more bytes than a term may have
    report = engine.upsert(posts, T0)
    engine.refresh()
    assert report.created == 99
    [(id_, why)] = report.rejected
    assert id_ == "weibo:50"
    assert "keywords" in why
    assert engine.count(All(), None).posts == 99
    assert engine.upsert(posts, T0).rejected[0][0] == "weibo:50"


def test_an_unknown_field_is_refused(engine: ElasticEngine) -> None:
    """The mapping is strict: a field that the program forgot to map is an error, not a guess."""
    engine.upsert([mention(1)], T0)
    month = engine.names.month(engine.state.current().name, int(T0.timestamp()))
    with pytest.raises(IndexRejected, match="surprise"):
        engine.server.tell("PUT", f"/{month}/_doc/x", {"surprise": 1})
    assert engine.count(All(), None).posts == 0


def test_a_full_disk_is_told_and_over(engine: ElasticEngine) -> None:
    """The block of the flood-stage watermark ends a load; when it is lifted the same load is done."""
    engine.upsert([mention(1)], T0)
    blocked = {"index.blocks.read_only_allow_delete": True}
    engine.server.tell("PUT", f"/{engine.names.alias}/_settings", blocked)
    posts = [mention(n) for n in range(5)]
    with pytest.raises(IndexBusy, match="disk"):
        engine.upsert(posts, T0)
    free = {"index.blocks.read_only_allow_delete": None}
    engine.server.tell("PUT", f"/{engine.names.alias}/_settings", free)
    assert engine.upsert(posts, T0).created == 4
    engine.refresh()
    assert engine.count(All(), None).posts == 5


def test_a_lost_alias_is_no_empty_index(engine: ElasticEngine, node: Node) -> None:
    """Indices that somebody deleted are told, not answered with zero."""
    engine.upsert([mention(1)], T0)
    pattern = engine.names.pattern(engine.state.current().name)
    found = engine.server.ask("GET", f"/{pattern}/_settings")
    for index in found:
        engine.server.tell("DELETE", f"/{index}")
    with pytest.raises(IndexUnavailable, match="no such index"):
        engine.count(All(), None)
    again = open_engine(node, engine.names.alias)
    for ask in (again.latest, lambda: again.upsert([mention(1)], T0)):
        with pytest.raises(IndexUnavailable, match="keqing rebuild"):
            ask()
    again.close()


def test_writers_side_by_side(engine: ElasticEngine, node: Node) -> None:
    """Four writers of the same posts in different snapshots: the newest stands, nothing is doubled."""

    def load(age: int) -> None:
        own = open_engine(node, engine.names.alias)
        texts = [
            mention(n, f"第{age} 版", collected=T0 + timedelta(hours=2 - age)) for n in range(60)
        ]
        random.Random(age).shuffle(texts)
        for at in range(0, 60, 20):
            own.upsert(texts[at : at + 20], T0)
        own.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(load, [0, 1, 2, 1]))
    engine.refresh()
    assert engine.count(All(), None).posts == 60
    assert engine.count(Word("第0"), None).posts == 60


def test_pages_hold_while_posts_arrive(engine: ElasticEngine, node: Node) -> None:
    """Somebody pages through all posts while new ones come: no post twice, none of the old ones lost."""
    engine.upsert([mention(n) for n in range(120)], T0)
    engine.refresh()
    done = Event()

    def feed() -> None:
        own, n = open_engine(node, engine.names.alias), 1000
        while not done.is_set():
            own.upsert([mention(n + k, at=T0 + timedelta(hours=5)) for k in range(20)], T0)
            own.refresh()
            n += 20
        own.close()

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(feed)
        seen: list[str] = []
        cursor = None
        while True:
            page = engine.search(All(), None, size=9, cursor=cursor)
            seen += [hit.id for hit in page.hits]
            if (cursor := page.next_cursor) is None:
                break
        done.set()
        writer.result()
    assert len(seen) == len(set(seen))
    assert {f"weibo:{n}" for n in range(120)} <= set(seen)


def test_two_installations_share_a_server(node: Node) -> None:
    """Names keep them apart, also when one begins like the other."""
    with fresh(node, "tone") as one, fresh(node, "tone-two") as two:
        one.upsert([mention(1)], T0)
        two.upsert([mention(1), mention(2)], T0)
        for engine in (one, two):
            engine.refresh()
        assert (one.count(All(), None).posts, two.count(All(), None).posts) == (1, 2)
        clear(one)
        assert two.count(All(), None).posts == 2


def test_months_have_the_mapping_of_this_version(engine: ElasticEngine) -> None:
    """Every index carries the version; what is read back is what the program wrote."""
    engine.upsert([mention(1), mention(2, at=T0 - timedelta(days=50))], T0)
    found = engine.server.ask("GET", f"/{engine.names.alias}/_mapping")
    assert len(found) == 3
    for index in found.values():
        assert index["mappings"]["_meta"] == {"index_version": VERSION}
        assert set(index["mappings"]["properties"]) == set(MAPPING["properties"])
        assert index["mappings"]["dynamic"] == "strict"


def test_the_servers_clock_is_only_told(engine: ElasticEngine) -> None:
    """A clock that is an hour off moves no answer: times are the posts' own. Health names it."""
    assert abs(engine.health()["clock_ahead_s"]) < 60
    engine.server.clock = lambda: time.time() + 3600
    assert -3660 < engine.health()["clock_ahead_s"] < -3540
    engine.upsert([mention(1), mention(2, collected=T0 + timedelta(hours=9))], T0)
    engine.refresh()
    assert engine.upsert([mention(2, collected=T0 + timedelta(hours=8))], T0).stale == 1
    assert engine.count(All(), Window(T0, T0 + timedelta(minutes=2))).posts == 1
    assert engine.latest() == T0 + timedelta(minutes=2)
