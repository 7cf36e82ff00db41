"""The column on a real server: it is all there is of a post, it goes with it, and old layouts say so."""

from __future__ import annotations

import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest

from index.answers import Sort, Window
from index.ast import All
from index.document import to_document
from index.elastic import ElasticEngine
from index.elastic_content import COLUMNS, FIELD, column
from index.elastic_document import document_id
from index.elastic_mapping import VERSION
from index.elastic_merge import settle
from index.elastic_state import Edition
from keqing.errors import IndexFault, IndexOutdated
from tests.contracts.index.made import T0, mention
from tests.elastic.fake import Asked, Told, fake, forward, refusal, told
from tests.elastic.servers import Node, fresh, open_engine
from tests.elastic.test_client import ALIAS, EMPTY, at

pytestmark = pytest.mark.xdist_group("elasticsearch")
FEW = 10
GONE_S = 20.0
DAY = Window(T0, T0 + timedelta(days=1))


@pytest.fixture
def engine(node: Node) -> Iterator[ElasticEngine]:
    with fresh(node) as made:
        yield made


def test_the_server_keeps_no_second_copy(engine: ElasticEngine) -> None:
    """`_source` holds the vector alone: words, names and text stand in columns or in no field."""
    engine.upsert([mention(1, "客服 差", title="标题", author="k1:a")], T0)
    engine.refresh()
    [hit] = engine.server.search(engine.names.alias, {})["hits"]["hits"]
    assert hit["_source"] == {}
    assert engine.get(["weibo:1"])[0].title == "标题"


def test_a_long_post_is_one_column(engine: ElasticEngine) -> None:
    """More bytes than a keyword may have."""
    long = mention(1, " ".join(f"第{n}" for n in range(20_000))).model_copy(update={"keywords": ()})
    assert engine.upsert([long], T0).created == 1
    engine.refresh()
    assert engine.search(All(), None).hits[0].text == long.post.text


def test_the_column_of_an_erased_post_is_gone(engine: ElasticEngine, node: Node) -> None:
    """No file of the server holds its bytes any more, though few posts of the month went."""
    if node.home is None:
        pytest.skip("the files of the server of KEQING_TEST_ES_URL are not ours to read")
    engine.upsert([mention(n, f"第{n} 句 秘密 词汇") for n in range(100)], T0)
    engine.refresh()
    index = engine.state.indices()[0]
    asked = {"query": {"term": {"id": "weibo:1"}}, **COLUMNS, "docvalue_fields": [FIELD]}
    [hit] = engine.server.search(engine.names.alias, asked)["hits"]["hits"]
    said = b64decode(hit["fields"][FIELD][0])
    engine.server.tell("POST", f"/{index}/_flush")
    assert in_files(node, said)
    without_history(engine, index)
    assert engine.erase_ids(["weibo:1"]) == 1
    engine.server.tell("POST", f"/{engine.names.alias}/_flush", params={"force": "true"})
    # A reader of the old segments may be open for a moment; its files go with it.
    end = time.monotonic() + GONE_S
    while in_files(node, said) and time.monotonic() < end:
        time.sleep(0.5)
    assert not in_files(node, said)
    assert len(engine.search(All(), None, size=200).hits) == 99


def without_history(engine: ElasticEngine, index: str) -> None:
    """The month as a clone: a new index keeps no history for replicas, an old one does for 30 s."""
    names, server = engine.names, engine.server
    other = f"{names.template(engine.state.current().name)}-2026.12"
    blocked = {"index.blocks.write": True}
    server.tell("PUT", f"/{index}/_settings", blocked)
    free = {"settings": {"index.blocks.write": None}, "aliases": {names.alias: {}}}
    server.tell("PUT", f"/{index}/_clone/{other}", free)
    server.tell("DELETE", f"/{index}")


def in_files(node: Node, said: bytes) -> bool:
    """Whether a file of the node's data holds these bytes."""
    if node.home is None:
        raise AssertionError("the node is one of ours")
    for path in (node.home / "data").rglob("*"):
        with suppress(FileNotFoundError):  # the server removes files while we look
            if path.is_file() and said in path.read_bytes():
                return True
    return False


def test_an_old_layout_is_refused_and_rebuilt(engine: ElasticEngine, node: Node) -> None:
    """An index of the layout before says what to do; the rebuild takes its place without a gap."""
    names, server = engine.names, engine.server
    old = f"{names.template('v3-1')}-2026.11"
    key, long = {"type": "keyword"}, {"type": "long"}
    fields = {"id": key, "tie": long, "shown": {"type": "object", "enabled": False}}
    server.create(old, {"mappings": {"properties": fields}, "aliases": {names.alias: {}}})
    server.tell("PUT", f"/{old}/_doc/{document_id('weibo:1')}", {"id": "weibo:1", "tie": 1})
    with pytest.raises(IndexOutdated, match=rf"version 3, needed is {VERSION}; run keqing rebuild"):
        engine.count(All(), None)
    with pytest.raises(IndexOutdated):
        engine.upsert([mention(1)], T0)
    build = engine.building(T0)
    build.add("b", [mention(n) for n in range(2, 5)], T0)
    with pytest.raises(IndexFault, match="missing of a sample: 1 weibo:1"):
        build.swap(T0)
    build.add("c", [mention(1)], T0)
    build.swap(T0)
    assert engine.state.current() == Edition(VERSION, 1)
    assert engine.count(All(), None).posts == 4
    assert old not in engine.state.indices()


