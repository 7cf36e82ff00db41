"""Shares and their uncertainty, and bars of named counts.

In:  counts. Out: a Share with Wilson's interval; Bars with their length and their link.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

Z = 1.96


@dataclass(frozen=True)
class Share:
    """A share 0..1 and the interval that holds it 95 times in 100."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Bar:
    """One named count; `width` is per cent of the longest."""

    label: str
    value: int
    width: float
    url: str


def share(part: int | None, whole: int | None) -> Share | None:
    """The share of `part`; None of nothing or of the unknown.

    Source: Wilson 1927, J. Am. Stat. Assoc. 22(158), 209-212.
    """
    if part is None or not whole:
        return None
    p, shrink = part / whole, 1 + Z**2 / whole
    middle = (p + Z**2 / (2 * whole)) / shrink
    half = Z * math.sqrt(p * (1 - p) / whole + Z**2 / (4 * whole**2)) / shrink
    return Share(p, max(0.0, middle - half), min(1.0, middle + half))


def bars(counts: Iterable[tuple[str, int, str]], most: int = 6) -> tuple[Bar, ...]:
    """The first entries (label, count, link) as bars."""
    kept = list(counts)[:most]
    longest = max((count for _, count, _ in kept), default=1) or 1
    return tuple(
        Bar(label, count, round(100 * count / longest, 1), url) for label, count, url in kept
    )


def spark(values: Iterable[float | None]) -> str:
    """Points of a small line in a box of 100 × 28; steps without data are left out."""
    known = list(values)
    top = max((v for v in known if v is not None), default=0) or 1
    wide = max(1, len(known) - 1)
    points = [(100 * n / wide, 26 - 24 * v / top) for n, v in enumerate(known) if v is not None]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
