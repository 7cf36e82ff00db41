"""How unusual the newest counts are: the tail score, the seasonal band, and a verdict.

In:  counts per regular step, oldest first, without gaps (index counts, or a CSV read by alerts.series).
Out: `tail_scores` (0..1 per row, each from rows up to it), `season_band` (expected, low, high, z),
and `judge`, the Verdict of the newest row. Levels and incidents are the work of others.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keqing.errors import TooLittleHistory

Floats = NDArray[np.float64]

STEP_S = 300
WINDOWS = (1, 3, 6)  # steps: 5, 15, 30 minutes at five-minute steps
SPEED_WINDOWS = (2, 3, 12)  # 10, 15, 60 minutes
MEMORY = 4032  # rows of the trailing reference: 14 days
PROBATION = 288  # silent rows at the start, and length of the onset filter: 24 h
REFIT = 12  # rows between two fits: 1 h
QUANTILE = 0.98
MIN_EXCESS = 1e-3
HALF = 6.0  # a tail score of 6 (one in a million) maps to 0.5
SEASON_WINDOWS = (6, 12, 24, 48)  # 30 min, 1, 2, 4 h
MIN_VOICES = 3
Z_BAND = 3.0
SMALL_PER_HOUR = 20.0


class Verdict(StrEnum):
    """Why a row is an alarm, or why it is none."""

    RISE = "rise"  # the tail score is a new 24 h record over the threshold
    SEASON_RISE = "season_rise"  # far over the hour's usual volume; leads for small brands
    WITHIN_BAND = "within_band"
    TOO_FEW = "too_few"  # under three voices
    TOO_LITTLE_HISTORY = "too_little_history"


@dataclass(frozen=True)
class Band:
    """Expected count of a window and the range around it; `z` is the observed one's distance."""

    observed: float
    expected: float
    low: float
    high: float
    z: float


@dataclass(frozen=True)
class Score:
    """What was seen in the newest hour, what was expected, and the verdict."""

    verdict: Verdict
    score: float
    threshold: float
    band: Band
    z: float

    @property
    def alert(self) -> bool:
        """Whether the verdict opens or lifts an incident."""
        return self.verdict in (Verdict.RISE, Verdict.SEASON_RISE)


@dataclass(frozen=True)
class Thresholds:
    """The committed thresholds (alerts/thresholds.toml)."""

    version: str
    tail: float
    season_z: float


def load_thresholds(path: Path | None = None) -> Thresholds:
    """Read the committed thresholds."""
    path = path or Path(__file__).with_name("thresholds.toml")
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    return Thresholds(raw["version"], float(raw["tail"]["standard"]), float(raw["season"]["z"]))


def tail_scores(counts: Sequence[float] | Floats, step_s: float = STEP_S) -> Floats:
    """Anomaly score 0..1 of each row, from rows up to it only.

    y = ln(1 + sum of the window); threshold u is the 98 % quantile of y over the trailing 14 days,
    refit hourly; exceedances are exponential with mean β: T = −log10(ζ·exp(−(y − u)/β)). The mean
    T over the windows 5, 15 and 30 minutes counts only when it exceeds every one of the last 24 h
    (onset: a new record), and is mapped by a/(a + 6).

    Args:
        counts: events per step, oldest first.
        step_s: seconds of a step; windows and memories scale with it.

    Source: exponential tail over a threshold, Pickands 1975, Ann. Statist. 3(1), 119-131.
    """
    values = np.asarray(counts, dtype=np.float64)
    scale = STEP_S / step_s
    windows = sorted({max(1, round(w * scale)) for w in WINDOWS})
    day = max(24, round(PROBATION * scale)) if scale < 1 else round(PROBATION * scale)
    memory, refit = max(2 * day, round(MEMORY * scale)), max(1, round(REFIT * scale))
    tails = np.mean([_tails(values, w, memory, day, refit) for w in windows], axis=0)
    mean = _onset(tails, day)
    scored: Floats = mean / (mean + HALF)
    return scored


def newest_tail(counts: Sequence[float] | Floats) -> float | None:
    """Largest −log10 tail of the newest 10, 15 and 60 minutes; None under a day of history."""
    values = np.asarray(counts, dtype=np.float64)[-(MEMORY + 1) :]
    if len(values) <= PROBATION:
        return None
    last = len(values) - 1
    return max(float(_tails(values, w, MEMORY, last, 1)[-1]) for w in SPEED_WINDOWS)


def rolling_sum(values: Floats, width: int) -> Floats:
    """Sum of the last `width` rows at each row; shorter at the start."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    summed: Floats = total[ends] - total[np.maximum(0, ends - width)]
    return summed


def _tails(values: Floats, width: int, memory: int, silent: int, refit: int) -> Floats:
    """−log10 of the fitted tail probability of each row's window, 0 under the quantile."""
    y = np.log1p(rolling_sum(values, width))
    tails = np.zeros_like(y)
    u, beta, share = np.inf, MIN_EXCESS, 1.0
    for i in range(silent, len(y)):
        if (i - silent) % refit == 0:
            past = y[max(0, i - memory) : i]
            u = float(np.quantile(past, QUANTILE))
            over = past[past > u]
            beta = max(MIN_EXCESS, float((over - u).mean())) if len(over) else MIN_EXCESS
            share = max(len(over), 1) / len(past)
        if y[i] > u:
            tails[i] = -np.log10(share) + (y[i] - u) / beta / np.log(10)
    return tails


