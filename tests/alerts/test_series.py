"""The detector on plain series: quiet is quiet, a burst is seen, no row looks ahead."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from alerts.detect import tail_scores
from alerts.series import detect_series, read_series
from keqing.errors import UsageError


def series(burst: int = 0, rows: int = 288 * 9) -> list[dict[str, str]]:
    counts = np.random.default_rng(7).poisson(6, rows)
    if burst:
        counts[-12:] += burst
    start = datetime(2026, 11, 1)  # noqa: DTZ001  # a plain series has no zone
    return [
        {"timestamp": str(start + timedelta(minutes=5 * n)), "value": str(count)}
        for n, count in enumerate(counts)
    ]


def test_a_burst_is_seen_within_its_first_quarter_hour() -> None:
    """Ten times the usual alerts in three rows; the same week without it does not there."""
    assert any(row.alert for row in detect_series(series(burst=60))[-12:-9])
    assert not any(row.alert for row in detect_series(series())[-12:])


def test_no_row_uses_a_later_one() -> None:
    """Scores of a prefix are the prefix of the scores."""
    counts = np.random.default_rng(1).poisson(5, 288 * 4).astype(float)
    assert np.array_equal(tail_scores(counts)[:900], tail_scores(counts[:900]))


@pytest.mark.parametrize("harm", ["gap", "text", "negative"])
def test_a_bad_row_is_refused_with_its_line(tmp_path: Path, harm: str) -> None:
    """A gap, a word in place of a count or a negative count names the line."""
    rows = series(rows=40)
    if harm == "gap":
        del rows[20]
    else:
        rows[20]["value"] = "x" if harm == "text" else "-1"
    path = tmp_path / "s.csv"
    lines = ["timestamp,value", *(f"{row['timestamp']},{row['value']}" for row in rows)]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(UsageError, match="22"):
        detect_series(read_series(path))
