"""Praise and blame of single words, turned around where they are negated.

In:  cues of the kinds `opinion` and `aspects`, a flat text in clauses. Out: Opinions in order of place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from nlp.clauses import Clauses
from nlp.cues import Cue
from nlp.lexicon import rows, words

JUDGES = 1.0  # least size of an aspect term's value that praises or blames by itself
LOOK_BACK = 10  # characters in which a negator and its fillers stand
DENIED_BLAME = 0.5  # 不难喝 praises half as much as 难喝 blames


class Opinion(NamedTuple):
    """A word that praises (weight > 0) or blames (< 0)."""

    start: int
    end: int
    weight: float


def opinions(cues: Sequence[Cue], clauses: Clauses, faults: Sequence[Cue] = ()) -> list[Opinion]:
    """What each opinion word says where it stands; `faults` are aspect terms that judge (异响, 涨价)."""
    said = [
        Opinion(cue.start, cue.end, turned(cue.entry.value, cue.start, cue.end, clauses))
        for cue in cues
        if cue.entry.value  # 0: a look-alike such as 差不多, which only covers the word within it
    ]
    if not faults:
        return said
    taken = [(cue.start, cue.end) for cue in cues]
    for cue in faults:
        if any(a < cue.end and cue.start < b for a, b in taken):
            continue
        taken.append((cue.start, cue.end))
        value = math.copysign(JUDGES, cue.entry.value)
        said.append(Opinion(cue.start, cue.end, turned(value, cue.start, cue.end, clauses)))
    return sorted(said)


def turned(weight: float, start: int, end: int, clauses: Clauses) -> float:
    """`weight` of the words at a place, the other way round if they are negated there."""
    begin, stop = clauses.span(clauses.at(start))
    if negated(clauses.text, max(begin, start - LOOK_BACK), start, end, stop):
        return -weight if weight > 0 else -weight * DENIED_BLAME
    return weight


def weight(held: Sequence[Opinion], start: int, stop: int) -> float:
    """Sum of the opinions within a place."""
    return sum(one.weight for one in held if start <= one.start < stop)


def negated(text: str, begin: int, start: int, end: int, stop: int) -> bool:
    """Whether a negator stands right before `text[start:end]` or a denial right behind it."""
    before = text[begin:start]
    turns = bool(before) and _before().search(before) is not None
    return turns != (_after().match(text[end:stop]) is not None)


@cache
def _lists() -> dict[str, tuple[str, ...]]:
    return {name: words(terms) for name, terms in rows("negation.tsv")}


@cache
def _before() -> re.Pattern[str]:
    """A negator and up to three fillers at the end; a look-alike takes its place first."""
    lists = {name: "|".join(sorted(held, key=len, reverse=True)) for name, held in _lists().items()}
    kept = "".join(
        f"(?<!{word[:i]}(?={re.escape(word[i:])}))" for word, i in _split(_lists()["kept"])
    )
    first = "".join(sorted({word[0] for word in _lists()["negator"]}))
    return re.compile(f"(?=[{first}]){kept}(?:{lists['negator']})(?:{lists['filler']}){{0,3}}$")


def _split(look_alikes: Sequence[str]) -> list[tuple[str, int]]:
    """Each look-alike at each place where a negator could start within it."""
    negators = _lists()["negator"]
    return [
        (word, at)
        for word in look_alikes
        for at in range(len(word))
        if any(word[at:].startswith(n) or n.startswith(word[at:]) for n in negators)
    ]


@cache
def _after() -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(_lists()['after'])})")
