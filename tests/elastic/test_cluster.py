"""Three nodes, one killed while posts come and questions are asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from index.ast import All
from index.elastic import ElasticEngine
from index.elastic_client import Patience, Server
from keqing.settings import IndexSettings
from tests.conftest import lacking
from tests.contracts.index.made import T0, mention
from tests.elastic.artifact import Missing
from tests.elastic.servers import Node, cluster

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("elasticsearch")]
LONG = Patience(60, 0.5, 2.0)  # until a new master is elected and a replica is primary
BATCH, BATCHES, KILL_AT = 100, 24, 8


def engine(nodes: list[Node]) -> ElasticEngine:
    hosts = ",".join(node.url for node in nodes)
    return ElasticEngine(Server(IndexSettings.model_validate({"url": hosts}), {}, LONG, LONG))


def test_a_killed_node_loses_nothing_and_questions_go_on() -> None:
    """kill -9 of the node with the primary: all acknowledged posts are found, no question fails."""
    try:
        with cluster(3) as nodes:
            _survives(nodes)
    except Missing as error:
        lacking(f"tests of three Elasticsearch nodes need {error}")


def _survives(nodes: list[Node]) -> None:
    writer, reader, done = engine(nodes), engine(nodes), Event()
    writer.upsert([mention(0)], T0)
    writer.refresh()
    params = {"wait_for_status": "green", "timeout": "60s"}
    assert writer.server.ask("GET", "/_cluster/health", params=params)["status"] == "green"

    def ask() -> int:
        asked = 0
        while not done.is_set():
            assert reader.count(All(), None).posts >= 1
            asked += 1
        return asked

    acknowledged = 1
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            for n in range(BATCHES):
                if n == KILL_AT:
                    nodes[_primary(writer)].stop(9)
                posts = [mention(1 + n * BATCH + k) for k in range(BATCH)]
                acknowledged += writer.upsert(posts, T0).created
        finally:
            done.set()
        assert asking.result() > 0
    writer.refresh()
    assert acknowledged == 1 + BATCHES * BATCH
    assert writer.count(All(), None).posts == acknowledged
    assert writer.health()["check"].endswith("2 nodes")
    for one in (writer, reader):
        one.close()


def _primary(writer: ElasticEngine) -> int:
    """Number of the node that holds the primary of the month being written."""
    month = writer.names.month(writer.state.current().name, int(T0.timestamp()))
    shards = writer.server.ask("GET", f"/{month}/_recovery")[month]["shards"]
    [primary] = [shard for shard in shards if shard["primary"]]
    return int(primary["target"]["name"].removeprefix("n"))
