"""What only the embedded engine promises."""

from __future__ import annotations

from pathlib import Path

from index.sqlite import SqliteEngine
from tests.contracts.index.made import T0, mention


def test_what_is_erased_is_gone(tmp_path: Path) -> None:
    """After erasure no byte of the text is left in the index's files."""
    engine = SqliteEngine(tmp_path / "e.db")
    engine.upsert([mention(1, "绝密词汇甲 乙"), mention(2)], T0)
    assert engine.erase_ids(["weibo:1", "weibo:none"]) == 1
    engine.close()
    assert not any("绝密词汇甲".encode() in f.read_bytes() for f in tmp_path.iterdir())
