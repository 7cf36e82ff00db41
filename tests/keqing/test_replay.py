"""What was scored can be repeated to the byte, and a difference is told."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from keqing.cli import main
from keqing.errors import UsageError
from keqing.settings import Settings, load_settings
from keqing.stack.replay import replay
from keqing.workflow import batches, db

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two batches whose second one copies a text of the first."""
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    for name, rows in (
        ("a", ["木槿壶青提冻真好喝，下次还来", "服务太差了"]),
        ("b", ["服务太差了", "还行"]),
    ):
        path = tmp_path / f"{name}.csv"
        lines = [f"{name}{n},{text},{name}{n}" for n, text in enumerate(rows)]
        path.write_text("\n".join(["编号,正文,作者", *lines]), encoding="utf-8")
        for verb in (["import", str(path)], ["score"], ["load"]):
            assert main([*verb, "--root", str(tmp_path)]) == 0
    return load_settings(tmp_path, env={})


def test_words_of_staff_are_words_of_the_replay(settings: Settings, tmp_path: Path) -> None:
    """What staff put beside keqing.toml is read again: accepted words and lists of their own."""
    assert main(["words", "--accept", "轻乳茶局", "--root", str(tmp_path)]) == 0
    path = tmp_path / "c.csv"
    path.write_text("编号,正文,作者\nc1,木槿壶的轻乳茶局真好喝,c1\n", encoding="utf-8")
    for verb in (["import", str(path)], ["score"], ["load"]):
        assert main([*verb, "--root", str(tmp_path)]) == 0
    report = replay(settings, db.open_workflow(settings), tmp_path / "again", NOW)
    # the two batches before the word was known differ, and are named; the one after it is equal
    assert (report.equal, len(report.different)) == (1, 2)


def test_the_same_again(settings: Settings, tmp_path: Path) -> None:
    """Both batches and the index come out equal, and the folder must be a new one."""
    engine = db.open_workflow(settings)
    report = replay(settings, engine, tmp_path / "again", NOW)
    assert (report.batches, report.posts, report.equal, report.index_equal) == (2, 4, 2, True)
    with pytest.raises(UsageError, match="not empty"):
        replay(settings, engine, tmp_path / "again", NOW)


def test_a_day_alone(settings: Settings, tmp_path: Path) -> None:
    """A day's batches are compared, with the story of the day before; other days are not looked at."""
    engine = db.open_workflow(settings)
    with db.begin(engine) as tx:
        first, second = batches.logged(tx)
        move = batches.BATCHES.update().where(batches.BATCHES.c.batch_id == first.batch_id)
        tx.execute(move.values(scored_at=first.scored_at - timedelta(days=1)))
    today = second.scored_at.astimezone(ZoneInfo("Asia/Shanghai")).date()
    path = tmp_path / "var" / "mentions" / first.mention_file
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"0", b"1", 1)))
    report = replay(settings, engine, tmp_path / "today", NOW, today)
    assert (report.batches, report.equal, report.index_equal) == (1, 1, None)
    report = replay(settings, engine, tmp_path / "before", NOW, today - timedelta(days=1))
    assert (report.batches, report.different) == (1, [first.mention_file])
    assert replay(settings, engine, tmp_path / "none", NOW, today + timedelta(days=1)).batches == 0
    day = ["--day", today.isoformat(), "--root", str(tmp_path)]
    assert main(["replay", str(tmp_path / "again"), *day]) == 0


def test_a_changed_answer_is_told(settings: Settings, tmp_path: Path) -> None:
    """A Mention that somebody edited is named with its file."""
    path = sorted((tmp_path / "var" / "mentions").rglob("*.gz"))[0]
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    rows[0]["p_negative"] = 0.5
    path.write_bytes(gzip.compress("\n".join(json.dumps(r) for r in rows).encode()))
    report = replay(settings, db.open_workflow(settings), tmp_path / "again", NOW)
    assert report.different == [str(path.relative_to(tmp_path / "var" / "mentions"))]
