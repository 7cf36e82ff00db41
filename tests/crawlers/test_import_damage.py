"""Damaged files: every row lands, is known already, or is kept with a reason; nothing raises."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawlers.imports.rows import read_time
from crawlers.imports.run import ImportReport, import_file
from crawlers.imports.table import read_rows
from keqing.errors import UsageError
from keqing.landing import Landing
from keqing.records import Channel, Post, Precision
from keqing.settings import load_settings
from keqing.workflow import db, runs
from tests.pages.test_broken import damage, damaged

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
HEADER = ["编号", "正文", "发布时间", "作者", "点赞数", "评分"]
ROWS = [
    [f"n{i}", f"第{i}家店排队，{'差' if i % 2 else '好'}", "2026-11-24 10:00", "a", "3", "4"]
    for i in range(12)
]
Take = Callable[[Path], ImportReport]
quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def as_csv(rows: list[list[str]]) -> bytes:
    sink = io.StringIO(newline="")
    csv.writer(sink).writerows([HEADER, *rows])
    return sink.getvalue().encode()


def as_json_lines(rows: list[list[str]]) -> bytes:
    return "".join(
        json.dumps(dict(zip(HEADER, r, strict=True)), ensure_ascii=False) + "\n" for r in rows
    ).encode()


def as_xlsx(rows: list[list[str]]) -> bytes:
    book, sink = openpyxl.Workbook(), io.BytesIO()
    for row in [HEADER, *rows]:
        book.active.append(row)
    book.save(sink)
    return sink.getvalue()


WHOLE = {".csv": as_csv(ROWS), ".jsonl": as_json_lines(ROWS), ".xlsx": as_xlsx(ROWS), ".csv.gz": gzip.compress(as_csv(ROWS), mtime=0)}  # fmt: skip


@pytest.fixture
def take(tmp_path: Path) -> Take:
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    found = load_settings(tmp_path, env={})
    engine = db.open_workflow(found)
    return lambda path: import_file(found, engine, path, Channel.CALL_CENTRE, NOW)


def adds_up(report: ImportReport) -> None:
    assert report.read == report.landed + report.duplicate + sum(report.rejected.values())


def posts(root: Path) -> list[Post]:
    landing = Landing(root / "var" / "landing")
    return [post for file in landing.files() for post in landing.read(file)]


@pytest.mark.parametrize("ending", sorted(WHOLE))
@quick
@given(acts=damage)
def test_damage_is_survived(
    take: Take, tmp_path: Path, ending: str, acts: list[tuple[float, str, int]]
) -> None:
    """Any damage to a file: it is refused with a sentence, or its rows add up."""
    path = tmp_path / f"a{ending}"
    path.write_bytes(damaged(WHOLE[ending], acts))
    try:
        report = take(path)
    except UsageError as error:
        assert path.name in str(error) or "text column" in str(error)  # noqa: PT017
        return
    adds_up(report)


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
@quick
@given(share=st.floats(0.2, 1))
def test_a_cut_file_gives_its_whole_rows(
    take: Take, tmp_path: Path, ending: str, share: float
) -> None:
    """Whatever stands before the cut lands; the row in which it lies is kept or is whole."""
    body = WHOLE[ending][: int(share * len(WHOLE[ending]))]
    before = body.count(b"\n") - (ending == ".csv")
    (tmp_path / f"c{ending}").write_bytes(body.decode("utf-8", "ignore").encode())
    report = take(tmp_path / f"c{ending}")
    adds_up(report)
    assert report.landed + report.duplicate >= before


def test_an_open_quote_takes_no_other_rows_with_it(take: Take, tmp_path: Path) -> None:
    """A quote that never closes is a bad row with all its lines kept, no post of many rows."""
    body = as_csv(ROWS[:3]).decode() + 'n90,"没有结束的引号\r\nn91,下一行,,,,\r\n'
    (tmp_path / "q.csv").write_bytes(body.encode())
    report = take(tmp_path / "q.csv")
    assert (report.landed, report.rejected) == (3, {"not CSV": 1})
    kept = (tmp_path / "q.csv.rejected.csv").read_text(encoding="utf-8-sig")
    assert "没有结束的引号" in kept
    assert "n91" in kept


def test_absurd_cells_cost_their_field_only(take: Take, tmp_path: Path) -> None:
    """Times, counts and ratings that cannot be: the row lands, the cell is unknown and counted."""
    rows = [
        ["x1", "时间在明年之后", "2999-01-01 00:00", "a", "3", "4"],
        ["x2", "时间在公元元年", "0001-01-01T00:00:00+14:00", "a", "-5", "99"],
        ["x3", "数字不是数字", "昨天", "a", "1e999", "nan"],
        ["x4", "数字太大", "2026-11-24", "a", "9" * 40, "-1"],
    ]
    (tmp_path / "x.csv").write_bytes(as_csv(rows))
    report = take(tmp_path / "x.csv")
    assert (report.landed, report.rejected) == (4, {})
    assert report.notes == {
        "future_time": 1, "unreadable_time": 2, "unreadable_count": 3, "unreadable_rating": 3,
    }  # fmt: skip
    found = posts(tmp_path)
    assert [post.published_at is None for post in found] == [True, True, True, False]
    assert [post.engagement.likes for post in found] == [3, None, None, None]
    assert all(post.backfill for post in found[:3])


def test_what_no_store_takes_is_cleaned(take: Take, tmp_path: Path) -> None:
    """Lone surrogates and control characters in any cell, also in ids and authors."""
    row = {name: f"a\ud800\x00{n}" for n, name in enumerate(HEADER)}
    (tmp_path / "s.jsonl").write_text(json.dumps(row), encoding="utf-8")
    report = take(tmp_path / "s.jsonl")
    assert report.landed == 1
    assert posts(tmp_path)[0].id == "import:call_centre:a0"
    assert Landing(tmp_path / "var" / "landing").verify().rows == 1


def test_columns_are_told_apart(take: Take, tmp_path: Path) -> None:
    """A second column of a name hides neither; fields that only later rows have are named too."""
    (tmp_path / "d.csv").write_text("正文,备注,备注\n好喝,甲,乙\n", encoding="utf-8")
    assert take(tmp_path / "d.csv").unknown_columns == ("备注", "备注 (2)")
    lines = ['{"text": "一"}', '{"text": "二", "new": 1}']
    (tmp_path / "d.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert take(tmp_path / "d.jsonl").unknown_columns == ("new",)


def test_a_sheet_with_more_cells_than_its_header(take: Take, tmp_path: Path) -> None:
    """Cells beyond the header stand in a column that is named by its number, and is told."""
    book = openpyxl.Workbook()
    for row in (["正文"], ["好喝"], ["难喝", "还有话"], ["也好", None]):
        book.active.append(row)
    book.save(tmp_path / "m.xlsx")
    report = take(tmp_path / "m.xlsx")
    assert (report.landed, report.unknown_columns) == (3, ("#2",))


def test_reasons_stand_in_the_ledger(take: Take, tmp_path: Path) -> None:
    """The run that read a bad file says how many rows it could not take, and why."""
    (tmp_path / "l.jsonl").write_bytes(as_json_lines(ROWS[:2]) + b'{"text": \n[1]\n')
    take(tmp_path / "l.jsonl")
    with db.read(db.open_file(tmp_path / "var" / "keqing.db")) as tx:
        run = runs.last(tx, "import")[0]
    assert run.outcome == "part"
    assert run.counts["landed"] == 2
    assert (run.counts["rejected.not JSON"], run.counts["rejected.no JSON object"]) == (1, 1)


@given(st.datetimes(), st.integers(-23, 23))
def test_any_date_is_read_or_unknown(moment: datetime, offset: int) -> None:
    """No date of the calendar raises; what is believed lies after 1990."""
    for raw in (f"{moment:%Y-%m-%d %H:%M}", f"{moment.isoformat()}{offset:+03d}:00"):
        at, precision = read_time(raw)
        assert (at is None) == (precision is Precision.UNKNOWN)
        assert at is None or at.year >= 1990
        if at is not None:
            assert abs(at.replace(tzinfo=None) - moment) < timedelta(days=2)


@pytest.mark.parametrize("ending", sorted(WHOLE))
def test_a_whole_file_is_whole(tmp_path: Path, ending: str) -> None:
    """The files that the other tests damage hold twelve rows."""
    (tmp_path / f"w{ending}").write_bytes(WHOLE[ending])
    assert len(list(read_rows(tmp_path / f"w{ending}"))) == len(ROWS)
