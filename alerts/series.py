"""Anomaly scores of a CSV of counts: `keqing detect --series FILE.csv [--out F]`.

In:  rows `timestamp,value` with any regular step.
Out: one SeriesRow per data row, each judged from the rows up to it. A gap, a step back or a value
that is no count is refused with the line number (BadSeries).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np

from alerts.detect import (
    Floats,
    Thresholds,
    Verdict,
    load_thresholds,
    rolling_sum,
    tail_scores,
)
from keqing.errors import UsageError

HOUR_S = 3600.0


class BadSeries(UsageError):
    """A series that cannot be scored; names the line."""


@dataclass(frozen=True)
class SeriesRow:
    """One judged row of a series; expected, low and high are per step."""

    timestamp: str
    value: float
    score: float
    expected: float
    low: float
    high: float
    alert: bool
    reason: str


def read_series(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV with the columns timestamp and value."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if not {"timestamp", "value"} <= set(reader.fieldnames or ()):
            raise BadSeries(f"{path}:1: columns timestamp,value are needed")
        return list(reader)


def detect_series(
    rows: Iterable[Mapping[str, str]], thresholds: Thresholds | None = None
) -> list[SeriesRow]:
    """Judge each row of a regular series from the rows up to it.

    Raises:
        BadSeries: a gap, a step back, an unreadable time or a value that is no count; the header
            is line 1.
    """
    thresholds = thresholds or load_thresholds()
    stamps, times, values = _parse(rows)
    if not values:
        return []
    step = _step(times)
    counts = np.asarray(values, dtype=np.float64)
    scores = tail_scores(counts, step)
    expected, width = _trailing_band(counts, max(2, round(86400 / step)))
    return [
        SeriesRow(
            stamps[i],
            values[i],
            round(float(scores[i]), 6),
            round(float(expected[i]), 3),
            round(max(0.0, float(expected[i] - width[i])), 3),
            round(float(expected[i] + width[i]), 3),
            bool(scores[i] >= thresholds.tail),
            (Verdict.RISE if scores[i] >= thresholds.tail else Verdict.WITHIN_BAND).value,
        )
        for i in range(len(values))
    ]


def json_lines(rows: Iterable[SeriesRow]) -> Iterator[str]:
    """One JSON object per row, as `keqing detect` prints them."""
    for row in rows:
        yield json.dumps(asdict(row), ensure_ascii=False)


def write_scores(rows: Iterable[SeriesRow], out: Path) -> None:
    """`timestamp,anomaly_score` per row, the form that scorers of such series read."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["timestamp", "anomaly_score"])
        writer.writerows((row.timestamp, row.score) for row in rows)


def _parse(rows: Iterable[Mapping[str, str]]) -> tuple[list[str], list[datetime], list[float]]:
    stamps: list[str] = []
    times: list[datetime] = []
    values: list[float] = []
    for line, row in enumerate(rows, start=2):
        try:
            times.append(datetime.fromisoformat(row["timestamp"]))
            values.append(float(row["value"]))
        except (ValueError, TypeError, KeyError) as error:
            raise BadSeries(f"line {line}: cannot read {dict(row)!r}: {error}") from error
        if not (np.isfinite(values[-1]) and values[-1] >= 0):
            raise BadSeries(f"line {line}: {row['value']!r} is no count")
        stamps.append(row["timestamp"])
    return stamps, times, values


def _step(times: list[datetime]) -> float:
    """Seconds between two rows; the first rows set it and every other must keep it."""
    if len(times) < 2:
        return HOUR_S
    gaps = [(b - a).total_seconds() for a, b in pairwise(times)]
    step = sorted(gaps)[len(gaps) // 2]
    for line, gap in enumerate(gaps, start=3):
        if gap != step or step <= 0:
            raise BadSeries(
                f"line {line}: {gap:g} s after the row before, every other step is {step:g} s. "
                "Fill the gap or cut the series there; a missing count is not 0."
            )
    return step


def _trailing_band(counts: Floats, day: int) -> tuple[Floats, Floats]:
    """Mean of the day before each row and three standard deviations of counting around it."""
    shifted = np.concatenate([[counts[0]], counts[:-1]])
    n = np.minimum(np.arange(1, len(counts) + 1), day)
    mean = rolling_sum(shifted, day) / n
    spread = np.maximum(rolling_sum(shifted**2, day) / n - mean**2, mean)
    return mean, 3.0 * np.sqrt(spread + 0.5)
