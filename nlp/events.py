"""Events (事件): which stories of a brand are about one happening, found as they come.

In:  the stories of one batch with their terms, a transaction. Out: an event per story, written in that
transaction. A story joins the event with the most similar of at most 5 stars, or the event of the
thread it answers in, or opens one; it is never compared with all members, or 起火 would lead over
消防 to 消防演习. An event is named by hash(brand, first story), so a replay gives the same ids.

Source: Aslam et al. 2004, J. Graph Algorithms 8(1), star clustering; Petrović et al. 2010, NAACL,
first story detection.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from keqing.workflow import events as kept
from keqing.workflow.db import Tx
from keqing.workflow.events import Event, Key, Member, Star
from nlp.telling import cosine, name, normal, vector_cosine

JOIN = 0.45  # least similarity to a star; .40 to .60 give the same within .02 (bench.events)
ANSWER = 0.3  # added for the event of the thread that a story answers in
STAR = 0.53, 0.75  # a story between them is near enough to stand for its event and adds to it
STARS = 5
ACTIVE_S = 72 * 3600
SCORED_WITHIN_S = 30 * 86400  # older state is not looked at, whatever times posts claim
MERGE, SPLIT = 0.6, 0.15
SPLIT_FROM = 5  # stories that make a part an event of its own
EMBEDDING = 0.5  # weight of the embedding's likeness where both stories have one
UNRELATED = 0.5  # cosine that two texts of no common matter have in this embedder
POSTINGS = 300  # newest stars looked up by one term: keeps a flood of stories linear


@dataclass(frozen=True)
class Told:
    """A story of one brand in this batch, by its first post."""

    brand: str
    story: str
    post_id: str
    at_s: int
    terms: Mapping[str, float]
    threads: tuple[str, ...]  # its own thread first, then what it answers or repeats
    vector: bytes | None = None  # int8 embedding, where there is an embedder

    @property
    def key(self) -> Key:
        """Brand and story."""
        return self.brand, self.story


def cluster(tx: Tx, told: Sequence[Told], now_s: int) -> dict[Key, str]:
    """Events of the stories of a batch; call it once a batch, in the order of the batch log.

    The order inside the batch does not matter: stories are taken by time, then by name.
    """
    if not told:
        return {}
    ordered = sorted(told, key=lambda one: (one.at_s, one.story, one.brand, one.post_id))
    seen = kept.of_stories(tx, {one.key for one in ordered})
    places = _Places(tx, ordered, now_s)
    for one in ordered:
        if one.key not in seen:
            seen[one.key] = places.take(one)
        places.pass_on(one, seen[one.key])
    places.write(tx, now_s)
    renamed = _reshape(tx, places, now_s)
    return {key: renamed.get(event, event) for key, event in seen.items()}


def event_id(brand: str, first_story: str) -> str:
    """Id of the event that a story opens."""
    return hashlib.sha256(f"{brand}\0{first_story}".encode()).hexdigest()[:24]


def similarity(one: Told | Star, star: Star) -> float:
    """0..1: cosine of the terms, with the embeddings' where both have one."""
    by_terms = cosine(one.terms, star.terms)
    by_vector = vector_cosine(one.vector, star.vector)
    if by_vector is None:
        return by_terms
    likeness = max(0.0, (by_vector - UNRELATED) / (1 - UNRELATED))
    return (1 - EMBEDDING) * by_terms + EMBEDDING * likeness


