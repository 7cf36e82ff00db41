"""Events (事件): which stories of a brand are about one happening, found as they come.

In:  the stories of one batch with their terms and vectors, a transaction. Out: an event per story, written in
that transaction. A story joins the event that it is likeliest about (nlp.likeness), or the event of the thread
it answers in, or opens one; then events that are one are merged. Where a story or an event has no vector,
at most 5 stars stand for the event, and their words decide. An event is named by hash(brand, first
story), and what staff said of events is obeyed when its time comes, so a replay gives the same ids.

Source: Aslam et al. 2004, J. Graph Algorithms 8(1), star clustering; Petrović et al. 2010, NAACL,
first story detection.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from keqing.workflow import event_sums
from keqing.workflow import events as kept
from keqing.workflow.db import Tx
from keqing.workflow.event_sums import Vector
from keqing.workflow.events import Event, Key, Member, Star
from nlp import likeness, linked, wordwise
from nlp.likeness import Judge
from nlp.nearest import nearest
from nlp.pool import ACTIVE_S, Pool, Told
from nlp.stars import STARS, called, event_id, into
from nlp.telling import name

SCORED_WITHIN_S = 30 * 86400  # older state is not looked at, whatever times posts claim
MOST = 4000  # events of a brand that a batch is compared with, the last talked of
ROUNDS = 5  # events that one event takes in at most in a batch


def cluster(
    tx: Tx, told: Sequence[Told], now_s: int, judge: Judge = likeness.SHIPPED
) -> dict[Key, str]:
    """Events of the stories of a batch; call it once a batch, in the order of the batch log.

    The order inside the batch does not matter: stories are taken by time, then by name.
    """
    if not told:
        return {}
    linked.obey(tx, {one.brand for one in told}, now_s)
    ordered = sorted(told, key=lambda one: (one.at_s, one.story, one.brand, one.post_id))
    seen = kept.of_stories(tx, {one.key for one in ordered})
    places = _Places(tx, ordered, now_s, judge)
    for one in ordered:
        if one.key not in seen:
            seen[one.key] = places.take(one)
        places.pass_on(one, seen[one.key])
    places.write(tx, now_s)
    renamed = places.merge(tx, now_s)
    of_words = [event for event in places.events() if places.is_of_words(event)]
    renamed |= wordwise.reshape(tx, of_words, places.are_apart, now_s)
    return {key: _followed(renamed, event) for key, event in seen.items()}


class _Places:
    """Active events of the batch's brands, and what the batch adds to them."""

    def __init__(self, tx: Tx, told: Sequence[Told], now_s: int, judge: Judge) -> None:
        first, last = told[0].at_s, told[-1].at_s
        brands = {one.brand for one in told}
        found = kept.active(tx, brands, first - ACTIVE_S, last + ACTIVE_S, now_s - SCORED_WITHIN_S)
        self.judge = judge
        self.apart = linked.apart(tx, brands)
        self.pools = _pools(tx, brands, found)
        self.threads = kept.of_threads(tx, {(one.brand, t) for one in told for t in one.threads})
        self.changed: dict[Key, None] = {}  # brand and event
        self.members: list[Member] = []
        self.vectors: list[Vector] = []
        self.new_threads: dict[Key, str] = {}

    def take(self, one: Told) -> str:
        """The event that a new story joins or opens."""
        pool = self.pools[one.brand]
        near = nearest(pool, one, self.judge, self.threads)
        if near is None:
            star, alike = _star(one, 1), 0.0
            event = Event(
                event_id(one.brand, one.story), one.brand, name([one.terms]), one.story,
                one.at_s, one.at_s, 0, [star],
            )  # fmt: skip
            pool.open(event, one)
        else:
            event, star, alike = pool.events[near.row], near.star, near.alike
            star.joined += alike > 0.001  # by its words
            pool.join(near.row, one)
            if near.stands:
                _shine(event, one)
                pool.starred(near.row)
        self.members.append(Member(one.brand, one.story, event.id, star.story, round(alike, 4)))
        if one.vector is not None:
            self.vectors.append(Vector(one.brand, one.story, one.post_id, one.vector))
        return event.id

    def pass_on(self, one: Told, event_id_: str) -> None:
        """Note when the event was talked of, and that the thread is its."""
        pool = self.pools[one.brand]
        if (row := pool.row_of.get(event_id_)) is not None:
            pool.heard(row, one.at_s)
            self.changed[one.brand, event_id_] = None
        for thread in one.threads[:1]:
            key = one.brand, thread
            if key not in self.threads:
                self.threads[key] = self.new_threads[key] = event_id_

    def write(self, tx: Tx, now_s: int) -> None:
        """Write what the batch adds."""
        for event in self.events():
            if not event.named:
                event.name = called(event.stars)
        self.save(tx, self.changed, now_s)
        kept.add_members(tx, self.members, self.new_threads)
        event_sums.add_vectors(tx, self.vectors, now_s, SCORED_WITHIN_S)

    def events(self) -> list[Event]:
        """Events that the batch changed and that live."""
        found = [self._place(key) for key in self.changed]
        return [pool.events[row] for pool, row in found if pool.alive[row]]

    def save(self, tx: Tx, keys: Iterable[Key], now_s: int) -> None:
        """Write events with their numbers."""
        found = [(self._place(key), key[0]) for key in keys]
        living = [(pool, row) for (pool, row), _ in found if pool.alive[row]]
        kept.save(tx, [pool.events[row] for pool, row in living], now_s)
        event_sums.save(
            tx,
            {pool.events[row].id: pool.sum(row) for pool, row in living},
            {brand: self.pools[brand].usual() for brand in sorted({b for _, b in found})},
        )

    def is_of_words(self, event: Event) -> bool:
        """Whether an event of several stories has no vector."""
        pool, row = self._place((event.brand, event.id))
        return event.stories > 1 and not pool.told(np.array([row]))[0]

    def merge(self, tx: Tx, now_s: int) -> dict[str, str]:
        """Merge events that are one by their vectors; gives old id → new id."""
        renamed: dict[str, str] = {}
        grown: dict[Key, None] = {}
        for brand, id_ in sorted(self.changed):
            pool = self.pools[brand]
            row = pool.row_of[id_]
            for _ in range(ROUNDS):
                other = self._other_half(pool, row)
                if other is None:
                    break
                elder, younger = sorted((row, other), key=lambda n: _seniority(pool.events[n]))
                self._merge(tx, pool, elder, younger, now_s)
                renamed[pool.events[younger].id] = pool.events[elder].id
                grown[brand, pool.events[elder].id] = None
                row = elder
        self.save(tx, grown, now_s)
        return renamed

    def are_apart(self, one: str, other: str) -> bool:
        """Whether staff parted these events."""
        return frozenset((one, other)) in self.apart

    def now_one(self, elder: str, younger: str) -> None:
        """What may not join the younger event may not join the elder one either."""
        self.apart = {
            frozenset(elder if id_ == younger else id_ for id_ in pair) for pair in self.apart
        }

    def _other_half(self, pool: Pool, row: int) -> int | None:
        if not pool.alive[row] or pool.stories(row) < 2:
            return None
        rows = pool.active(pool.events[row].last_at_s)
        rows = rows[pool.told(rows) & (rows != row)]
        if not len(rows) or not pool.told(np.array([row]))[0]:
            return None
        scores = self.judge.merge(pool, row, rows)
        for at, other in enumerate(rows):
            if self.apart and self.are_apart(pool.events[row].id, pool.events[other].id):
                scores[at] = 0.0
        best = int(np.argmax(scores))
        return int(rows[best]) if scores[best] > 0 else None

    def _merge(self, tx: Tx, pool: Pool, elder: int, younger: int, now_s: int) -> None:
        into(tx, pool.events[elder], pool.events[younger], now_s)
        self.now_one(pool.events[elder].id, pool.events[younger].id)
        pool.absorb(elder, younger)

    def _place(self, key: Key) -> tuple[Pool, int]:
        pool = self.pools[key[0]]
        return pool, pool.row_of[key[1]]


