"""Names of events, and two events made one: what clustering and staff's word have in common.

In:  events with their stars, a transaction. Out: an id; the elder event with both events' stories.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from keqing.workflow import event_sums
from keqing.workflow import events as kept
from keqing.workflow.db import Tx
from keqing.workflow.events import Event, Star
from nlp.telling import name

STARS = 5


def event_id(brand: str, first_story: str) -> str:
    """Id of the event that a story opens."""
    return hashlib.sha256(f"{brand}\0{first_story}".encode()).hexdigest()[:24]


def called(stars: Sequence[Star]) -> str:
    """Name of an event by its stars' words; a star counts by the stories that joined by it."""
    return name(
        {term: weight * max(star.joined, 1) for term, weight in star.terms.items()}
        for star in stars
    )


def into(tx: Tx, elder: Event, younger: Event, now_s: int) -> None:
    """The elder event takes the younger one in: stories, threads, the stars that most joined by."""
    kept.merge(tx, elder.id, younger.id, now_s)
    event_sums.forget(tx, [younger.id])
    elder.stories += younger.stories
    elder.first_at_s = min(elder.first_at_s, younger.first_at_s)
    elder.last_at_s = max(elder.last_at_s, younger.last_at_s)
    both = sorted([*elder.stars[1:], *younger.stars], key=lambda star: (-star.joined, star.story))
    elder.stars = [*elder.stars[:1], *both][:STARS]
    if not elder.named and younger.named:
        elder.name, elder.named = younger.name, True
    elif not elder.named:
        elder.name = called(elder.stars)
