"""bench.words measures what docs/models.md prints."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from bench import words
from nlp.bursts import Telling


def test_without_the_data_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Nothing is measured and the outcome is a failure."""
    monkeypatch.setattr(words, "SHARED", tmp_path / "none")
    monkeypatch.setattr("sys.argv", ["bench.words"])
    assert words.main() == 1
    assert "not here" in capsys.readouterr().out


def test_plain_z_ranks_by_the_daily_mean() -> None:
    """A word that came out of nowhere stands before one that is said every day."""
    before = [Telling(f"b{n}", frozenset({"天气"})) for n in range(280)]
    now = [Telling(f"n{n}", frozenset({"天气", "停电"})) for n in range(9)]
    assert [one.term for one in words.plain_z(now, before)] == ["停电", "天气"]


def test_a_rise_is_found_in_written_days(tmp_path: Path) -> None:
    """Thirty days of one title and a last day with a new matter: both ways find its titles."""
    path = tmp_path / "hot.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["date", "title", "hot"])
        for day in range(1, 30):
            rows.writerows([f"2026-01-{day:02}", f"今日天气预报{n}", 100] for n in range(9))
        rows.writerows(["2026-01-29", f"地铁停电{what}", 900] for what in "甲乙丙丁戊己")
    assert words.rising(path, 1, 1) == (1.0, 1.0)


def test_themes_of_titles_are_their_classes(shared_data: Path, tmp_path: Path) -> None:
    """The first 400 development titles: far more of the classes than words alone tell."""
    path = shared_data / "topics" / "topic_thucnews_dev.csv.gz"
    assert words.clustering(path, rows=400) > 0.5
