"""What was scored can be repeated to the byte, and a difference is told."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keqing.cli import main
from keqing.errors import UsageError
from keqing.settings import Settings, load_settings
from keqing.stack.replay import replay
from keqing.workflow import db

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


def test_the_same_again(settings: Settings, tmp_path: Path) -> None:
    """Both batches and the index come out equal, and the folder must be a new one."""
    engine = db.open_workflow(settings)
    report = replay(settings, engine, tmp_path / "again", NOW)
    assert (report.batches, report.posts, report.equal, report.index_equal) == (2, 4, 2, True)
    with pytest.raises(UsageError, match="not empty"):
        replay(settings, engine, tmp_path / "again", NOW)


def test_a_changed_answer_is_told(settings: Settings, tmp_path: Path) -> None:
    """A Mention that somebody edited is named with its file."""
    path = sorted((tmp_path / "var" / "mentions").rglob("*.gz"))[0]
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    rows[0]["p_negative"] = 0.5
    path.write_bytes(gzip.compress("\n".join(json.dumps(r) for r in rows).encode()))
    report = replay(settings, db.open_workflow(settings), tmp_path / "again", NOW)
    assert report.different == [str(path.relative_to(tmp_path / "var" / "mentions"))]
