"""Influence of an author, 0..100, as parts that add up: reach, echo, standing.

In:  followers, interactions of the last posts seen, the role. Out: an Influence. A part that is not
known is left out and its weight goes to the others, which the Influence says. Followers alone are no
influence: they are one part of three.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from typing import Literal

from keqing.records import InfluencePart
from nlp.authors import Role

Name = Literal["reach", "echo", "standing"]
WEIGHTS: dict[Name, int] = {"reach": 40, "echo": 40, "standing": 20}
LAST = 20  # posts that an echo is the median of
REACH_LOG, ECHO_LOG = 8, 5  # 100 million followers, 100,000 interactions are 1.0
# How far a role is heard. On the cascades that bench/influence.py reads, a checked account is passed
# on no more than others with as many followers: wide steps (observer .1, media 1.0) put influence
# below followers alone (.227 against .252), so the steps are small. No role that more followers give
# (KOL) stands below one that fewer give, else more followers could lower the sum.
STANDING = {
    Role.KOL: 0.7,
    Role.GOVERNMENT: 0.65,
    Role.MEDIA: 0.65,
    Role.OFFICIAL: 0.6,
    Role.ENTERPRISE: 0.6,
    Role.VERIFIED: 0.6,
    Role.CUSTOMER: 0.6,
    Role.EMPLOYEE: 0.6,
    Role.OBSERVER: 0.55,
    Role.SUSPECTED: 0.0,
}


@dataclass(frozen=True)
class Influence:
    """The sum, its parts, and the parts that were left out because nothing is known."""

    value: float
    parts: tuple[InfluencePart, ...]
    unknown: tuple[Name, ...]


def influence(followers: int | None, interactions: Sequence[int | None], role: Role) -> Influence:
    """Influence of one author.

    Args:
        followers: count at the newest sight; None is unknown, which is not 0.
        interactions: likes + comments + reposts of the author's posts, oldest first; None unknown.
        role: gives the standing.

    Returns:
        value = Σ points, to 4 decimals; points = 100 × value × weight / Σ weights of known parts.
    """
    return _sum(followers, _echo(interactions), role)


@lru_cache(maxsize=10_000)  # most authors share theirs; records are frozen
def _sum(followers: int | None, echo: float | None, role: Role) -> Influence:
    known: dict[Name, float | None] = {
        "reach": _log(followers, REACH_LOG),
        "echo": _log(echo, ECHO_LOG),
        "standing": STANDING[role],
    }
    whole = sum(WEIGHTS[name] for name, value in known.items() if value is not None)
    parts = tuple(
        InfluencePart(
            name=name, value=value, weight=round(100 * WEIGHTS[name] / whole, 4),
            points=round(100 * value * WEIGHTS[name] / whole, 4),
        )
        for name, value in known.items()
        if value is not None
    )  # fmt: skip
    unknown = tuple(name for name, value in known.items() if value is None)
    return Influence(round(sum(part.points for part in parts), 4), parts, unknown)


def _echo(interactions: Sequence[int | None]) -> float | None:
    seen = [count for count in interactions if count is not None][-LAST:]
    return median(seen) if seen else None


def _log(count: float | None, decades: int) -> float | None:
    if count is None:
        return None
    return round(min(1.0, math.log10(1 + max(0, count)) / decades), 6)
