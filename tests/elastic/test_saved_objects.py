"""Kibana's and Grafana's objects: whole, closed, and every question of theirs asked on a real node."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from dashboards.grafana import build as grafana_build
from dashboards.kibana import build as kibana_build
from dashboards.kibana.objects import CORE_VERSION, DATA_VIEW, TIME, VERSIONS
from index.elastic import ElasticEngine
from index.elastic_public import Public
from index.elastic_public_document import PROPERTIES
from keqing.records import Channel, Mention, Polarity, Precision
from tests.contracts.index.made import T0, mention
from tests.elastic.saved_objects import grafana, kibana, rows
from tests.elastic.servers import Node, fresh
from tests.elastic.test_public import remove

pytestmark = pytest.mark.xdist_group("elasticsearch")
OBJECTS = [json.loads(line) for line in kibana_build.OUT.read_text("utf-8").splitlines()]
BOARD = json.loads(grafana_build.OUT.read_text("utf-8"))
BY_ID = {one["id"]: one for one in OBJECTS}
TARGETS = {panel["title"]: panel["targets"][0] for panel in BOARD["panels"]}
START, END = T0 - timedelta(hours=1), T0 + timedelta(hours=3)
HOURS = [f"2026-11-2{'0T23' if n < 0 else f'1T0{n}'}:00:00.000+08:00" for n in range(3)]
NUMERIC = {"long", "double", "date"}


def post(n: int, delay_s: int, channel: Channel = Channel.PUBLIC, **more: Any) -> Mention:
    """A post whose time is known to the second, seen `delay_s` later."""
    at = T0 + timedelta(minutes=n)
    made = mention(n, at=at, seen=at + timedelta(seconds=delay_s), **more)
    exact = {"published_precision": Precision.SECOND, "channel": channel, "flags": ("truncated",)}
    return made.model_copy(update={"post": made.post.model_copy(update=exact), "stage": "linear"})


KNOWN = [
    *(post(n, 60) for n in range(4)),
    post(61, 3900, Channel.SOCIAL, brands=("coffee",), polarity=Polarity.POSITIVE, source="forum"),
    post(121, 60, severe=(0.9,)),
]


@pytest.fixture(scope="module")
def copy(node: Node) -> Iterator[ElasticEngine]:
    """The small known set in a reduced copy of its own."""
    with fresh(node) as engine:
        engine.upsert(KNOWN, T0)
        engine.refresh()
        Public(engine.server).publish()
        engine.server.tell("POST", f"/{engine.names.alias}-public-*/_refresh")
        yield engine
        remove(engine)


def ask(engine: ElasticEngine, body: dict[str, Any]) -> dict[str, Any]:
    """What the alias of the data view answers."""
    return engine.server.search(f"{engine.names.alias}-public", body)


def test_the_files_are_what_the_builders_write() -> None:
    """Rebuilt bytes are equal; after a change run python -m dashboards.kibana.build (…grafana.build)."""
    assert kibana_build.OUT.read_text("utf-8") == kibana_build.text()
    assert grafana_build.OUT.read_text("utf-8") == grafana_build.text()


def test_no_host_and_no_author_is_named() -> None:
    """No address, no field outside of the reduced copy, no right of another index."""
    for text in (kibana_build.text(), grafana_build.text()):
        assert not re.search(r"https?://|localhost|\d+\.\d+\.\d+\.\d+:", text)
        assert not re.search(r"author|followers|voices|shown", text)


def test_saved_objects_are_whole() -> None:
    """Type, id, versions, attributes; nested JSON can be read; references are closed; ids are unique."""
    assert len(BY_ID) == len(OBJECTS)
    for one in OBJECTS:
        assert one.keys() == {"type", "id", "attributes", "references", "managed",
                              "coreMigrationVersion", "typeMigrationVersion"}  # fmt: skip
        assert one["coreMigrationVersion"] == CORE_VERSION
        assert one["typeMigrationVersion"] == VERSIONS[one["type"]]
        attributes = one["attributes"]
        assert attributes["title"]
        nested = {name for name in attributes if name.endswith("JSON")} | (
            attributes.keys() & {"visState", "fieldAttrs", "fieldFormatMap", "fields"}
        )
        for name in nested:
            json.loads(attributes[name])
        for reference in one["references"]:
            assert BY_ID[reference["id"]]["type"] == reference["type"]
    kinds = [one["type"] for one in OBJECTS]
    counted = [kinds.count(k) for k in ("index-pattern", "search", "visualization", "dashboard")]
    assert counted == [1, 3, 7, 1]


def test_every_chart_and_search_reads_the_data_view_by_reference() -> None:
    """The reference that the search source names is there and leads to the restricted alias."""
    assert BY_ID[DATA_VIEW]["attributes"]["title"] == "keqing-public"
    assert BY_ID[DATA_VIEW]["attributes"]["timeFieldName"] == TIME
    for one in OBJECTS:
        if one["type"] not in ("search", "visualization") or one["id"] == "keqing-note":
            continue
        source = json.loads(one["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
        [reference] = one["references"]
        assert (reference["name"], reference["id"]) == (source["indexRefName"], DATA_VIEW)


def test_the_board_places_each_of_its_panels() -> None:
    """Each panel has a reference and a place inside 48 columns that no other panel takes."""
    [board] = [one for one in OBJECTS if one["type"] == "dashboard"]
    panels = json.loads(board["attributes"]["panelsJSON"])
    names = {reference["name"] for reference in board["references"]}
    assert names == {f"{p['panelIndex']}:{p['panelRefName']}" for p in panels}
    no_overlap([p["gridData"] for p in panels], 48)
    assert board["attributes"]["timeFrom"] == "now-24h"


def test_the_data_health_board_is_whole() -> None:
    """Unique ids, places, one data source by variable, Beijing time, 24 hours."""
    assert BOARD["timezone"] == "Asia/Shanghai"
    assert BOARD["time"] == {"from": "now-24h", "to": "now"}
    [variable] = BOARD["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", "elasticsearch")
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(ids)) == len(ids) == len(TARGETS)
    no_overlap([panel["gridPos"] for panel in BOARD["panels"]], 24)
    for panel in BOARD["panels"]:
        for part in (panel, *panel["targets"]):
            assert part["datasource"] == {
                "type": "elasticsearch",
                "uid": f"${{{variable['name']}}}",
            }
        order = [bucket["type"] for bucket in panel["targets"][0]["bucketAggs"]]
        assert panel["type"] == ("timeseries" if order[-1] == "date_histogram" else "table")


def no_overlap(places: list[dict[str, Any]], width: int) -> None:
    taken = [(p["x"] + x, p["y"] + y) for p in places for x in range(p["w"]) for y in range(p["h"])]
    assert len(set(taken)) == len(taken)
    assert all(x < width for x, _ in taken)


def test_every_field_is_in_the_copy_with_a_fitting_type() -> None:
    """Terms on keywords, times on dates, numbers on numbers; labels and formats name real fields."""
    asked = [*(json.loads(one["attributes"]["visState"])["aggs"] for one in OBJECTS
               if one["type"] == "visualization")]  # fmt: skip
    aggs = [(a["type"], a["params"].get("field")) for parts in asked for a in parts]
    for target in TARGETS.values():
        aggs += [(a["type"], a.get("field")) for a in (*target["metrics"], *target["bucketAggs"])]
    for kind, field in aggs:
        fits = {"terms": {"keyword"}, "date_histogram": {"date"}, "count": {None}}.get(
            kind, NUMERIC
        )
        assert (None if field is None else PROPERTIES[field]["type"]) in fits, (kind, field)
    view = BY_ID[DATA_VIEW]["attributes"]
    named = json.loads(view["fieldAttrs"]).keys() | json.loads(view["fieldFormatMap"]).keys()
    for one in OBJECTS:
        named |= set(one["attributes"].get("columns", ()))
    assert named <= PROPERTIES.keys()


DELAYS = {"50.0": 60.0, "95.0": 60.0}
CHARTS: dict[str, list[tuple[Any, ...]]] = {
    "keqing-by-channel": [(HOURS[0], "public", 4), (HOURS[1], "social", 1), (HOURS[2], "public", 1)],
    "keqing-by-polarity": [(HOURS[0], "negative", 4), (HOURS[1], "positive", 1),
                           (HOURS[2], "negative", 1)],
    "keqing-by-brand": [("tea", "negative", 5), ("coffee", "positive", 1)],
    "keqing-by-severity": [("食品安全", 1)],
    "keqing-delay": [(HOURS[0], 4, DELAYS), (HOURS[1], 1, {"50.0": 3900.0, "95.0": 3900.0}),
                     (HOURS[2], 1, DELAYS)],
    "keqing-by-source": [("demo-weibo", 5, (T0 + timedelta(minutes=122)).timestamp() * 1000),
                         ("forum", 1, (T0 + timedelta(minutes=126)).timestamp() * 1000)],
}  # fmt: skip


def test_every_chart_of_kibana_answers(copy: ElasticEngine) -> None:
    """The numbers of the known set, hour by hour in Beijing, and there is no chart beside these."""
    charts = {one["id"]: one for one in OBJECTS if one["type"] == "visualization"}
    assert charts.keys() == {*CHARTS, "keqing-note"}
    for id_, expected in CHARTS.items():
        body = kibana(charts[id_], START, END, TIME)
        assert rows(body, ask(copy, body)) == expected, id_


def test_every_search_of_kibana_answers(copy: ElasticEngine) -> None:
    """Newest first, with the columns that it shows; and there is no search beside these."""
    expected = {"keqing-negative": 5, "keqing-severe": 1, "keqing-late": 1}
    searches = {one["id"]: one for one in OBJECTS if one["type"] == "search"}
    assert searches.keys() == expected.keys()
    for id_, found in searches.items():
        hits = ask(copy, kibana(found, START, END, TIME))["hits"]
        assert hits["total"]["value"] == expected[id_], id_
        times = [hit["sort"][0] for hit in hits["hits"]]
        assert times == sorted(times, reverse=True)
        assert {"source", "brand"} & hits["hits"][0]["fields"].keys()


def test_every_panel_of_grafana_answers(copy: ElasticEngine) -> None:
    """The numbers of the known set; an hour without posts is a zero, not a hole."""
    found = {}
    for title, target in TARGETS.items():
        body = grafana(target, START, END, grafana_build.SEEN)
        found[title] = rows(body, ask(copy, body))
    hourly = found.pop("每小时新看到的帖文（按信源）")
    assert [row[2] for row in hourly if row[0] == "demo-weibo"] == [0, 4, 0, 1, 0]
    assert [row[2] for row in hourly if row[0] == "forum"] == [0, 0, 0, 1, 0]
    newest = found.pop("各信源距今最近一次")
    assert [row[:2] for row in newest] == [("demo-weibo", 5), ("forum", 1)]
    assert newest[0][2] < newest[1][2]  # the one that is silent for longest comes first
    waited = {row[0]: row[2] for row in found.pop("各信源的采集延迟")}
    assert [waited[s]["95.0"] for s in ("demo-weibo", "forum")] == [60.0, 3900.0]
    assert sum(row[1] for row in found.pop("采集延迟分位（首次看到 − 发布）")) == 6
    assert found.pop("发布时间的精度") == [("second", 6)]
    assert found.pop("品牌词出现但未采信（按原因）") == []
    for title, key in (
        ("研判级别", "linear"),
        ("模型版本", "m"),
        ("带标记的帖文（截断、改过…）", "truncated"),
    ):
        counted = found.pop(title)
        assert (counted[0][0], sum(row[2] for row in counted)) == (key, 6), title
    assert not found
