"""`keqing export`: a file that is whole, safe to open and noted."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from index import table_files
from index.engine import open_index
from index.table import COLUMNS
from keqing.cli import main
from keqing.settings import Settings, load_settings
from keqing.workflow import db, trail
from tests.contracts.index.made import T0, mention

ROOT = Path(__file__).resolve().parents[2]
EVIL = ["=1+1", "+1", "-1", "@a", "＝x", "\x07响"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation with eight posts, six of which are hostile."""
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    found = load_settings(tmp_path, env={})
    index = open_index(found)
    posts = [mention(n, text, title=text, brands=("mujinhu",)) for n, text in enumerate(EVIL)]
    index.upsert([*posts, mention(90, "客服 差"), mention(91, "客服 好", url="javascript:x")], T0)
    index.close()
    return found


def export(settings: Settings, *more: str) -> int:
    return main(["export", *more, "--root", str(settings.root)])


def audited(settings: Settings) -> list[trail.AuditRow]:
    with db.begin(db.open_workflow(settings)) as tx:
        assert trail.verify(tx) >= 0
        return trail.newest(tx)


def test_a_csv_holds_every_post_newest_first(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same columns as on the pages; what looks like a formula or hides is defused."""
    out = tmp_path / "a.csv"
    assert export(settings, "", "--out", str(out), "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"rows": 8, "out": str(out)}
    header, *rows = csv.reader(out.read_text("utf-8-sig").splitlines())
    assert tuple(header) == COLUMNS
    assert [row[0] for row in rows] == [f"weibo:{n}" for n in (91, 90, *range(5, -1, -1))]
    assert not any(cell.startswith(tuple("=+-@＝\x07")) for row in rows for cell in row)
    assert rows[-1][6] == "'=1+1"
    assert rows[-1][9] == settings.plan.brands["mujinhu"].name
    assert rows[0][-1] == ""


def test_a_workbook_holds_texts_and_numbers(settings: Settings, tmp_path: Path) -> None:
    """No cell is a formula; a share is a number."""
    out = tmp_path / "a.xlsx"
    assert export(settings, "", "--out", str(out)) == 0
    rows = list(openpyxl.load_workbook(out).active.iter_rows(min_row=2))
    assert len(rows) == 8
    assert "f" not in {cell.data_type for row in rows for cell in row}
    assert rows[0][8].value == 0.9


def test_json_lines_hold_the_pseudonym_alone(settings: Settings, tmp_path: Path) -> None:
    """One object a post, texts as they are, nothing else about who wrote it."""
    out = tmp_path / "a.jsonl"
    assert export(settings, "差", "--out", str(out)) == 0
    [found] = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert (found["id"], found["text"], found["author"]) == ("weibo:90", "客服差", "k1:90")
    assert datetime.fromisoformat(found["published_at"]) == T0 + timedelta(minutes=90)
    assert not {"author_name", "followers", "detail", "verified"} & found.keys()


@pytest.mark.parametrize(
    ("span", "rows"),
    [
        (["--since", "2026-11-21T01:30"], 2),
        (["--until", "2026-11-21T01:30"], 6),
        (["--since", "2026-11-20T16:01:00+00:00", "--until", "2026-11-20T16:03:00Z"], 2),
        (["--since", "2026-11-22"], 0),
    ],
)
def test_a_span_bounds_it(
    settings: Settings,
    tmp_path: Path,
    span: list[str],
    rows: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From its begin up to its end, in Beijing where no zone is said; none found is an empty table."""
    assert export(settings, "", "--out", str(tmp_path / "a.csv"), "--json", *span) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == rows


def test_an_export_is_noted(settings: Settings, tmp_path: Path) -> None:
    """Who, when, how many, what was asked; never a post's text."""
    assert export(settings, "差", "--out", str(tmp_path / "a.csv"), "--since", "2026-11-01") == 0
    [row] = audited(settings)
    assert (row.what, row.object, row.result) == ("export", ".csv 1 2026-11-01 差", "ok")
    assert datetime.now(UTC) - row.at < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["", "--out", "a.pdf"], ".xlsx"),
        (["", "--out", "none/a.csv"], "目录"),
        (["", "--out", "folder.csv"], "不是文件"),
        (["", "--out", "a.csv", "--since", "gestern"], "ISO"),
        (["", "--out", "a.csv", "--since", "2026-11-02", "--until", "2026-11-01"], "--until"),
        (["(差", "--out", "a.csv"], "unclosed_bracket"),
    ],
)
def test_a_bad_call_is_refused_with_its_reason(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], more: list[str], why: str,
) -> None:  # fmt: skip
    """Exit 2, no file, no row of the trail."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.csv").mkdir()
    assert export(settings, *more) == 2
    assert why in capsys.readouterr().err
    assert [path.name for path in tmp_path.glob("*a.*")] == []
    assert audited(settings) == []


def test_a_sheet_that_overflows_leaves_the_old_file(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More rows than a worksheet has are refused; nobody opens a part of them."""
    monkeypatch.setattr(table_files, "MOST_SHEET", 3)
    out = tmp_path / "a.xlsx"
    out.write_bytes(b"old")
    assert export(settings, "", "--out", str(out)) == 2
    assert out.read_bytes() == b"old"
    assert [path.name for path in tmp_path.glob("*a.xlsx*")] == ["a.xlsx"]
    assert export(settings, "差", "--out", str(out)) == 0
    assert out.read_bytes() != b"old"