def test_the_most_repeated_are_exact_over_months_and_shards(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A story with one copy in each month, or in each shard, is one of two; so it is among many."""
    monkeypatch.setattr("index.elastic_copies.FEW", FEW)
    newest = T0 + timedelta(hours=20)
    spread = [
        mention(900 + n, story="spread", at=newest - timedelta(days=31 * n)) for n in range(2)
    ]
    many = [mention(100 + n, story=f"t{n // 2}") for n in range(2 * FEW)]
    for shards in (1, 2):
        with fresh(node, shards=shards) as engine:
            engine.upsert([mention(n, story=f"s{n}") for n in range(40)] + spread + many, T0)
            engine.refresh()
            page = engine.search(All(), None, sort="similar", fold=True, size=2)
            assert (page.hits[0].story, page.hits[0].detail["similar"]) == ("spread", 2)
            # In the one month there are more than are asked for first.
            page = engine.search(All(), DAY, sort="similar", fold=True, size=FEW + 1)
            assert [h.detail["similar"] for h in page.hits] == [2] * FEW + [1]


def test_months_in_pieces_are_merged_at_night(engine: ElasticEngine) -> None:
    """The second copy that a server keeps for replicas goes; a month of one piece is left as it is."""
    for n in range(3):
        engine.upsert([mention(10 * n + k) for k in range(10)], T0)
        engine.refresh()
    month = engine.state.indices()[0]
    assert settle(engine.state) == [month]
    found = engine.server.ask("GET", f"/{month}/_stats/segments")
    assert found["_all"]["primaries"]["segments"]["count"] == 1
    assert settle(engine.state) == []
    assert engine.tidy(T0, None) == 0
    assert engine.count(All(), None).posts == 30


def test_opensearch_exports_by_a_walk_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """No point in time, plain media types, the same column; each page begins where one ended."""
    monkeypatch.setattr("index.elastic_export.PAGE", 2)
    posts = [mention(n) for n in (3, 2, 1)]
    rows = [
        {"_index": "i", "fields": {FIELD: [column(to_document(m))]}, "sort": [n, 0, m.post.id]}
        for n, m in enumerate(posts)
    ]

    def rule(asked: Asked) -> Told:
        if "/_alias/" in asked.path:
            return told(200, ALIAS, Content_Type="application/json")
        after = asked.lines[0].get("search_after")
        part = rows[:2] if after is None else rows[2:]
        return told(200, {**EMPTY, "hits": {"hits": part}}, Content_Type="application/json")

    with fake(rule) as server:
        engine = at(server.url, flavour="opensearch")
        found = [hit.id for hit in engine.export(All(), None, T0 + timedelta(days=1))]
        asked = server.of("_search")
        assert found == ["weibo:3", "weibo:2", "weibo:1"]
        assert [one.lines[0].get("search_after") for one in asked] == [None, [1, 0, "weibo:2"]]
        for one in asked:
            sent = {name.lower(): value for name, value in one.headers.items()}
            assert (sent["content-type"], sent["accept"]) == ("application/json",) * 2
            assert "pit" not in one.lines[0]
            assert one.lines[0]["docvalue_fields"] == [FIELD]
        assert not server.of("_pit")


def test_opensearch_is_asked_for_columns_in_pages(node: Node) -> None:
    """A page and single posts send plain media types and no word that OpenSearch does not know."""
    seen: list[Asked] = []

    def through(asked: Asked) -> Told:
        seen.append(asked)
        kinds = {k.lower(): v for k, v in asked.headers.items()}
        if "vnd.elasticsearch" in kinds.get("content-type", "") + kinds["accept"]:
            return refusal(406, "media_type_header_exception")
        answer = forward(node.url, asked)
        return Told(answer.status, answer.body, {"Content-Type": "application/json"})

    with fresh(node) as engine, fake(through) as proxy:
        engine.upsert([mention(n, story=f"s{n % 3}") for n in range(9)], T0)
        engine.refresh()
        other = open_engine(Node(proxy.url), engine.names.alias, flavour="opensearch")
        orders: tuple[Sort, ...] = ("time", "similar")
        for sort in orders:
            page = other.search(All(), DAY, sort=sort, fold=True)
            assert page == engine.search(All(), DAY, sort=sort, fold=True)
        assert other.get(["weibo:1"]) == engine.get(["weibo:1"])
        later = T0 + timedelta(days=1)
        assert list(other.export(All(), None, later)) == list(engine.export(All(), None, later))
        other.close()
    assert not [asked for asked in seen if "_pit" in asked.path]
