"""A dense grid of time steps, aligned to Beijing time.

In:  a window and a step in seconds. Out: a Series with zeros where nothing was counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice, repeat
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

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

    @property
    def size(self) -> int:
        """How many steps."""
        return max(self.last - self.first, 0)

    def steps(self, moments: NDArray[np.int64]) -> NDArray[np.int64]:
        """The step, from 0, in which each moment lies; moments are seconds within the window."""
        steps: NDArray[np.int64] = (moments + CST_S) // self.step_s - self.first
        return steps

    def series(self, columns: Sequence[NDArray[Any]]) -> Series:
        """Columns of all steps: posts, negative, voices, negative voices, positive."""
        begin = datetime.fromtimestamp(self.first * self.step_s - CST_S, UTC)
        steps = repeat(timedelta(seconds=self.step_s))
        every: Iterator[datetime] = accumulate(steps, add, initial=begin)
        starts = tuple(islice(every, self.size))
        return Series(starts, *(tuple(column.tolist()) for column in columns))
