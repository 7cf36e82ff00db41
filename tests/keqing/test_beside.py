"""Scoring again beside what stands: what a change of plan or model would change, before it counts."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from index.run import mentions_of
from keqing.cli import beside as cli
from keqing.cli import context as clock
from keqing.cli import line
from keqing.cli.main import main
from keqing.errors import UsageError
from keqing.landing import Landing
from keqing.records import Author, Mention, Post
from keqing.settings import load_settings
from keqing.stack.beside import compare, rescore
from keqing.workflow import corrections, db
from keqing.workflow.corrections import Correction

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
PLAN = """
[brands.tea]
name = "木槿壶"
aliases = ["木槿壶"]
[brands.rival]
name = "青稚茶"
ours = false
aliases = ["青稚茶"]
[nlp.second_stage]
model = "off"
[receivers.desk]
to = "desk@localhost"
"""
BLIND_TO_US = PLAN.replace(
    'aliases = ["木槿壶"]', 'aliases = ["木槿壶"]\nexclude = ["木槿壶喝完", "木槿壶的"]'
)
ILL = "木槿壶喝完上吐下泻，去医院诊断为食物中毒，全家都住院了"


def post(n: int, text: str) -> Post:
    at = NOW - timedelta(minutes=40 - n)
    return Post(
        id=f"demo:{n}", platform="demo", source="talk", text=text, first_seen_at=at,
        collected_at=at, published_at=at, author=Author(id=f"k1:{n:032x}"), run_id="r",
    )  # fmt: skip


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation whose posts hold one that is enough for an alert."""
    root = tmp_path_factory.mktemp("beside")
    (root / "keqing.toml").write_text(PLAN, encoding="utf-8")
    texts = ["木槿壶的青提冻很好喝", "青稚茶太甜", "今天天气真好", ILL]
    with Landing(root / "var" / "landing").writer("talk", NOW, "run00001") as writer:
        writer.append([post(n, text) for n, text in enumerate(texts)])
    patch = pytest.MonkeyPatch()
    for module in (line, clock):
        patch.setattr(module, "now", lambda: NOW)
    for stage in ("score", "load"):
        assert main([stage, "--root", str(root)]) == 0
    patch.undo()
    return root


@pytest.fixture
def root(scored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cli, "now", lambda: NOW)
    shutil.copytree(scored, tmp_path / "line")
    return tmp_path / "line"


def standing(root: Path) -> dict[str, bytes]:
    files = [p for p in (root / "var" / "mentions").rglob("*") if p.is_file()]
    return {str(path): path.read_bytes() for path in files}


