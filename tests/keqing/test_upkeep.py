"""The night's copy is whole, and a broken chain is told before anything is copied over."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from index.ast import All
from index.sqlite import SqliteEngine
from keqing.cli import main
from keqing.errors import ChainBroken
from keqing.landing import Landing
from keqing.settings import load_settings
from keqing.stack.upkeep import KEEP, upkeep
from keqing.workflow import batches, db, runs

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    (tmp_path / "a.csv").write_text("id,正文\n1,木槿壶真好喝\n2,太差了\n", encoding="utf-8")
    for verb in (["import", str(tmp_path / "a.csv")], ["score"], ["load"]):
        assert main([*verb, "--root", str(tmp_path)]) == 0
    return tmp_path


def test_a_copy_answers_like_the_original(root: Path) -> None:
    """Both databases open from the copy with the same content; the heads are those of the chain."""
    settings = load_settings(root, env={})
    report = upkeep(settings, db.open_workflow(settings), NOW)
    folder = root / report.backup
    assert (report.rows, report.removed) == (2, [])
    assert SqliteEngine(folder / "mentions-4.db").count(All(), None).posts == 2
    with db.begin(db.open_file(folder / "keqing.db")) as tx:
        assert batches.scored(tx) == set(Landing(root / "var" / "landing").files())
    for head in Landing(root / "var" / "landing").heads().values():
        assert head in (folder / "heads.json").read_text()


def test_a_week_of_copies_is_kept(root: Path) -> None:
    """The oldest day goes when the eighth comes; a second run on one day is no new copy."""
    settings = load_settings(root, env={})
    engine = db.open_workflow(settings)
    for day in range(KEEP):
        assert upkeep(settings, engine, NOW + timedelta(days=day)).removed == []
    assert upkeep(settings, engine, NOW + timedelta(days=KEEP - 1)).removed == []
    assert upkeep(settings, engine, NOW + timedelta(days=KEEP)).removed == ["20261125"]


def test_what_lies_too_long_goes(root: Path) -> None:
    """Raw pages and logs older than 30 days; what is younger and every post stays."""
    settings = load_settings(root, env={})
    landing = Landing(root / "var" / "landing")
    old, young = landing.keep_raw(b"old"), landing.keep_raw(b"young")
    logs = root / "var" / "logs" / "dag_id=collect"
    logs.mkdir(parents=True)
    for name in ("old.log", "young.log"):
        (logs / name).write_text("x")
    past = (NOW - timedelta(days=31)).timestamp()
    for path in (landing.root / "raw" / old[:2] / f"{old}.gz", logs / "old.log"):
        os.utime(path, (past, past))
    report = upkeep(settings, db.open_workflow(settings), NOW)
    assert (report.raw_dropped, report.logs_dropped, report.rows) == (1, 1, 2)
    assert [path.stem for path in (landing.root / "raw").rglob("*.gz")] == [young]
    assert [path.name for path in logs.iterdir()] == ["young.log"]


def test_the_night_examines_the_installation(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check of the doctor that fails makes the night part done and is mailed; else it is silent."""
    capsys.readouterr()
    assert main(["upkeep", "--json", "--root", str(root)]) == 0
    assert json.loads(capsys.readouterr().out)["doctor_failed"] == 0
    monkeypatch.setattr("keqing.stack.machine.DISK_BYTES", 10**18)
    assert main(["upkeep", "--json", "--root", str(root)]) == 3
    assert json.loads(capsys.readouterr().out)["doctor_failed"] == 1
    with db.read(db.open_file(root / "var" / "keqing.db")) as tx:
        run, told = runs.last(tx, "upkeep")[0], runs.last(tx, "trouble", "doctor")
    assert (run.outcome, run.detail.startswith("disk: ")) == ("part", True)
    assert len(told) == 1


def test_a_broken_chain_keeps_the_good_copy(root: Path) -> None:
    """A landed file that was changed is named, and the day's earlier copy stays."""
    settings = load_settings(root, env={})
    engine = db.open_workflow(settings)
    good = root / upkeep(settings, engine, NOW).backup
    file = root / "var" / "landing" / Landing(root / "var" / "landing").files()[0]
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()).replace(b"0", b"1", 1)))
    before = (good / "heads.json").stat().st_ino
    with pytest.raises(ChainBroken):
        upkeep(settings, engine, NOW)
    assert (good / "heads.json").stat().st_ino == before
