"""The events of one brand that a batch can add to, as rows of numbers, so that all are compared at once.

In:  events with their sums, what is usual for the brand. Out: per story or event the features that
nlp.likeness weighs, one row a candidate. Vectors are compared after the brand's own mean was taken
off, since all posts of a tea shop speak of tea; a brand that is new starts with the mean of any talk.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keqing.workflow.event_sums import Standing, Sum, unit
from keqing.workflow.events import Event, Key, Star
from nlp.telling import normal
from nlp.usual import HOUR_S, PULSE_H, USUAL_H, WIDTH, Floats, Usual, beat

Numbers = NDArray[np.float64]
Rows = NDArray[np.intp]
ACTIVE_S = 72 * 3600
YOUNG_H = 3.0  # an event is no likelier for being younger
LEAST_AWAY = 0.05  # of a story from what is usual: nearer ones say nothing of their own
FEW, LEAST_SPREAD = 3, 0.05  # events among which none stands out; of their cosines
POSTINGS = 300  # newest events looked up by one term: keeps a flood of stories linear


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
    negative: float = 0.0  # probability

    @property
    def key(self) -> Key:
        """Brand and story."""
        return self.brand, self.story


class Pool:
    """Rows: an event each. Call `active` for those that a moment can add to."""

    def __init__(
        self, events: Sequence[Event], sums: Mapping[str, Sum], usual: Standing | None
    ) -> None:
        self.events: list[Event] = []
        self.row_of: dict[str, int] = {}
        self.alive = np.zeros(0, np.bool_)
        self._vectors = np.zeros((0, WIDTH), np.float32)
        self._table = np.zeros((0, 9))
        self._grow(64)
        self._terms: list[dict[str, float]] = []
        self._postings: dict[str, dict[int, float]] = defaultdict(dict)
        self._usual = Usual(usual)
        for event in events:
            self._append(event, sums.get(event.id))
        self._centre()

    def active(self, at_s: int) -> Rows:
        """Rows of events that a story of this moment may be about."""
        near = (self._first <= at_s + ACTIVE_S) & (self._last >= at_s - ACTIVE_S)
        return np.flatnonzero(near & self.alive)

    def open(self, event: Event, one: Told) -> int:
        """A new event of one story; gives its row."""
        row = self._append(event, None)
        self._add(row, one)
        return row

    def join(self, row: int, one: Told) -> None:
        """Count a story into an event; `heard` tells that its post was."""
        self._add(row, one)

    def heard(self, row: int, at_s: int) -> None:
        """A post of the event: it is hotter, and goes on."""
        event = self.events[row]
        event.first_at_s, event.last_at_s = min(event.first_at_s, at_s), max(event.last_at_s, at_s)
        self._first[row], self._last[row] = event.first_at_s, event.last_at_s
        self._pulse[row] = beat(self._pulse[row], self._pulse_at[row], at_s, PULSE_H) + 1
        self._pulse_at[row] = max(self._pulse_at[row], at_s)

    def starred(self, row: int) -> None:
        """The event's stars changed."""
        for term in self._terms[row]:
            self._postings[term].pop(row, None)
        self._terms[row] = star_terms(self.events[row].stars)
        for term, weight in self._terms[row].items():
            held = self._postings[term]
            held[row] = weight
            if len(held) > POSTINGS:
                del held[next(iter(held))]

    def absorb(self, elder: int, younger: int) -> None:
        """The younger event's numbers go to the elder one; its row is dead."""
        self._vectors[elder] += self._vectors[younger]
        for column in (self._told, self._stories, self._negative):
            column[elder] += column[younger]
        at = int(max(self._pulse_at[elder], self._pulse_at[younger]))
        self._pulse[elder] = sum(
            beat(self._pulse[row], self._pulse_at[row], at, PULSE_H) for row in (elder, younger)
        )
        self._pulse_at[elder] = at
        self._first[elder] = min(self._first[elder], self._first[younger])
        self._last[elder] = max(self._last[elder], self._last[younger])
        self._summed(elder)
        self.starred(elder)
        self.drop(younger)

    def drop(self, row: int) -> None:
        """The event lives no more."""
        self.alive[row] = False
        for term in self._terms[row]:
            self._postings[term].pop(row, None)
        self._terms[row] = {}

    def told(self, rows: Rows) -> NDArray[np.bool_]:
        """Which events have a sum of vectors."""
        answer: NDArray[np.bool_] = self._told[rows] > 0
        return answer

    def joining(self, one: Told, vector: Floats, rows: Rows) -> Numbers:
        """(n, 11): how a story stands to these events; columns as nlp.likeness.JOIN names them."""
        own = vector - self._mean
        away = max(float(np.linalg.norm(own)), 1e-9)
        own /= away
        told, stories = self._told[rows], self._stories[rows]
        dots = self._vectors[rows] @ own - told * float(self._mean @ own)
        near = dots / self._norm[rows]
        hot = self._pulse[rows] * np.exp(
            -np.maximum(one.at_s - self._pulse_at[rows], 0) / HOUR_S / PULSE_H
        )
        usual = np.maximum(self._usual.per_hour(one.at_s) * PULSE_H - hot * PULSE_H / USUAL_H, 0)
        burst = np.where(stories > 1, np.log((hot + 0.5) / (usual + 0.5)), np.log(0.5))
        return np.stack(
            [near, near * np.log(stories), self.terms_alike(one.terms, rows),
             np.log1p(np.maximum(one.at_s - self._last[rows], 0) / HOUR_S), stories == 1,
             np.abs(one.negative - self._negative[rows] / stories), burst,
             np.log1p(np.clip((one.at_s - self._first[rows]) / HOUR_S, YOUNG_H, ACTIVE_S / HOUR_S)),
             np.full(len(rows), np.log(max(away, LEAST_AWAY))), near * np.log(max(away, LEAST_AWAY)),
             _standing_out(near)],
            axis=1,
        )  # fmt: skip

    def merging(self, row: int, rows: Rows) -> Numbers:
        """(n, 8): how an event stands to these; columns as nlp.likeness.MERGE names them."""
        told, stories = self._told[rows], self._stories[rows]
        own, mean = self._vectors[row] - self._told[row] * self._mean, self._mean
        dots = self._vectors[rows] @ own - told * float(mean @ own)
        near = dots / (self._norm[rows] * self._norm[row])
        spread = np.sqrt(self._length[rows] * self._length[row])
        first, last = self._first[rows], self._last[rows]
        gap = np.maximum(first, self._first[row]) - np.minimum(last, self._last[row])
        begun = np.abs(first - self._first[row]) / HOUR_S
        few, many = np.minimum(stories, self._stories[row]), np.maximum(stories, self._stories[row])
        against = np.abs(self._negative[rows] / stories - self._negative[row] / self._stories[row])
        return np.stack(
            [near, dots / (told * self._told[row]) / spread,
             self.terms_alike(self._terms[row], rows),
             np.log1p(np.maximum(gap, 0) / HOUR_S), np.log1p(np.clip(begun, YOUNG_H, ACTIVE_S / HOUR_S)),
             np.log(few), np.log(many), against],
            axis=1,
        )  # fmt: skip

    def terms_alike(self, terms: Mapping[str, float], rows: Rows) -> Numbers:
        """Cosine of terms of norm 1 with those of each event's stars together."""
        alike = np.zeros(len(self.events))
        for term, weight in terms.items():
            held = self._postings.get(term)
            if held:
                alike[list(held)] += weight * np.fromiter(held.values(), np.float64, len(held))
        answer: Numbers = alike[rows]
        return answer

    def sum(self, row: int) -> Sum:
        """What is kept of an event."""
        return Sum(
            self._vectors[row].tobytes(), int(self._told[row]), round(float(self._negative[row]), 4),
            round(float(self._pulse[row]), 6), int(self._pulse_at[row]),
        )  # fmt: skip

    def usual(self) -> Standing:
        """What is kept of the brand."""
        return self._usual.kept()

    def stories(self, row: int) -> int:
        """How many stories the event has."""
        return int(self._stories[row])

    def _append(self, event: Event, held: Sum | None) -> int:
        row = len(self.events)
        if row == len(self.alive):
            self._grow(max(64, row))
        self.events.append(event)
        self.row_of[event.id] = row
        self._terms.append({})
        self.alive[row] = True
        self._first[row], self._last[row] = event.first_at_s, event.last_at_s
        self._stories[row] = max(event.stories, 1)
        self._told[row] = self._negative[row] = self._pulse[row] = 0
        self._pulse_at[row] = event.last_at_s
        if held is not None:
            self._vectors[row] = np.frombuffer(held.total, np.float32)
            self._told[row], self._negative[row] = held.told, held.negative
            self._pulse[row], self._pulse_at[row] = held.pulse, held.pulse_at_s
        self.starred(row)
        return row

    def _grow(self, by: int) -> None:
        self.alive = np.concatenate([self.alive, np.zeros(by, np.bool_)])
        self._vectors = np.concatenate([self._vectors, np.zeros((by, WIDTH), np.float32)])
        self._table = np.concatenate([self._table, np.zeros((by, 9))])
        (self._told, self._stories, self._first, self._last, self._negative, self._pulse,
         self._pulse_at, self._norm, self._length) = self._table.T  # fmt: skip

    def _add(self, row: int, one: Told) -> None:
        event = self.events[row]
        event.stories += 1
        self._stories[row] = event.stories
        self._negative[row] += one.negative
        if one.vector is not None:
            vector = unit(one.vector)
            self._vectors[row] += vector
            self._told[row] += 1
            # a crisis of a thousand stories must not become what is usual: each counts less
            if self._usual.add(vector, 1 / self._told[row], one.at_s):
                self._centre()
            self._summed(row)

    def _centre(self) -> None:
        self._mean = mean = self._usual.mean()
        size = len(self.events)
        totals, told = self._vectors[:size], self._told[:size]
        away = np.linalg.norm(totals - told[:, None].astype(np.float32) * mean, axis=1)
        self._norm[:size] = np.maximum(away, 1e-6)
        square = 1 + float(mean @ mean) - 2 * (totals @ mean) / np.maximum(told, 1)
        self._length[:size] = np.maximum(square, 1e-3)

    def _summed(self, row: int) -> None:
        """Length of an event's sum after the mean was taken off, mean squared length of its stories."""
        told, total, mean = self._told[row], self._vectors[row], self._mean
        self._norm[row] = max(float(np.linalg.norm(total - told * mean)), 1e-6)
        square = 1 + float(mean @ mean) - 2 * float(total @ mean) / max(told, 1)
        self._length[row] = max(square, 1e-3)


def _standing_out(near: Numbers) -> Numbers:
    """How far each lies above the others, in standard deviations; nothing among few."""
    if len(near) <= FEW:
        return np.zeros(len(near))
    answer: Numbers = (near - near.mean()) / (near.std() + LEAST_SPREAD)
    return answer


def star_terms(stars: Sequence[Star]) -> dict[str, float]:
    """Terms of several stars together, norm 1."""
    total: dict[str, float] = {}
    for star in stars:
        for term, weight in star.terms.items():
            total[term] = total.get(term, 0.0) + weight
    return normal(total)
