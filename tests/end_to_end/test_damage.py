"""A damaged file of one stage is named, waits, and holds back nothing else."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from index.ast import All
from index.sqlite import SqliteEngine
from keqing.cli import main
from keqing.landing import Landing
from keqing.workflow import db, runs

ROOT = Path(__file__).resolve().parents[2]


def flipped(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 0xFF
    path.write_bytes(body)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def broken_row(path: Path) -> None:
    lines = gzip.decompress(path.read_bytes()).splitlines()
    path.write_bytes(gzip.compress(b"\n".join([lines[0][:40], *lines[1:]])))


def strange_row(path: Path) -> None:
    row = json.loads(gzip.decompress(path.read_bytes()).splitlines()[0])
    row = row | ({"post": row["post"] | {"surprise": 1}} if "leaf" in row else {"surprise": 1})
    path.write_bytes(gzip.compress(json.dumps(row).encode()))


def emptied(path: Path) -> None:
    path.write_bytes(b"")


DAMAGE = [flipped, cut, broken_row, strange_row, emptied]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three files of posts that landed."""
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    for name in "abc":
        rows = [f"{name}{n},木槿壶第{n}家店{name},u{n}" for n in range(4)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["id,正文,作者", *rows]), encoding="utf-8")
        assert run(tmp_path, "import", str(tmp_path / f"{name}.csv")) == 0
    return tmp_path


def run(root: Path, *args: str) -> int:
    return main([*args, "--root", str(root)])


def ids(root: Path) -> set[str]:
    page = SqliteEngine(root / "var" / "mentions-4.db").search(All(), None, size=100)
    return {hit.id.rpartition(":")[2] for hit in page.hits}


def ledger(root: Path, stage: str) -> runs.Run:
    with db.read(db.open_file(root / "var" / "keqing.db")) as tx:
        return runs.last(tx, stage)[0]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_landing_file_holds_back_no_other(
    root: Path, capsys: pytest.CaptureFixture[str], damage: Callable[[Path], None]
) -> None:
    """score does the others and says which one waits; repaired, it is scored, and all is there."""
    landing = Landing(root / "var" / "landing")
    file = next(f for f in landing.files() if "import-b" in f)
    good = (landing.root / file).read_bytes()
    damage(landing.root / file)
    capsys.readouterr()
    assert run(root, "score", "--json") == 3
    report = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert list(report["unreadable"]) == [file]
    assert "keqing verify" in report["unreadable"][file]
    assert (ledger(root, "score").outcome, ledger(root, "score").counts["scored"]) == ("part", 8)
    assert run(root, "load") == 0
    assert ids(root) == {f"{name}{n}" for name in "ac" for n in range(4)}
    (landing.root / file).write_bytes(good)
    assert run(root, "score") == 0
    assert run(root, "load") == 0
    assert ids(root) == {f"{name}{n}" for name in "abc" for n in range(4)}
    assert run(root, "verify") == 0


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_mention_file_holds_back_no_other(
    root: Path, capsys: pytest.CaptureFixture[str], damage: Callable[[Path], None]
) -> None:
    """load does the others, ends in part and names the file; replay gives its bytes again."""
    (root / "d.csv").write_text("id,正文\nd1,北窗外卖很快\n", encoding="utf-8")
    assert run(root, "score") == 0
    first = set((root / "var" / "mentions").rglob("*.gz"))
    assert run(root, "import", str(root / "d.csv")) == 0
    assert run(root, "score") == 0
    path = first.pop()
    damage(path)
    capsys.readouterr()
    assert run(root, "load", "--json") == 3
    assert path.name in json.loads(capsys.readouterr().out.strip().splitlines()[-1])["message"]
    assert path.name in ledger(root, "load").detail
    assert ids(root) == {"d1"}
    assert run(root, "replay", str(root / "again")) == 1
    name = path.relative_to(root / "var" / "mentions")
    path.write_bytes((root / "again" / "var" / "mentions" / name).read_bytes())
    assert run(root, "load") == 0
    assert ids(root) == {"d1"} | {f"{name}{n}" for name in "abc" for n in range(4)}