class _Places:
    """Active events of the batch's brands, and what the batch adds to them."""

    def __init__(self, tx: Tx, told: Sequence[Told], now_s: int) -> None:
        first, last = told[0].at_s, told[-1].at_s
        brands = {one.brand for one in told}
        found = kept.active(tx, brands, first - ACTIVE_S, last + ACTIVE_S, now_s - SCORED_WITHIN_S)
        self.events = {event.id: event for event in found}
        self.threads = kept.of_threads(tx, {(one.brand, t) for one in told for t in one.threads})
        self.changed: dict[str, None] = {}
        self.members: list[Member] = []
        self.new_threads: dict[Key, str] = {}
        self._postings: dict[Key, list[tuple[Event, Star]]] = {}
        for event in found:
            for star in event.stars:
                self._post(event, star)

    def take(self, one: Told) -> str:
        """The event that a new story joins or opens."""
        event, star, alike = self._nearest(one)
        if event is None or star is None:
            star = Star(one.story, one.post_id, dict(one.terms), one.vector)
            event = Event(
                event_id(one.brand, one.story), one.brand, name([one.terms]), one.story,
                one.at_s, one.at_s, 0, [star],
            )  # fmt: skip
            self.events[event.id] = event
            self._post(event, star)
        else:
            star.joined += 1
            self._maybe_star(event, one, alike)
        event.stories += 1
        self.members.append(Member(one.brand, one.story, event.id, star.story, round(alike, 4)))
        return event.id

    def pass_on(self, one: Told, event_id_: str) -> None:
        """Note when the event was talked of, and that the thread is its."""
        if event := self.events.get(event_id_):
            event.first_at_s = min(event.first_at_s, one.at_s)
            event.last_at_s = max(event.last_at_s, one.at_s)
            self.changed[event.id] = None
        for thread in one.threads[:1]:
            key = one.brand, thread
            if key not in self.threads:
                self.threads[key] = self.new_threads[key] = event_id_

    def write(self, tx: Tx, now_s: int) -> None:
        """Write what changed."""
        changed = [self.events[id_] for id_ in self.changed]
        for event in changed:
            event.name = name(star.terms for star in event.stars)
        kept.save(tx, changed, now_s)
        kept.add_members(tx, self.members, self.new_threads)

    def _nearest(self, one: Told) -> tuple[Event | None, Star | None, float]:
        """The event to join: most similar star, else the thread's event; None to open one."""
        answered = {self.threads.get((one.brand, thread), "") for thread in one.threads}
        best: tuple[float, int, str] = (JOIN, 0, "")
        found: tuple[Event | None, Star | None, float] = (None, None, 0.0)
        for event, star in self._candidates(one):
            alike = similarity(one, star)
            rank = alike + (ANSWER if event.id in answered else 0.0), -event.first_at_s, event.id
            if rank > best:
                best, found = rank, (event, star, alike)
        if found[0] is not None:
            return found
        for thread in one.threads:
            event_ = self.events.get(self.threads.get((one.brand, thread), ""))
            if event_ is not None and _active(event_, one):
                return event_, event_.stars[0], 0.0
        return None, None, 0.0

    def _candidates(self, one: Told) -> Iterable[tuple[Event, Star]]:
        found: dict[int, tuple[Event, Star]] = {}
        for term in one.terms:
            for event, star in self._postings.get((one.brand, term), ()):
                if _active(event, one):
                    found[id(star)] = event, star
        return found.values()

    def _maybe_star(self, event: Event, one: Told, alike: float) -> None:
        low, high = STAR
        if len(event.stars) < STARS and low <= alike < high:
            star = Star(one.story, one.post_id, dict(one.terms), one.vector, 0)
            event.stars.append(star)
            self._post(event, star)

    def _post(self, event: Event, star: Star) -> None:
        for term in star.terms:
            held = self._postings.setdefault((event.brand, term), [])
            held.append((event, star))
            if len(held) > POSTINGS:
                del held[0]


def _active(event: Event, one: Told) -> bool:
    return event.first_at_s - ACTIVE_S <= one.at_s <= event.last_at_s + ACTIVE_S


def _reshape(tx: Tx, places: _Places, now_s: int) -> dict[str, str]:
    """Merge what looked alike at two ticks, split what drifted apart; gives old id → new id."""
    changed = [places.events[id_] for id_ in places.changed if places.events[id_].stories > 1]
    for event in changed:
        _split(tx, event, now_s)
    pairs = set(_alike(changed))
    before = kept.likeness(tx, {elder for elder, _ in pairs})
    renamed: dict[str, str] = {}
    for elder, younger in sorted(pairs & before):
        if elder not in renamed and younger not in renamed:
            _merge(tx, places.events[elder], places.events[younger], now_s)
            renamed[younger] = elder
    kept.set_likeness(tx, {event.id for event in changed}, pairs - before)
    return renamed


def _alike(events: Sequence[Event]) -> Iterable[tuple[str, str]]:
    """Pairs (elder, younger) of one brand and time whose stars together are MERGE alike."""
    ordered = sorted(events, key=lambda event: (event.brand, event.first_at_s, event.id))
    for _, group in groupby(ordered, key=lambda event: event.brand):
        same_brand = list(group)
        columns = {t: n for n, t in enumerate({t: 0 for e in same_brand for t in _sum(e)})}
        table = np.zeros((len(same_brand), len(columns)))
        for n, event in enumerate(same_brand):
            for term, weight in _sum(event).items():
                table[n, columns[term]] = weight
        close = np.triu(np.round(table @ table.T, 6) >= MERGE, 1)
        for one, other in np.argwhere(close):
            elder, younger = same_brand[one], same_brand[other]
            if younger.first_at_s <= elder.last_at_s + ACTIVE_S:
                yield elder.id, younger.id


def _sum(event: Event) -> dict[str, float]:
    total: dict[str, float] = {}
    for star in event.stars:
        for term, weight in star.terms.items():
            total[term] = total.get(term, 0.0) + weight
    return normal(total)


def _merge(tx: Tx, elder: Event, younger: Event, now_s: int) -> None:
    kept.merge(tx, elder.id, younger.id, now_s)
    elder.stories += younger.stories
    elder.last_at_s = max(elder.last_at_s, younger.last_at_s)
    both = sorted([*elder.stars[1:], *younger.stars], key=lambda star: (-star.joined, star.story))
    elder.stars = [elder.stars[0], *both[: STARS - 1]]
    elder.name = name(star.terms for star in elder.stars)
    kept.save(tx, [elder], now_s)


def _split(tx: Tx, event: Event, now_s: int) -> None:
    """Let a star go, with the stories that joined by it, when it is far from the first one."""
    for star in list(event.stars[1:]):
        if star.joined < SPLIT_FROM or similarity(star, event.stars[0]) >= SPLIT:
            continue
        part = Event(
            event_id(event.brand, star.story), event.brand, name([star.terms]), star.story,
            event.first_at_s, event.last_at_s, 0, [star],
        )  # fmt: skip
        part.stories = kept.split(tx, event.id, star.story, part.id, now_s)
        event.stars.remove(star)
        event.stories -= part.stories
        kept.save(tx, [event, part], now_s)
