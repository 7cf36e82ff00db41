"""What staff said of events, done: two become one, a part goes, a name is kept (keqing.workflow.event_links).

In:  a transaction, the brands spoken of. Out: events as staff want them, written in it. Called before
each batch is clustered, so that a replay does it between the same batches, and when staff say it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from keqing.workflow import event_history, event_links, event_sums, spread
from keqing.workflow import events as kept
from keqing.workflow.db import Tx
from keqing.workflow.event_links import Link
from keqing.workflow.event_sums import Sum, unit
from keqing.workflow.events import Event, Star
from nlp.stars import called, event_id, into

Pair = frozenset[str]


def obey(tx: Tx, brands: Collection[str], now_s: int) -> None:
    """Do what was said of events of these brands and not done yet; what is not known yet waits."""
    for link in event_links.due(tx, brands):
        done = {
            event_links.MERGE: _merge, event_links.SPLIT: _split, event_links.RENAME: _rename,
        }[link.kind](tx, link, now_s)  # fmt: skip
        if done is not None:
            event_links.note(tx, link, *done)


def apart(tx: Tx, brands: Collection[str]) -> set[Pair]:
    """Pairs of events that staff parted and that no merge of vectors may bring together again."""
    found: set[Pair] = set()
    for one in event_links.obeyed(tx, (event_links.SPLIT,), brands):
        keys = {(one.link.brand, one.link.story), (one.link.brand, one.link.others[0])}
        found.add(frozenset(kept.of_stories(tx, keys).values()))
    return {pair for pair in found if len(pair) > 1}


def together(tx: Tx, brands: Collection[str]) -> set[str]:
    """Events that staff made of two: they are not split again."""
    merged = event_links.obeyed(tx, (event_links.MERGE,), brands)
    return {event_history.living(tx, one.event) for one in merged}


def _merge(tx: Tx, link: Link, now_s: int) -> tuple[str, str] | None:
    stays, goes = _event_of(tx, link, link.story), _event_of(tx, link, link.others[0])
    if stays is None or goes is None:
        return None
    if stays.id == goes.id:
        return stays.id, ""
    elder, younger = sorted((stays, goes), key=lambda event: (event.first_at_s, event.id))
    held = event_sums.sums(tx, {elder.id, younger.id})
    into(tx, elder, younger, now_s)
    kept.save(tx, [elder], now_s)
    if both := [held[id_] for id_ in (elder.id, younger.id) if id_ in held]:
        event_sums.save(tx, {elder.id: _added(both)}, {})
    return elder.id, younger.id


def _split(tx: Tx, link: Link, now_s: int) -> tuple[str, str] | None:
    event = _event_of(tx, link, link.story)
    keys = {(link.brand, story) for story in link.others}
    at = kept.of_stories(tx, keys)
    if event is None or len(at) < len(keys):
        return None
    stories = sorted(story for (_, story), id_ in at.items() if id_ == event.id)
    other = event_id(link.brand, link.others[0])
    if not stories or event.first_story in stories or kept.get(tx, [other]):
        return event.id, ""
    part = _taken(tx, event, stories, other)
    kept.part(tx, link.brand, stories, event.id, part.id, part.first_story, now_s)
    part.first_at_s, part.last_at_s = _heard(tx, part)
    kept.call(tx, part.id, link.name)
    kept.save(tx, [event, part], now_s)
    return event.id, part.id


def _rename(tx: Tx, link: Link, now_s: int) -> tuple[str, str] | None:
    event = _event_of(tx, link, link.story)
    if event is None:
        return None
    kept.call(tx, event.id, link.name)
    event.name = link.name or called(event.stars)
    kept.save(tx, [event], now_s)
    return event.id, ""


def _event_of(tx: Tx, link: Link, story: str) -> Event | None:
    id_ = kept.of_stories(tx, {(link.brand, story)}).get((link.brand, story))
    return kept.get(tx, [id_]).get(id_) if id_ else None


def _taken(tx: Tx, event: Event, stories: list[str], other: str) -> Event:
    """The part that leaves, with the stars among its stories and its share of the sums."""
    vectors = event_sums.of_stories(tx, event.brand, stories)
    stars = [star for star in event.stars if star.story in stories]
    first = stories[0]
    if not stars:  # its words are not kept: a name is what staff gave it
        stars = [Star(first, first, {}, vectors.get(first), 0)]
    stars = [replace(star, joined=max(star.joined, 1)) for star in stars]
    event.stars = [star for star in event.stars if star.story not in stories]
    share = len(stories) / max(event.stories, 1)
    event.stories -= len(stories)
    if (held := event_sums.sums(tx, [event.id]).get(event.id)) is not None:
        left = event_sums.without(held, list(vectors.values()))
        gone = _parted(held, list(vectors.values()), share)
        event_sums.forget(tx, [event.id])
        both = {event.id: replace(
            left, negative=held.negative - gone.negative, pulse=held.pulse - gone.pulse
        ), other: gone}  # fmt: skip
        event_sums.save(tx, {id_: one for id_, one in both.items() if one.told}, {})
    return Event(
        other, event.brand, "", first, event.first_at_s, event.last_at_s, len(stories), stars
    )


def _heard(tx: Tx, part: Event) -> tuple[int, int]:
    """When the part began, by the platforms that it reached, and when it was last talked of."""
    way = spread.of_events(tx, [part.id]).get(part.id, [])
    return min((one.first_at_s for one in way), default=part.first_at_s), part.last_at_s


def _added(both: list[Sum]) -> Sum:
    total = sum((np.frombuffer(one.total, np.float32) for one in both), np.zeros((), np.float32))
    return Sum(
        total.tobytes(), sum(one.told for one in both), sum(one.negative for one in both),
        sum(one.pulse for one in both), max(one.pulse_at_s for one in both),
    )  # fmt: skip


def _parted(held: Sum, vectors: list[bytes], share: float) -> Sum:
    total = np.sum([unit(one) for one in vectors], axis=0, dtype=np.float32) if vectors else None
    return Sum(
        b"" if total is None else total.tobytes(), len(vectors), held.negative * share,
        held.pulse * share, held.pulse_at_s,
    )  # fmt: skip
