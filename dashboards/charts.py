"""Answers → charts: one source for the drawing, the data table and the links behind each point.

In:  Series of the index, blind spans. Out: a Chart. A step without data is None, never 0; the last
step is marked when it is not over yet, or it would look like a fall.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from alerts.detect import season_band
from dashboards.sight import Spans, covered
from dashboards.times import BEIJING
from index.query import Series, Window
from keqing.errors import TooLittleHistory
from keqing.records import Level

HOUR_S = 3600
STEPS = ((6, 300), (48, HOUR_S), (14 * 24, 6 * HOUR_S))
Values = tuple[float | None, ...]
Ints = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True)
class Mark:
    """A flag at a step: an incident that opened, an act."""

    at: int
    label: str
    level: str


@dataclass(frozen=True)
class Chart:
    """Lines over the same steps; `urls` lead to the posts of each step."""

    kind: str  # "stack" | "band"
    labels: tuple[str, ...]
    lines: Mapping[str, Values]
    urls: tuple[str, ...]
    step_s: int
    blind: tuple[tuple[int, int], ...] = ()
    marks: tuple[Mark, ...] = ()
    open_end: bool = False

    def data(self, words: Mapping[str, str]) -> str:
        """What the script draws, as JSON for an attribute; `words` name lines and marks."""
        named = {key: words.get(key, key) for key in (*self.lines, "blind", "open", "band")}
        return json.dumps(asdict(self) | {"words": named}, ensure_ascii=False)

    @property
    def empty(self) -> bool:
        """Whether nothing is known or counted at any step."""
        return not any(value for line in self.lines.values() for value in line)


def step_for(window: Window) -> int:
    """Seconds of a step that keeps a chart readable."""
    hours = (window.end - window.start).total_seconds() / HOUR_S
    return next((step for limit, step in STEPS if hours <= limit), 24 * HOUR_S)


def volume_chart(
    grids: Sequence[Series],
    window: Window,
    step_s: int,
    gaps: Spans,
    link: Callable[[datetime, datetime], str],
    now: datetime,
    dim: Spans = (),
) -> Chart:
    """Negative, neutral and positive posts per step, summed over the brands asked.

    Args:
        gaps: spans in which nothing could be seen; a step within one and without posts is unknown.
        dim: spans in which a source was blind; their counts are a lower bound and hatched.
        link: address of the posts between two moments.
    """
    starts = grids[0].starts if grids else ()
    step = timedelta(seconds=step_s)
    posts, negative, positive = (_sum(grids, name) for name in ("posts", "negative", "positive"))
    neutral = posts - negative - positive
    unseen = [not posts[n] and covered(gaps, at, at + step) for n, at in enumerate(starts)]
    lines = {
        name: _line(values, unseen)
        for name, values in (("negative", negative), ("neutral", neutral), ("positive", positive))
    }
    ends = [min(at + step, window.end) for at in starts]
    return Chart(
        kind="stack",
        labels=labels(starts, step_s),
        lines=lines,
        urls=tuple(link(max(a, window.start), b) for a, b in zip(starts, ends, strict=True)),
        step_s=step_s,
        blind=_runs([covered((*gaps, *dim), at, at + step, whole=False) for at in starts]),
        open_end=bool(starts) and starts[-1] + step > now,
    )


def band_chart(
    grids: Sequence[Series],
    gaps: Spans,
    hours: int,
    link: Callable[[datetime, datetime], str],
    dim: Spans = (),
) -> Chart:
    """Negative voices per hour and the alarm's own expected range, of the last `hours`.

    The band of an hour is learned from the hours before it; a young installation has none.
    """
    starts = grids[0].starts if grids else ()
    voices, hour = _sum(grids, "negative_voices"), timedelta(hours=1)
    posts = _sum(grids, "posts")
    begun = next((n for n, count in enumerate(posts) if count), len(starts))
    rows = range(max(0, len(starts) - hours), len(starts))
    bands = [_band(voices[begun : n + 1], starts[begun]) if n >= begun else None for n in rows]
    unseen = [not posts[n] and covered(gaps, starts[n], starts[n] + hour) for n in rows]
    shown = [starts[n] for n in rows]
    return Chart(
        kind="band",
        labels=labels(shown, HOUR_S),
        lines={
            "negative_voices": _line(voices[list(rows)], unseen),
            "low": tuple(b[0] if b else None for b in bands),
            "high": tuple(b[1] if b else None for b in bands),
        },
        urls=tuple(link(at, at + hour) for at in shown),
        step_s=HOUR_S,
        blind=_runs([covered((*gaps, *dim), at, at + hour, whole=False) for at in shown]),
        open_end=bool(shown),
    )


def marked(
    chart: Chart, starts: Sequence[datetime], marks: Sequence[tuple[datetime, str, str]]
) -> Chart:
    """The chart with flags (moment, label, level) at the steps that hold them."""
    step = timedelta(seconds=chart.step_s)
    found: dict[int, list[Mark]] = {}
    for n, at in enumerate(starts):
        for moment, label, level in marks:
            if at <= moment < at + step:
                found.setdefault(n, []).append(Mark(n, label, level))
    return replace(chart, marks=tuple(_joined(same) for same in found.values()))


def labels(starts: Sequence[datetime], step_s: int) -> tuple[str, ...]:
    """Axis texts in Beijing time, made here so that a browser abroad shows the same hours."""
    local = [at.astimezone(BEIJING) for at in starts]
    if step_s >= 24 * HOUR_S:
        return tuple(f"{at:%m-%d}" for at in local)
    new = [n == 0 or at.date() != local[n - 1].date() for n, at in enumerate(local)]
    return tuple(
        f"{at:%m-%d %H:%M}" if first else f"{at:%H:%M}"
        for at, first in zip(local, new, strict=True)
    )


def _joined(marks: Sequence[Mark]) -> Mark:
    """One flag for several at one step: the gravest names it, the others are counted."""
    gravest = max(marks, key=lambda mark: Level(mark.level).rank)
    more = f" +{len(marks) - 1}" if len(marks) > 1 else ""
    return Mark(gravest.at, gravest.label + more, gravest.level)


def _sum(grids: Sequence[Series], name: str) -> Ints:
    columns = [np.asarray(getattr(grid, name), dtype=np.int64) for grid in grids]
    return np.sum(columns, axis=0) if columns else np.zeros(0, dtype=np.int64)


def _line(values: Ints, unseen: Sequence[bool]) -> Values:
    return tuple(None if gone else v for v, gone in zip(values.tolist(), unseen, strict=True))


def _band(values: Ints, first: datetime) -> tuple[float, float] | None:
    try:
        band = season_band(values.astype(np.float64), first.astimezone(BEIJING), 1, HOUR_S)
    except TooLittleHistory:
        return None
    return round(band.low, 1), round(band.high, 1)


def _runs(flags: Sequence[bool]) -> tuple[tuple[int, int], ...]:
    """First and last step of each run of True."""
    found: list[tuple[int, int]] = []
    for n, flag in enumerate(flags):
        if flag and found and found[-1][1] == n - 1:
            found[-1] = found[-1][0], n
        elif flag:
            found.append((n, n))
    return tuple(found)
