"""Which active event a story is likeliest about, if any.

In:  a brand's Pool, a story, the events of threads. Out: the event's row and the star that is most like the
story. Where both have vectors nlp.likeness weighs them, elsewhere words decide; where neither says
anything, the thread that the story answers in does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keqing.workflow.event_sums import unit
from keqing.workflow.events import Key, Star
from nlp.likeness import Judge
from nlp.pool import Numbers, Pool, Rows, Told
from nlp.telling import cosine

JOIN = (
    0.45  # least similarity of words to a star; .40 to .60 give the same within .02 (bench.events)
)
ANSWER = 0.3  # added for the event of the thread that a story answers in
ODDS = 10.0  # logarithm of the odds that a whole point of words' similarity is worth
THREAD = 2.0  # logarithm of the odds that an answer in the thread is worth beside vectors
STAR = 0.53, 0.75  # a story between them is near enough to stand for its event and adds to it
STAR_SURE = 1.0  # the same with vectors: its score
BY_THREAD = 0.0  # how alike a story is that only its thread brings


@dataclass(frozen=True)
class Near:
    """The event in `row`; `alike` by words to its `star`, or BY_THREAD."""

    row: int
    star: Star
    alike: float
    stands: bool  # near enough to stand for the event, and not the same again


def nearest(pool: Pool, one: Told, judge: Judge, threads: Mapping[Key, str]) -> Near | None:
    """The likeliest event, None to open one."""
    rows = pool.active(one.at_s)
    answered = [threads.get((one.brand, thread), "") for thread in one.threads]
    own = [pool.row_of[id_] for id_ in answered if id_ in pool.row_of]
    best: tuple[float, int, int] | None = None
    for scored, score in _scored(pool, one, judge, rows, own):
        at = int(np.argmax(score)) if len(score) else -1
        if at >= 0 and score[at] > 0 and (best is None or score[at] > best[0]):
            best = float(score[at]), -int(scored[at]), int(scored[at])
    if best is not None:
        star, alike = star_of(one, pool.events[best[2]].stars)
        low, high = STAR
        sure = best[0] >= STAR_SURE if one.vector is not None else alike >= low
        return Near(best[2], star, max(alike, 0.0001), sure and alike < high)
    active = [row for row in own if row in rows]
    return Near(active[0], pool.events[active[0]].stars[0], BY_THREAD, False) if active else None


def star_of(one: Told, stars: Sequence[Star]) -> tuple[Star, float]:
    """The star whose words are most alike, the first of equal ones; an event may have lost all."""
    best, most = Star("", "", {}), -1.0
    for star in stars:
        alike = cosine(one.terms, star.terms)
        if alike > most:
            best, most = star, alike
    return best, max(most, 0.0)


def _scored(
    pool: Pool, one: Told, judge: Judge, rows: Rows, own: Sequence[int]
) -> Iterable[tuple[Rows, Numbers]]:
    """Scores by vectors of events that have some, by words of the others; above 0 is yes."""
    told = pool.told(rows)
    if one.vector is not None and told.any():
        mine = rows[told]
        score = judge.join(pool, one, unit(one.vector), mine)
        yield mine, score + THREAD * np.isin(mine, own)
        rows = rows[~told]
    mine = rows[pool.terms_alike(one.terms, rows) > 0]
    alike = np.array([star_of(one, pool.events[row].stars)[1] for row in mine])
    yield mine, ODDS * (alike + ANSWER * np.isin(mine, own) - JOIN)
