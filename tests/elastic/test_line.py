"""The whole line on Elasticsearch: `[index] url` alone chooses it, and the incidents are the same."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from alerts.run import check
from index.answers import IndexEngine
from index.ast import All
from index.engine import open_index
from index.run import load
from keqing.cli import main
from keqing.landing import Landing
from keqing.records import Incident
from keqing.settings import Settings, load_settings
from keqing.workflow import db, incidents
from tests.elastic.servers import Node, clear, open_engine

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.end_to_end, pytest.mark.xdist_group("elasticsearch")]


@dataclass
class Line:
    """An installation on the server after one pass of `keqing demo`."""

    root: Path
    report: dict[str, dict[str, dict[str, int]]]
    settings: Settings
    incidents: list[Incident]


@pytest.fixture(scope="module")
def line(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """One pass on the demo city; on a node of our own the url is all that is added to the plan."""
    root = tmp_path_factory.mktemp("line")
    name = "keqing" if node.home else f"t{uuid.uuid4().hex[:12]}"
    named = "" if node.home else f'name = "{name}"\n'
    plan = (ROOT / "keqing.toml").read_text("utf-8")
    (root / "keqing.toml").write_text(f'{plan}\n[index]\nurl = "{node.url}"\n{named}', "utf-8")
    try:
        report = json.loads(run(root, "demo", "--json").splitlines()[-1])
        settings = load_settings(root, env={})
        yield Line(root, report, settings, listed(settings))
    finally:
        engine = open_engine(node, name)
        clear(engine)
        engine.close()


def run(root: Path, *verb: str) -> str:
    command = [sys.executable, "-m", "keqing", *verb, "--root", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=480, check=False)
    if done.returncode:
        raise AssertionError(f"exit {done.returncode}: {done.stdout[-800:]} {done.stderr[-2000:]}")
    return done.stdout


def listed(settings: Settings) -> list[Incident]:
    with db.begin(db.open_workflow(settings)) as tx:
        return sorted(incidents.list_incidents(tx), key=lambda i: i.id)


@pytest.fixture(scope="module")
def twin(line: Line, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The same installation before load and check, on the embedded engine."""
    root = tmp_path_factory.mktemp("twin")
    shutil.copytree(line.root / "var", root / "var")
    shutil.copy(ROOT / "keqing.toml", root)
    with sqlite3.connect(root / "var" / "keqing.db") as file:
        file.execute("UPDATE nlp_batches SET loaded_at = NULL")
        guards = (
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'incident_log'"
        )
        for (guard,) in file.execute(guards).fetchall():
            file.execute(f"DROP TRIGGER {guard}")
        for table in ("notification_attempts", "notifications", "incident_posts", "incident_log",
                      "incidents"):  # fmt: skip
            file.execute(f"DELETE FROM {table}")
        file.execute("DELETE FROM runs WHERE stage IN ('load', 'check', 'notify')")
    file.close()
    return load_settings(root, env={})


def test_every_post_is_in_the_index(line: Line) -> None:
    """What landed is what the server has; nothing was written into an embedded file."""
    landing = Landing(line.root / "var" / "landing")
    posts = {post.id for file in landing.files() for post in landing.read(file)}
    assert len(posts) > 2000
    assert line.report["stages"]["load"]["created"] == len(posts)
    assert everything(open_index(line.settings, {})).keys() == posts
    assert list((line.root / "var").glob("mentions-*.db")) == []


def test_the_incidents_are_those_of_the_embedded_engine(line: Line, twin: Settings) -> None:
    """Same posts, same moment: the same incidents in every field, evidence and numbers included."""
    engine = db.open_workflow(twin)
    moments = {incident.opened_at for incident in line.incidents}
    assert len(moments) == 1
    [now] = moments
    load(twin, engine, now)
    check(twin, engine, open_index(twin), now)
    assert line.incidents != []
    assert listed(twin) == line.incidents
    assert everything(open_index(twin)) == everything(open_index(line.settings, {}))


def everything(index: IndexEngine) -> dict[str, object]:
    found: dict[str, object] = {}
    cursor = None
    while True:
        page = index.search(All(), None, size=1000, cursor=cursor)
        found |= {hit.id: hit for hit in page.hits}
        if (cursor := page.next_cursor) is None:
            index.close()
            return found


def test_upkeep_records_the_server(line: Line) -> None:
    """The night's copy holds the workflow, the chain and what stands on the server."""
    folder = line.root / json.loads(run(line.root, "upkeep", "--json"))["backup"]
    record = json.loads((folder / "index.json").read_text("utf-8"))
    assert record["documents"] == line.report["stages"]["load"]["created"]
    assert record["ok"]
    assert (folder / "keqing.db").stat().st_size > 0


def test_the_doctor_asks_the_server(line: Line, capsys: pytest.CaptureFixture[str]) -> None:
    """A running server is well, and how many posts it has is told."""
    main(["doctor", "--json", "--root", str(line.root)])
    checks = {c["name"]: c for c in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["index"]["state"] == "ok"
    assert "检索服务完好" in checks["index"]["found"]


def test_search_and_replay_leave_the_server_alone(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`keqing search` asks the server; a replay has an index of its own and compares with it."""
    name = f"t{uuid.uuid4().hex[:12]}"
    plan = (ROOT / "keqing.toml").read_text("utf-8")
    index = f'[index]\nurl = "{node.url}"\nname = "{name}"\n'
    (tmp_path / "keqing.toml").write_text(f"{plan}\n{index}", "utf-8")
    (tmp_path / "a.csv").write_text("id,正文\n1,木槿壶真好喝\n2,木槿壶太差了\n", "utf-8")
    engine = open_engine(node, name)
    try:
        for verb in (["import", str(tmp_path / "a.csv")], ["score"], ["load"]):
            assert main([*verb, "--root", str(tmp_path)]) == 0
        before = engine.generation()
        assert main(["search", "品牌:mujinhu", "--root", str(tmp_path)]) == 0
        assert "帖文 2" in capsys.readouterr().out
        again = ["replay", str(tmp_path / "again"), "--json", "--root", str(tmp_path)]
        assert main(again) == 0
        assert json.loads(capsys.readouterr().out)["index_equal"]
        assert engine.generation() == before > 0
    finally:
        clear(engine)
        engine.close()
