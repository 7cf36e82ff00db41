"""What pages say: numbers of the index, links to exactly those posts, gaps instead of calm."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest

from bench.fill import SOURCES
from dashboards.filters import Filters
from index.query import Window
from keqing.errors import IndexUnavailable
from keqing.workflow import runs
from keqing.workflow.accounts import Role
from keqing.workflow.db import begin

NUMBER = re.compile(r'<a [^>]*href="([^"]+)"[^>]*data-value="(\d+)"[^>]*>')


def numbers(page: str) -> list[tuple[str, int]]:
    """Links that show a number, with it."""
    return [(html.unescape(link), int(value)) for link, value in NUMBER.findall(page)]


def total(client: Any, link: str) -> int:
    """How many posts the list behind a link holds."""
    found: int = client.get(link.replace("/mentions", "/mentions.json", 1)).json()["total"]["posts"]
    return found


@pytest.mark.parametrize(
    "path", ["/", "/?range=7d", "/?brand=lian&range=7d", "/mentions", "/mentions?q=塑料片&fold=0"]
)
def test_every_number_leads_to_that_many_posts(lead: Any, path: str) -> None:
    """Each number is a link, and the list behind it holds that many posts."""
    found = numbers(lead.get(path).text)
    assert found
    for link, value in found:
        assert total(lead, link) == value, link


@pytest.mark.parametrize("path", ["/", "/mentions"])
def test_numbers_are_those_of_the_twin(lead: Any, path: str) -> None:
    """Every number of the page stands in the JSON of the same address."""
    twin = lead.get("/overview.json" if path == "/" else "/mentions.json").text
    for _, value in numbers(lead.get(path).text):
        assert re.search(rf":{value}[,}}]", twin)


def test_overview_counts_what_the_index_counts(desk: Any, lead: Any) -> None:
    """Volume, negatives and the days before are the answers of the index for the same window."""
    view = lead.get("/overview.json?brand=mujinhu").json()
    now = desk.clock[0].replace(microsecond=0)
    window = Window(now - timedelta(hours=24), now)
    before = Window(now - timedelta(hours=48), now - timedelta(hours=24))
    index, segment = desk.index, (lambda text: [text])
    about, against = Filters(brand=("mujinhu",)), Filters(against=("mujinhu",))
    assert view["total"]["posts"] == index.count(about.node(segment, None), window).posts > 0
    assert view["total"]["negative"] == index.count(against.node(segment, None), window).posts > 0
    assert view["total"]["posts_before"] == index.count(about.node(segment, None), before).posts
    lines = view["chart"]["lines"]
    assert sum(v or 0 for line in lines.values() for v in line) >= view["total"]["posts"]


def test_chart_points_lead_to_their_posts(lead: Any) -> None:
    """The posts behind a step are as many as its three parts, for one brand."""
    chart = lead.get("/overview.json?brand=mujinhu").json()["chart"]
    for n, url in enumerate(chart["urls"]):
        parts = [line[n] for line in chart["lines"].values()]
        assert total(lead, url) == sum(part or 0 for part in parts)
    assert chart["open_end"]


def test_a_partly_blind_window_says_so(lead: Any) -> None:
    """The shop was silent last night: the page names it and hatches those hours."""
    page = lead.get("/").text
    assert "部分数据缺失" in page
    assert "木槿壶点评" in page
    assert lead.get("/overview.json").json()["chart"]["blind"]


def test_blind_everywhere_is_never_zero(desk: Any) -> None:
    """All sources silent for hours: no number, a red bar, gaps in the chart, grey in health."""
    _all_blind(desk, hours=5)
    lead = desk.user("林组长", Role.LEAD)
    page, view = lead.get("/").text, lead.get("/overview.json").json()
    assert "数据中断，无法判断" in page
    assert view["total"]["posts"] is None
    assert view["total"]["negative"] is None
    assert view["chart"]["lines"]["negative"][-2] is None
    assert view["chart"]["blind"]
    assert {light["state"] for light in view["lights"]} == {"blind"}
    assert 'data-value="0"' not in page.split('class="kpis"')[1].split("first-phone")[0]
    health = lead.get("/health").text
    assert health.count("失明") == len(SOURCES)
    assert lead.get("/mentions?q=绝无此词").text.count("数据中断") >= 1


def test_a_new_installation_claims_nothing(fresh: Any) -> None:
    """Without any run there is no coverage, no calm and no fault."""
    client = fresh.user("林组长", Role.LEAD)
    for path in ("/", "/mentions", "/incidents", "/health", "/audit"):
        assert client.get(path).status_code == 200
    assert "尚无数据" in client.get("/").text
    assert client.get("/overview.json").json()["total"]["posts"] is None
    states = {light["state"] for light in client.get("/health.json").json()["lights"]}
    assert states == {"unknown"}


def test_a_dead_index_leaves_alerts_and_health(
    desk: Any, lead: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Search down: its pages are 503 without a trace, the others work and say what fails."""

    def down(*_: object, **__: object) -> None:
        raise IndexUnavailable("mentions-4.db: gone")

    for name in ("search", "count", "counts", "counts_by", "latest", "health", "keywords"):
        monkeypatch.setattr(desk.index, name, down)
    for path in ("/", "/mentions"):
        answer = lead.get(path)
        assert answer.status_code == 503
        assert "mentions-4.db" not in answer.text
    for path in ("/incidents", "/health"):
        answer = lead.get(path)
        assert answer.status_code == 200
        assert "检索服务暂不可用" in answer.text
    assert lead.get("/readyz").json() == {"status": "fail"}


def test_health_is_the_ledger(desk: Any, lead: Any) -> None:
    """The page shows the newest run of each source and stage as the ledger has it."""
    view = lead.get("/health.json").json()
    with begin(desk.engine) as tx:
        for light in view["lights"]:
            newest = runs.last(tx, "crawl", light["source"], 8)
            assert [run["run_id"] for run in light["runs"]] == [run.run_id for run in newest]
    stages = {stage["name"]: stage["run"] for stage in view["stages"]}
    assert stages["import"] is None
    assert stages["score"]["outcome"] == "ok"
    assert view["index"]["documents"] > 100
    assert view["outbox"]["sent"] >= 1


def _all_blind(desk: Any, hours: int) -> None:
    desk.clock[0] += timedelta(hours=hours)
    with begin(desk.engine) as tx:
        for age in range(hours * 2 - 1, -1, -1):
            at = desk.clock[0] - timedelta(minutes=30 * age + 5)
            for source in SOURCES:
                run_id = runs.start(tx, "crawl", source, at)
                runs.finish(tx, run_id, "BLOCKED_LOGIN", {}, at + timedelta(seconds=9))
