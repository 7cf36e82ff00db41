"""Erasure goes through the index and the files that it is rebuilt from."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

import pytest

from index.ast import All
from index.engine import open_index
from index.erase import erase
from index.rebuild import rebuild
from index.run import load
from keqing.cli import main
from keqing.errors import UsageError
from keqing.settings import Settings, load_settings
from keqing.workflow import batches, db
from keqing.workflow.db import begin
from tests.contracts.index.made import T0, mention

ROOT = Path(__file__).resolve().parents[2]
WORD = "绝密词汇甲"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two loaded batches; three posts are by one author, one of them at a known address."""
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    made = load_settings(tmp_path, env={})
    engine = db.open_workflow(made)
    texts = [
        [mention(1, f"{WORD} 乙", author="k1:x"), mention(2)],
        [mention(3, f"{WORD} 丙", author="k1:x", url="https://a.example/3"), mention(4)],
    ]
    for n, mentions in enumerate(texts):
        path = made.var / "mentions" / f"{n}.jsonl.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(
            gzip.compress("".join(m.model_dump_json() + "\n" for m in mentions).encode())
        )
        with begin(engine) as tx:
            batches.record_scored(tx, f"b{n}", [f"l{n}"], path.name, T0)
    load(made, engine, T0)
    return made


def stored(settings: Settings) -> set[str]:
    return {hit.id for hit in open_index(settings).search(All(), None, size=100).hits}


def bytes_of(settings: Settings) -> bytes:
    files = [p for p in settings.var.rglob("*") if p.is_file()]
    return b"".join(gzip.decompress(p.read_bytes()) if p.suffix == ".gz" else p.read_bytes()
                    for p in files)  # fmt: skip


def test_nothing_is_known_of_an_erased_author(tmp_path: Path) -> None:
    """After score, no table of the workflow names the author any more; others stay."""
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    rows = ["编号,正文,作者", "1,木槿壶青提冻里喝出塑料片,甲", "2,青稚茶外卖送错了还没人理,乙"]
    (tmp_path / "a.csv").write_text("\n".join(rows), encoding="utf-8")
    for verb in (["import", str(tmp_path / "a.csv")], ["score"], ["load"]):
        assert main([*verb, "--root", str(tmp_path)]) == 0
    made = load_settings(tmp_path, env={})
    engine = db.open_workflow(made)
    first, second = sorted(h.author for h in open_index(made).search(All(), None).hits if h.author)
    mine = open_index(made).find("author", first)[0]
    assert {"nlp_event_stars", "nlp_voices"} <= set(named(made, mine) + named(made, first))
    assert erase(made, engine, author=first).erased == 1
    assert named(made, first) == []
    assert "nlp_event_stars" not in named(made, mine)
    assert named(made, second)


def named(settings: Settings, author: str) -> list[str]:
    """Workflow tables in which an author stands, alone or in a list."""
    with sqlite3.connect(settings.var / "keqing.db") as file:
        tables = [
            row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        rows = {name: file.execute(f'SELECT * FROM "{name}"').fetchall() for name in tables}
    return sorted(name for name, found in rows.items() if any(author in str(row) for row in found))


def test_an_author_is_gone_for_good(settings: Settings) -> None:
    """No byte is left in index or Mention files, and a rebuild brings nothing back."""
    engine = db.open_workflow(settings)
    report = erase(settings, engine, author="k1:x")
    assert (report.found, report.erased, report.mention_rows) == (2, 2, 2)
    assert stored(settings) == {"weibo:2", "weibo:4"}
    assert WORD.encode() not in bytes_of(settings)
    rebuild(settings, engine, T0)
    assert stored(settings) == {"weibo:2", "weibo:4"}
    assert erase(settings, engine, author="k1:x").found == 0


def test_a_dry_run_only_counts(settings: Settings) -> None:
    """It says what would go and leaves every byte."""
    report = erase(settings, db.open_workflow(settings), author="k1:x", dry_run=True)
    assert (report.found, report.erased, report.mention_rows) == (2, 0, 2)
    assert len(stored(settings)) == 4
    assert WORD.encode() in bytes_of(settings)


def test_the_verb_takes_addresses_and_ids(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """`keqing erase` by url and by post; without either it is a usage error."""
    root = ["--root", str(settings.root)]
    assert main(["erase", "--url", "https://a.example/3", "--post", "weibo:2", *root]) == 0
    assert "erased: 2" in capsys.readouterr().out
    assert stored(settings) == {"weibo:1", "weibo:4"}
    assert main(["erase", *root]) == 2
    with pytest.raises(UsageError):
        erase(settings, db.open_workflow(settings))
