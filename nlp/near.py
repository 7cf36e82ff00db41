"""Near-copies: the story whose representative a text repeats, if there is one.

In:  Tellings in the order of processing; lookup keys and representatives of the last days' stories.
Out: per Telling the story it joins or opens, and what to remember of those that opened one. A text
is compared with representatives only, never with copies: chains of small changes lead nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import numpy as np

from keqing.workflow.stories import StoryKeys, StoryText
from nlp.facts import Facts, denials
from nlp.minhash import (
    KEYS,
    SIZE,
    Grams,
    Hashes,
    Keys,
    among,
    grams,
    inner_set,
    lookup_keys,
    rows_with,
    shared,
)

FEWEST = 12  # letters; shorter texts fold only when equal
JACCARD = 0.75
PART, PART_JACCARD = (
    0.95,
    0.6,
)  # so much of the smaller text stands in the other; both share so much
CUT = 0.5  # of a text that a cut leaves at least
TYPO = 4  # 4-grams that one letter stands in
KEY_HOLDS = 16  # stories tried under one key, the oldest ones: a flood of one template stays cheap
WINDOW = timedelta(days=7)
_WINDOW_S = int(WINDOW.total_seconds())


@dataclass(frozen=True)
class Telling:
    """One text: the post that names a story of it, when it was said (Unix time), its letters and facts."""

    post_id: str
    at_s: int
    letters: str
    facts: Facts


@dataclass(frozen=True)
class Joined:
    """Per Telling its story; of the opened ones text and lookup keys, in the same order."""

    stories: list[str]
    opened: list[StoryText]
    keys: bytes


class Rep:
    """A story's representative."""

    def __init__(self, story: str, at_s: int, sequence: Hashes, facts: Facts) -> None:
        self.story, self.at_s, self.sequence, self.facts = story, at_s, sequence, facts

    @cached_property
    def set(self) -> Hashes:
        """Its distinct 4-grams."""
        return inner_set(self.sequence)


def join(
    tellings: Sequence[Telling],
    known: Sequence[StoryKeys],
    texts: Callable[[Collection[str]], Mapping[str, StoryText]],
) -> Joined:
    """Fold Tellings of FEWEST letters or more into known stories and into each other."""
    letters = [telling.letters for telling in tellings]
    cut = grams(letters)
    keys = lookup_keys(letters, cut)
    reps, places = _candidates(known, keys, texts)
    worth = _met_twice(keys, places)
    met = np.any(worth, axis=1)
    stories: list[str] = []
    opened: list[int] = []
    for n, telling in enumerate(tellings):
        mine = keys[n, worth[n]].tolist() if met[n] else []
        near = sorted({at for key in mine for at in places.get(key, ())})
        rep = _best(telling, cut, n, [reps[at] for at in near])
        stories.append(rep.story if rep else telling.post_id)
        if rep is None:
            opened.append(n)
            _place(places, mine, len(reps))
            reps.append(Rep(telling.post_id, telling.at_s, cut.sequence(n), telling.facts))
    rows = [_text(tellings[n], cut, n) for n in opened]
    return Joined(stories, rows, keys[opened].astype("<u8").tobytes())


def alike(telling: Telling, sequence: Hashes, own: Hashes, rep: Rep) -> float:
    """How much a text shares with a representative, 0..1; 0 where it tells another story.

    Args:
        sequence: the text's 4-grams in order. own: its set of them.
    """
    if abs(telling.at_s - rep.at_s) > _WINDOW_S:
        return 0.0
    common = shared(own, rep.set)
    jaccard = common / (len(own) + len(rep.set) - common)
    part = jaccard >= PART_JACCARD and common >= PART * min(len(own), len(rep.set))
    if jaccard >= JACCARD or part or _typos(sequence, rep.sequence):
        if telling.facts == rep.facts:
            return jaccard
    return jaccard if _cut(telling, sequence, rep) else 0.0


def _cut(telling: Telling, sequence: Hashes, rep: Rep) -> bool:
    """Whether one text is the other's beginning; what follows in the newer one may deny nothing."""
    edge = SIZE - 1
    size = min(len(sequence), len(rep.sequence)) - edge
    if size < CUT * (max(len(sequence), len(rep.sequence)) - edge):
        return False
    if not np.array_equal(sequence[:size], rep.sequence[:size]):
        return False
    return not denials(telling.letters[size:])


def _typos(one: Hashes, other: Hashes) -> bool:
    """Whether one letter is another one, missing or too many, or two far apart are others.

    Two letters side by side are a word: another shop or dish makes another story of a short text.
    """
    if abs(len(one) - len(other)) > 1:
        return False
    size = min(len(one), len(other))
    differ = np.flatnonzero(one[:size] != other[:size])
    if not len(differ):
        return True
    begin = int(differ[0])
    end = int(np.flatnonzero(one[::-1][:size] != other[::-1][:size])[0])
    longest = max(len(one), len(other)) - begin - end
    if longest <= TYPO:
        return True
    return (
        len(one) == len(other) and longest > 2 * TYPO and len(differ) == 2 * TYPO
        and bool((differ[:TYPO] == begin + np.arange(TYPO)).all())
        and bool((differ[TYPO:] == differ[TYPO] + np.arange(TYPO)).all())
    )  # fmt: skip


def _best(telling: Telling, cut: Grams, n: int, near: Sequence[Rep]) -> Rep | None:
    """The most alike; of equal ones the oldest."""
    found = [
        (alike(telling, cut.sequence(n), cut.set(n), rep), -order, rep)
        for order, rep in enumerate(near)
    ]
    best = max(found, key=lambda each: each[:2], default=None)
    return best[2] if best and best[0] else None


def _place(places: dict[int, list[int]], keys: Sequence[int], at: int) -> None:
    for key in keys:
        held = places.setdefault(key, [])
        if len(held) < KEY_HOLDS:
            held.append(at)


def _candidates(
    known: Sequence[StoryKeys],
    keys: Keys,
    texts: Callable[[Collection[str]], Mapping[str, StoryText]],
) -> tuple[list[Rep], dict[int, list[int]]]:
    """Known stories that share a band key with a new text, and where each key leads."""
    old = [np.frombuffer(part.keys, "<u8").reshape(-1, KEYS) for part in known]
    table = np.concatenate(old) if old else np.zeros((0, KEYS), np.uint64)
    names = [name for part in known for name in part.stories]
    rows = rows_with(table, np.sort(keys.reshape(-1)))
    held = texts([names[row] for row in rows])
    reps: list[Rep] = []
    places: dict[int, list[int]] = {}
    for row in rows:
        if text := held.get(names[row]):
            _place(places, table[row].tolist(), len(reps))
            reps.append(_rep(text))
    return reps, places


def _met_twice(
    keys: Keys, places: Mapping[int, object]
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Which keys can lead anywhere: those that two texts have. Most texts have none, and cost nothing."""
    order = np.sort(keys.reshape(-1))
    twice = order[1:][order[1:] == order[:-1]]
    known = np.fromiter(places, np.uint64, len(places))
    return among(keys, np.sort(np.concatenate([twice, known])))


def _rep(text: StoryText) -> Rep:
    return Rep(text.story, text.at_s, np.frombuffer(text.grams, "<u4"), text.facts)


def _text(telling: Telling, cut: Grams, n: int) -> StoryText:
    return StoryText(
        telling.post_id,
        telling.at_s,
        cut.sequence(n).astype("<u4").tobytes(),
        telling.facts,
    )