def _pools(tx: Tx, brands: set[str], found: Sequence[Event]) -> dict[str, Pool]:
    of_brand: dict[str, list[Event]] = defaultdict(list)
    for event in found:
        of_brand[event.brand].append(event)
    usual = event_sums.standings(tx, brands)
    pools: dict[str, Pool] = {}
    for brand in brands:
        newest = sorted(of_brand[brand], key=lambda event: (event.last_at_s, event.id))[-MOST:]
        newest.sort(key=_seniority)
        sums = event_sums.sums(tx, {event.id for event in newest})
        pools[brand] = Pool(newest, sums, usual.get(brand))
    return pools


def _seniority(event: Event) -> tuple[int, str]:
    return event.first_at_s, event.id


def _followed(renamed: Mapping[str, str], event: str) -> str:
    while event in renamed:
        event = renamed[event]
    return event


def _star(one: Told, joined: int) -> Star:
    return Star(one.story, one.post_id, dict(one.terms), one.vector, joined)


def _shine(event: Event, one: Told) -> None:
    """Let a story stand for its event, if need be in the place of the star that fewest joined by."""
    if len(event.stars) >= STARS:
        last = min(range(1, STARS), key=lambda n: (event.stars[n].joined, n))
        del event.stars[last]
    event.stars.append(_star(one, 0))
