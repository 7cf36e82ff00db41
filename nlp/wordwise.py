"""Events of words alone, where there is no embedder: merged when alike at two ticks, split when adrift.

In:  the events that a batch changed, a transaction. Out: merged and split events, written in it. Of
events with vectors nlp.events takes care itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

import numpy as np

from keqing.workflow import events as kept
from keqing.workflow.db import Tx
from keqing.workflow.events import Event
from nlp import linked
from nlp.pool import ACTIVE_S, star_terms
from nlp.stars import event_id, into
from nlp.telling import cosine, name

MERGE, SPLIT = 0.6, 0.15
SPLIT_FROM = 5  # stories that make a part an event of its own


def reshape(
    tx: Tx, changed: Sequence[Event], are_apart: Callable[[str, str], bool], now_s: int
) -> dict[str, str]:
    """Merge what looked alike at two ticks, split what drifted apart; gives old id → new id."""
    whole = linked.together(tx, {event.brand for event in changed})
    for event in changed:
        if event.id not in whole:
            _split(tx, event, now_s)
    pairs = {pair for pair in _alike(changed) if not are_apart(*pair)}
    before = kept.likeness(tx, {elder for elder, _ in pairs})
    held = {event.id: event for event in changed}
    renamed: dict[str, str] = {}
    for elder, younger in sorted(pairs & before):
        if elder not in renamed and younger not in renamed:
            into(tx, held[elder], held[younger], now_s)
            kept.save(tx, [held[elder]], now_s)
            renamed[younger] = elder
    kept.set_likeness(tx, {event.id for event in changed}, pairs - before)
    return renamed


def _alike(events: Sequence[Event]) -> Iterable[tuple[str, str]]:
    """Pairs (elder, younger) of one brand and time whose stars together are MERGE alike."""
    ordered = sorted(events, key=lambda event: (event.brand, event.first_at_s, event.id))
    for _, group in groupby(ordered, key=lambda event: event.brand):
        same_brand = list(group)
        terms = [star_terms(event.stars) for event in same_brand]
        columns = {t: n for n, t in enumerate({t: 0 for one in terms for t in one})}
        table = np.zeros((len(same_brand), len(columns)))
        for n, one in enumerate(terms):
            for term, weight in one.items():
                table[n, columns[term]] = weight
        close = np.triu(np.round(table @ table.T, 6) >= MERGE, 1)
        for first, second in np.argwhere(close):
            elder, younger = same_brand[first], same_brand[second]
            if younger.first_at_s <= elder.last_at_s + ACTIVE_S:
                yield elder.id, younger.id


def _split(tx: Tx, event: Event, now_s: int) -> None:
    """Let a star go, with the stories that joined by it, when it is far from the first one."""
    for star in list(event.stars[1:]):
        if star.joined < SPLIT_FROM or cosine(star.terms, event.stars[0].terms) >= SPLIT:
            continue
        part = Event(
            event_id(event.brand, star.story), event.brand, name([star.terms]), star.story,
            event.first_at_s, event.last_at_s, 0, [star],
        )  # fmt: skip
        part.stories = kept.split(tx, event.id, star.story, part.id, now_s)
        event.stars.remove(star)
        event.stories -= part.stories
        kept.save(tx, [event, part], now_s)
