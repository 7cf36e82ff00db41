"""A file goes in once, whole; what cannot go in is kept with its row and reason."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from crawlers.imports.run import ImportReport, clean, import_file, read_time
from keqing.errors import BadConfig, UsageError
from keqing.landing import Landing
from keqing.records import Channel, Post, Precision
from keqing.settings import Settings, load_settings
from keqing.workflow import db

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
CSV = (
    "id,正文,发布时间,手机号,奇怪的列\n1,漏水,2026-11-25 10:00,13800000000,x\n2,很好,2026/1/2,b,y\n"
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    return load_settings(tmp_path, env={})


def take(settings: Settings, path: Path, **more: object) -> ImportReport:
    engine = db.open_workflow(settings)
    return import_file(settings, engine, path, Channel.CALL_CENTRE, NOW, **more)  # type: ignore[arg-type]


def posts(settings: Settings) -> list[Post]:
    landing = Landing(settings.var / "landing")
    return [post for file in landing.files() for post in landing.read(file)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_lands_in_any_usual_encoding(
    settings: Settings, tmp_path: Path, encoding: str
) -> None:
    """Text, time, pseudonym and kind arrive; the number of the customer is in no landed byte."""
    (tmp_path / "a.csv").write_bytes(CSV.encode(encoding))
    report = take(settings, tmp_path / "a.csv")
    assert (report.read, report.landed, report.unknown_columns) == (2, 2, ("奇怪的列",))
    first, second = posts(settings)
    assert (first.text, first.kind, first.backfill) == ("漏水", "ticket", False)
    assert first.published_at == datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
    assert (second.published_precision, second.backfill) == (Precision.DAY, True)
    assert first.author.id is not None
    assert "13800000000" not in first.model_dump_json()


def test_the_same_file_again_brings_nothing(settings: Settings, tmp_path: Path) -> None:
    """Three imports of one file are one landing; a changed row is new."""
    path = tmp_path / "a.csv"
    path.write_text(CSV, encoding="utf-8")
    assert [take(settings, path).landed for _ in range(3)] == [2, 0, 0]
    path.write_text(CSV.replace("很好", "很差"), encoding="utf-8")
    report = take(settings, path)
    assert (report.landed, report.duplicate) == (1, 1)


def test_bad_rows_are_kept_with_their_place(settings: Settings, tmp_path: Path) -> None:
    """Rows without words, with too many cells or no JSON are kept with number and reason."""
    (tmp_path / "a.csv").write_text(CSV + "3,,2026-1-1,,\n4,a,b,c,d,e\n", encoding="utf-8")
    report = take(settings, tmp_path / "a.csv")
    assert report.landed == 2
    kept = (tmp_path / "a.csv.rejected.csv").read_text(encoding="utf-8-sig")
    assert "4,no_text" in kept
    assert '5,"6 cells, the header has 5"' in kept
    (tmp_path / "b.jsonl").write_text('{"text": "好"}\n{"text": \n[1]\n', encoding="utf-8")
    assert take(settings, tmp_path / "b.jsonl").rejected == {"not JSON": 1, "no JSON object": 1}


def test_a_formula_stays_text(settings: Settings, tmp_path: Path) -> None:
    """XLSX cells are read as values; nothing is evaluated."""
    book = openpyxl.Workbook()
    book.active.append(["内容", "创建时间"])
    book.active.append(["差评", datetime(2026, 11, 25, 10, 0)])  # noqa: DTZ001  # a sheet has no zones
    book.active.append(["'=HYPERLINK(1)", None])
    book.save(tmp_path / "a.xlsx")
    assert take(settings, tmp_path / "a.xlsx").landed == 2
    assert [post.text for post in posts(settings)] == ["差评", "'=HYPERLINK(1)"]


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("a.csv", b"\xff\xfe\xff\x80\x80", "neither UTF-8 nor GB18030 at byte 0"),
        ("a.csv", b"x,y\n1,2\n", "no text column"),
        ("a.csv", b"", "no text column"),
        ("a.pdf", b"x", "unknown kind"),
        ("a.xlsx", b"no zip", "no readable XLSX"),
        ("a.csv.gz", b"no gzip", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    settings: Settings, tmp_path: Path, name: str, body: bytes, says: str
) -> None:
    """The refusal says what is wrong with which file, and nothing lands."""
    (tmp_path / name).write_bytes(body)
    with pytest.raises(UsageError, match=says):
        take(settings, tmp_path / name)
    assert posts(settings) == []


def test_a_map_names_columns(settings: Settings, tmp_path: Path) -> None:
    """A map overrides synonyms; an unknown field or column is refused."""
    (tmp_path / "a.csv").write_text("甲,内容\n坏了,忽略\n", encoding="utf-8")
    (tmp_path / "m.toml").write_text('text = "甲"', encoding="utf-8")
    take(settings, tmp_path / "a.csv", map_file=tmp_path / "m.toml")
    assert [post.text for post in posts(settings)] == ["坏了"]
    (tmp_path / "m.toml").write_text('tekst = "甲"', encoding="utf-8")
    with pytest.raises(BadConfig, match="tekst"):
        take(settings, tmp_path / "a.csv", map_file=tmp_path / "m.toml")


@pytest.mark.parametrize("raw", ["", "昨天", "2026-13-40", "99999-1-1", "null"])
def test_no_time_is_invented(raw: str) -> None:
    """What is no time stays unknown."""
    assert read_time(raw) == (None, Precision.UNKNOWN)


def test_control_and_bidi_characters_go() -> None:
    """Crawled text cannot move a terminal or turn a line round."""
    assert clean("a\x1b[31m\u202eb\n\0") == "a[31mb\n"
