"""From the embedded engine to a server, and back from the server's own snapshots."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.ast import All
from index.elastic import ElasticEngine
from index.engine import open_index
from keqing.cli import main
from keqing.settings import load_settings
from tests.contracts.index.made import T0, mention
from tests.elastic.servers import Node, clear, fresh, open_engine

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("elasticsearch")


@pytest.fixture
def target(node: Node) -> Iterator[ElasticEngine]:
    """A free name on the server."""
    engine = open_engine(node, f"t{uuid.uuid4().hex[:12]}")
    yield engine
    clear(engine)
    engine.close()


def test_an_embedded_index_moves(
    node: Node, target: ElasticEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every document is compared; a second run changes nothing; one that moved has nothing to move."""
    plan = (ROOT / "keqing.toml").read_text("utf-8")
    name = target.names.alias
    (tmp_path / "keqing.toml").write_text(f'{plan}\n[index]\nname = "{name}"\n', "utf-8")
    rows = "".join(f"{n},木槿壶第{n}家店服务太差,a{n % 3}\n" for n in range(40))
    (tmp_path / "a.csv").write_text(f"id,正文,作者\n{rows}", "utf-8")
    root = ["--root", str(tmp_path)]
    for verb in (["import", str(tmp_path / "a.csv")], ["score"], ["load"]):
        assert main([*verb, *root]) == 0
    for _ in range(2):
        capsys.readouterr()
        assert main(["migrate", "--to", node.url, "--json", *root]) == 0
        report = json.loads(capsys.readouterr().out)
        assert (report["documents"], report["on_server"], report["different"]) == (40, 40, [])
        assert report["checksum"] == report["server_checksum"]
    assert target.count(All(), None).posts == 40
    assert load_settings(tmp_path, env={}).plan.index.url is None
    served = f'{plan}\n[index]\nname = "{name}"\nurl = "{node.url}"\n'
    (tmp_path / "keqing.toml").write_text(served, "utf-8")
    assert main(["migrate", "--to", node.url, *root]) == 2


def test_a_difference_is_named(
    node: Node, target: ElasticEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A document that only the embedded index has ends the move with its id and exit 1."""
    plan = (ROOT / "keqing.toml").read_text("utf-8")
    (tmp_path / "keqing.toml").write_text(f'{plan}\n[index]\nname = "{target.names.alias}"\n')
    index = open_index(load_settings(tmp_path, env={}))
    index.upsert([mention(5)], T0)
    index.close()
    assert main(["migrate", "--to", node.url, "--json", "--root", str(tmp_path)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["documents"], report["on_server"]) == (1, 0)
    assert report["different"] == ["weibo:5"]


def test_a_wrong_address_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a traceback nor a half move."""
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    assert main(["migrate", "--to", "es:9200", "--root", str(tmp_path)]) == 2
    assert "http" in capsys.readouterr().err
    assert main(["migrate", "--to", "http://127.0.0.1:9", "--root", str(tmp_path)]) == 1
    assert "127.0.0.1:9" in capsys.readouterr().err


def test_a_snapshot_restores_the_index(node: Node, tmp_path: Path) -> None:
    """The night's snapshot, taken into a repository of the server, brings all answers back."""
    if node.home is None:
        pytest.skip("the server of KEQING_TEST_ES_URL has no repository folder of ours")
    with fresh(node, snapshots="nightly") as engine:
        place = {"type": "fs", "settings": {"location": str(node.home / "repo" / "nightly")}}
        engine.server.tell("PUT", "/_snapshot/nightly", place)
        engine.upsert([mention(n) for n in range(20)], T0)
        engine.refresh()
        hits = engine.search(All(), None).hits
        folder = tmp_path / "20261126"
        folder.mkdir()
        for _ in range(2):  # a second night's copy of one day replaces the first
            record = json.loads(engine.snapshot(folder).read_text("utf-8"))
        assert record["snapshot"] == f"{engine.names.alias}-20261126"
        clear(engine)
        path = f"/_snapshot/nightly/{record['snapshot']}/_restore"
        engine.server.tell("POST", path, {}, params={"wait_for_completion": "true"})
        restored = open_engine(node, engine.names.alias)
        assert restored.search(All(), None).hits == hits
        assert restored.upsert([mention(3), mention(77)], T0).unchanged == 1
        restored.close()
