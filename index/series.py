"""A dense grid of time steps, aligned to Beijing time.

In:  a window and a step in seconds. Out: a Series with zeros where nothing was counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from index.answers import Series, Window

CST_S = 8 * 3600


@dataclass(frozen=True)
class Grid:
    """Steps `first` … `last` (exclusive), numbered from the epoch in +08:00."""

    first: int
    last: int
    step_s: int
    bounds: tuple[int, int]

    @classmethod
    def over(cls, window: Window, step_s: int) -> Grid:
        """All steps that the window touches."""
        start, end = window.seconds()
        last = -(-(end + CST_S) // step_s)
        return cls((start + CST_S) // step_s, last, step_s, (start, end))

    def filled(self, rows: Mapping[int, Sequence[int]]) -> Series:
        """`rows` maps a step to (posts, negative, voices, negative voices, positive)."""
        steps = range(self.first, self.last)
        dense = [rows.get(step, (0, 0, 0, 0, 0)) for step in steps]
        starts = [datetime.fromtimestamp(step * self.step_s - CST_S, UTC) for step in steps]
        columns = [tuple(int(row[n]) for row in dense) for n in range(5)]
        return Series(tuple(starts), *columns)
