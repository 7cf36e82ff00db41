"""What a post is about: aspects, each with the clause that carries it and its polarity.

In:  Signs of a post, its polarity, which brand owns which words. Out: AspectHits in order of place,
one an aspect and clause. A word may bear its judgement (涨价); otherwise the opinions of its clause,
then of its sentence, then the post's polarity speak.
"""

from __future__ import annotations

from collections.abc import Callable

from keqing.records import AspectHit, Polarity
from nlp import opinion
from nlp.cues import Cue
from nlp.rules import Signs, fits

NONE = "none"  # a negative post about nothing in the list
THING = 0.1  # value of a term that only names a thing of the trade
Owner = Callable[[int], str | None]


def aspects(signs: Signs, polarity: Polarity, owner: Owner = lambda _: None) -> list[AspectHit]:
    """Aspects of the author's own words; `owner` tells which brand a place is about."""
    found: dict[tuple[str, int], AspectHit] = {}
    for cue, number in _telling(signs):
        key = cue.entry.name, number
        known = found.get(key)
        if not known or (known.polarity == Polarity.NEUTRAL and judges(cue)):
            found[key] = _hit(signs, cue, number, polarity, owner)
    return list(found.values())


def _telling(signs: Signs) -> list[tuple[Cue, int]]:
    """Cues with the number of their clause, in order; a mere thing gives way to what is judged.

    床单有异味 is about the smell, 屏幕 in another clause is where it happened; with praise or blame
    of its own and no word of judgement beside it a thing counts.
    """
    placed = [(cue, signs.clauses.at(cue.start)) for cue in signs.own("aspects")]
    fitting = [
        (cue, number)
        for cue, number in sorted(placed, key=lambda one: one[0].start)
        if fits(cue, signs.text, signs.clauses.words(number))
    ]
    bearing = {number for cue, number in fitting if cue.entry.value != THING}
    return [
        (cue, number)
        for cue, number in fitting
        if cue.entry.value != THING or (number not in bearing and _spoken_of(signs, number))
    ]


def _spoken_of(signs: Signs, number: int) -> bool:
    """Whether a clause holds praise or blame."""
    start, stop = signs.clauses.span(number)
    return any(start <= one.start < stop for one in signs.opinions)


def judges(cue: Cue) -> bool:
    """Whether a term says by itself that something is good or bad."""
    return abs(cue.entry.value) >= 1


def names(hits: list[AspectHit], polarity: Polarity, left_out: frozenset[str]) -> tuple[str, ...]:
    """Each aspect once, without those said of the brands `left_out`; `none` for blame about nothing."""
    kept = dict.fromkeys(hit.name for hit in hits if hit.brand not in left_out)
    if not hits and polarity == Polarity.NEGATIVE:
        return (NONE,)
    return tuple(kept)


def like(
    signs: Signs, number: int, name: str, words: str, polarity: Polarity, owner: Owner
) -> AspectHit:
    """A hit without a term: the words of a clause that is like others about this aspect."""
    return _placed(signs, number, name, words, polarity, owner(signs.clauses.span(number)[0]))


def _hit(signs: Signs, cue: Cue, number: int, polarity: Polarity, owner: Owner) -> AspectHit:
    felt = _felt(signs, cue, number, polarity)
    return _placed(signs, number, cue.entry.name, cue.entry.term, felt, owner(cue.start))


def _placed(
    signs: Signs, number: int, name: str, term: str, polarity: Polarity, brand: str | None
) -> AspectHit:
    start, stop = signs.clauses.span(number)
    in_title = start < signs.base
    shift = 0 if in_title else signs.base
    return AspectHit(
        name=name,
        term=term,
        where="title" if in_title else "text",
        start=start - shift,
        end=stop - shift,
        polarity=polarity,
        brand=brand,
    )


def _felt(signs: Signs, cue: Cue, number: int, polarity: Polarity) -> Polarity:
    if judges(cue):
        return sign(opinion.turned(cue.entry.value, cue.start, cue.end, signs.clauses))
    for start, stop in (signs.clauses.span(number), signs.clauses.sentence(number)):
        weight = opinion.weight(signs.opinions, start, stop)
        if weight:
            return sign(weight)
    return polarity


def sign(weight: float) -> Polarity:
    """Polarity of a sum of opinions."""
    if weight == 0:
        return Polarity.NEUTRAL
    return Polarity.POSITIVE if weight > 0 else Polarity.NEGATIVE