def against(root: Path, name: str, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    assert main(["evaluate", "--against", name, "--json", "--root", str(root)]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def mentions(folder: Path) -> list[Mention]:
    [path] = folder.rglob("*.jsonl.gz")
    return list(mentions_of(path))


def test_the_same_models_change_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Same posts, same stamps: equal Mentions but for the time, no changed value, equal alerts."""
    before = standing(root)
    assert main(["score", "--as", "same", "--root", str(root)]) == 0
    report = against(root, "same", capsys)
    assert (report["posts"], report["changed"], report["sample"]) == (4, {}, [])
    assert (report["alerts_lost"], report["alerts_gained"]) == ([], [])
    assert report["alerts_same"] >= 1
    again = mentions(root / "var" / "beside" / "same")
    assert again == mentions(root / "var" / "mentions")
    assert standing(root) == before


def test_a_changed_plan_shows_posts_and_alerts(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An exclusion that hides the sick customer: two posts lose the brand, the alert would be lost."""
    before = standing(root)
    (root / "keqing.toml").write_text(BLIND_TO_US, encoding="utf-8")
    assert main(["score", "--as", "blind", "--root", str(root)]) == 0
    report = against(root, "blind", capsys)
    assert report["changed"]["brands"] == 2
    assert report["moves"]["brands: tea → none"] == 2
    brands = [c for c in report["sample"] if c["field"] == "brands"]
    assert [c["post"] for c in brands] == ["demo:0", "demo:3"]
    assert {alert["brand"] for alert in report["alerts_lost"]} == {"tea"}
    assert report["alerts_gained"] == []
    assert standing(root) == before
    assert main(["evaluate", "--against", "blind", "--root", str(root)]) == 0
    said = capsys.readouterr().out
    assert "不再预警" in said
    assert "demo:3  brands: tea → none" in said


def test_corrections_judge_both_sides(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On the judging half: how many are right as it stands, and beside."""
    rows = [
        Correction(f"demo:{n}", "brand:tea", "yes", "yes", "li", NOW, "读过", "m", story)
        for n, story in ((0, "weibo:3"), (3, "weibo:1"))  # judge, train
    ]
    with db.begin(db.open_workflow(load_settings(root))) as tx:
        corrections.add(tx, rows)
    (root / "keqing.toml").write_text(BLIND_TO_US, encoding="utf-8")
    assert main(["score", "--as", "blind", "--root", str(root)]) == 0
    report = against(root, "blind", capsys)
    assert (report["judged"], report["right_before"], report["right_after"]) == (1, 1, 0)


def test_a_name_is_taken_once(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A set is never written over; a set that is not there is not compared."""
    assert main(["score", "--as", "one", "--root", str(root)]) == 0
    kept = mentions(root / "var" / "beside" / "one")
    assert main(["score", "--as", "one", "--root", str(root)]) == 2
    assert "take another name" in capsys.readouterr().err
    assert mentions(root / "var" / "beside" / "one") == kept
    assert main(["evaluate", "--against", "two", "--root", str(root)]) == 2
    assert "keqing score --as two" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../x", "A", "", "a b", "x" * 60])
def test_a_name_is_no_path(root: Path, name: str) -> None:
    """Nothing is written or read outside var/beside."""
    settings = load_settings(root)
    with pytest.raises(UsageError, match="a-z"):
        rescore(settings, db.open_workflow(settings), name, NOW, NOW, NOW)
    with pytest.raises(UsageError, match="a-z"):
        compare(settings, db.open_workflow(settings), name)


def test_a_window_without_batches_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing was scored then: exit 2, no folder, no rest of one."""
    command = ["score", "--as", "old", "--window", "2020-01-01/2020-02-01", "--root", str(root)]
    assert main(command) == 2
    assert "no batch was scored" in capsys.readouterr().err
    assert not (root / "var" / "beside").exists()


@pytest.mark.parametrize(
    ("text", "said"), [("soon", "ISO"), ("2026-02-01/2026-01-01", "ends before")]
)
def test_a_window_that_is_none_is_refused(text: str, said: str) -> None:
    """The error shows how one is written."""
    with pytest.raises(UsageError, match=said):
        cli.window(text, NOW)


def test_a_window_is_read_in_beijing() -> None:
    """Without a zone; without an end until now; without anything seven days."""
    assert cli.window("2026-11-20", NOW) == (datetime(2026, 11, 19, 16, tzinfo=UTC), NOW)
    assert cli.window(None, NOW)[0] == NOW - timedelta(days=7)


def test_erasing_a_post_reaches_the_sets_beside(root: Path) -> None:
    """No copy of an erased post stays in var/beside."""
    assert main(["score", "--as", "one", "--root", str(root)]) == 0
    assert main(["erase", "--post", "demo:3", "--root", str(root)]) == 0
    assert [m.post.id for m in mentions(root / "var" / "beside" / "one")] == [
        "demo:0", "demo:1", "demo:2",
    ]  # fmt: skip


def test_a_killed_run_leaves_no_set(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in the middle: the name stays free and no rest lies in var/beside."""

    def fails(*_: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr("keqing.stack.beside.rescored", fails)
    settings = load_settings(root)
    engine = db.open_workflow(settings)
    with pytest.raises(OSError, match="no space"):
        rescore(settings, engine, "one", NOW - timedelta(days=1), NOW, NOW)
    assert list((root / "var" / "beside").iterdir()) == []
