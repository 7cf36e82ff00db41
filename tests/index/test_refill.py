"""After an update that changed the index's file, the next load fills it from what was scored."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from index.ast import All
from index.engine import embedded, open_index
from index.run import load
from keqing.cli.main import main
from keqing.errors import DoneInPart
from keqing.settings import Settings, load_settings
from keqing.workflow import batches, db

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two loaded batches, in a file that an older program filled."""
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    for name in "ab":
        rows = [f"{name}{n},木槿壶第{n}家店{name}" for n in range(4)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["id,正文", *rows]), encoding="utf-8")
        for verb in (["import", str(tmp_path / f"{name}.csv")], ["score"], ["load"]):
            assert main([*verb, "--root", str(tmp_path)]) == 0
    settings = load_settings(tmp_path, env={})
    for part in ("", "-wal", "-shm"):
        file = embedded(settings).with_name(embedded(settings).name + part)
        if file.exists():
            shutil.move(file, tmp_path / "var" / f"mentions-2.db{part}")
    return settings


def posts(settings: Settings) -> int:
    index = open_index(settings)
    found = index.count(All(), None).posts
    index.close()
    return found


def test_the_next_load_fills_the_new_file(settings: Settings) -> None:
    """All posts are there again, the older file is gone, and the load after that has nothing to do."""
    engine = db.open_workflow(settings)
    newer = settings.var / "mentions-99.db"
    newer.touch()  # this program was set back: that file is another's
    assert load(settings, engine, NOW).created == 8
    assert posts(settings) == 8
    assert list(settings.var.glob("mentions-2.db*")) == []
    assert load(settings, engine, NOW).received == 0
    assert newer.exists()


def test_a_damaged_batch_is_named_until_it_is_back(settings: Settings) -> None:
    """The others stand; the older file stays, so the next load tries the damaged one again."""
    engine = db.open_workflow(settings)
    with db.begin(engine) as tx:
        first = settings.var / "mentions" / batches.every(tx)[0].mention_file
    kept = first.read_bytes()
    first.write_bytes(kept[:40])
    with pytest.raises(DoneInPart, match=first.name):
        load(settings, engine, NOW)
    assert posts(settings) == 4
    assert (settings.var / "mentions-2.db").exists()
    first.write_bytes(kept)
    assert load(settings, engine, NOW).created == 4
    assert (posts(settings), list(settings.var.glob("mentions-2.db*"))) == (8, [])