def _onset(tails: Floats, day: int) -> Floats:
    """Keep a tail only where it exceeds every one of the day before it."""
    if len(tails) == 0:
        return tails
    padded = np.concatenate([np.zeros(day), tails])
    before = np.lib.stride_tricks.sliding_window_view(padded, day)[: len(tails)].max(axis=1)
    return np.where(tails > before, tails, 0.0)


def season_band(
    counts: Sequence[float] | Floats, first: datetime, width: int, step_s: float = STEP_S
) -> Band:
    """Band of the newest `width` rows by hour and weekday of the rows before them.

    The expectation per hour × weekday is shrunk to the hour of the day (weight 4 days) and that to
    the overall mean (weight 1), so a young installation has a band too. Variance φ·μ + 0.5 with
    φ from squared Pearson residuals, at least 1.

    Args:
        counts: events per step, oldest first; at least six hours before the window.
        first: start of the first row in the zone whose days count.
        width: rows of the window.

    Raises:
        TooLittleHistory: less than six hours before the window.
    """
    values = np.asarray(counts, dtype=np.float64)
    per_day = round(86400 / step_s)
    if len(values) < per_day // 4 + width:
        raise TooLittleHistory(f"{len(values)} steps are there, {per_day // 4 + width} are needed")
    cells = _cells(len(values), first, step_s)
    past, keep = values[:-width], slice(max(0, len(values) - width - 28 * per_day), None)
    expected = _season(past[keep], cells[:-width][keep], cells, 86400 / step_s / 24)
    phi = _dispersion(past[keep], expected[:-width][keep], width)
    observed, mu = float(values[-width:].sum()), float(expected[-width:].sum())
    sd = float(np.sqrt(phi * mu + 0.5))
    return Band(observed, mu, max(0.0, mu - Z_BAND * sd), mu + Z_BAND * sd, (observed - mu) / sd)


def _cells(n: int, first: datetime, step_s: float) -> NDArray[np.int64]:
    """Hour of the week (0 = Monday 00) of each row."""
    start = first.weekday() * 86400 + first.hour * 3600 + first.minute * 60 + first.second
    cells: NDArray[np.int64] = ((start + np.arange(n) * step_s) // 3600 % 168).astype(np.int64)
    return cells


def _season(
    past: Floats, past_cells: NDArray[np.int64], cells: NDArray[np.int64], per_hour: float
) -> Floats:
    """Expected count of every row of `cells`, learned from the past."""
    overall = float(past.mean())
    hours = np.bincount(past_cells % 24, weights=past, minlength=24)
    n_hours = np.bincount(past_cells % 24, minlength=24)
    by_hour = (hours + per_hour * overall) / (n_hours + per_hour)
    week = np.bincount(past_cells, weights=past, minlength=168)
    n_week = np.bincount(past_cells, minlength=168)
    weight = 4.0 * per_hour
    table = (week + weight * by_hour[np.arange(168) % 24]) / (n_week + weight)
    expected: Floats = table[cells]
    return expected


def _dispersion(past: Floats, expected: Floats, width: int) -> float:
    """Over-dispersion of window sums against the expectation, at least 1.

    The largest residual in a hundred is left out: one old crisis must not widen the band.
    """
    usable = len(past) // width * width
    seen = past[-usable:].reshape(-1, width).sum(axis=1)
    mu = np.maximum(expected[-usable:].reshape(-1, width).sum(axis=1), 0.1)
    squares = np.sort((seen - mu) ** 2 / mu)
    kept = squares[: max(1, int(len(squares) * 0.99))]
    return max(1.0, float(kept.mean()))


def judge(
    counts: Sequence[float] | Floats, first: datetime, thresholds: Thresholds, rows: Sequence[int]
) -> list[Score]:
    """Verdicts of some rows of five-minute counts of negative voices.

    The tail leads; for brands under 20 voices an hour the season's mean z leads beside it. A row
    is judged from the rows up to it.

    Args:
        counts: negative voices per five minutes, oldest first.
        first: start of the first row, in the zone whose days count.
        rows: indices from 0 to judge, e.g. the newest one.
    """
    values = np.asarray(counts, dtype=np.float64)
    tails = tail_scores(values)
    return [_judge(values[: row + 1], first, thresholds, float(tails[row])) for row in rows]


def _judge(values: Floats, first: datetime, limits: Thresholds, score: float) -> Score:
    observed = float(values[-12:].sum())
    blank = Band(observed, 0.0, 0.0, 0.0, 0.0)
    if observed < MIN_VOICES:
        return Score(Verdict.TOO_FEW, score, limits.tail, blank, 0.0)
    try:
        band = season_band(values, first, 12)
        z = float(np.mean([season_band(values, first, w).z for w in SEASON_WINDOWS]))
    except TooLittleHistory:
        return Score(Verdict.TOO_LITTLE_HISTORY, score, limits.tail, blank, 0.0)
    return Score(_verdict(values, band, score, z, limits), score, limits.tail, band, z)


def _verdict(values: Floats, band: Band, score: float, z: float, limits: Thresholds) -> Verdict:
    if score >= limits.tail and band.observed > band.high:
        return Verdict.RISE
    hourly = float(values[:-12].mean()) * 12
    if hourly < SMALL_PER_HOUR and z >= limits.season_z and band.observed > band.high:
        return Verdict.SEASON_RISE
    return Verdict.WITHIN_BAND
