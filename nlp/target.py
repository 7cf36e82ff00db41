"""What a post says of each brand it names: 竞品差、我们好 is praise for us.

In:  a flat text in clauses, the brands named in it with their places, its opinion words.
Out: Claims, one a brand: settled by a comparison frame (lexicons/frames.toml), or the brand's own
words, for the classifier. A clause belongs to the brand in it, else to the last one named, else to
the first. With one brand and no rival the document's polarity is the brand's.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from nlp import frames, opinion
from nlp.clauses import TURNS, Clauses
from nlp.opinion import Opinion

OTHER = ""  # a rival that the plan does not name: 竞品, 别家
_JOINED = re.compile(r"[\s和跟与、及或/&+]|还有|以及")
_AGAINST = re.compile(r"(?:比|跟|和|与|不如|没有|连|像|向|被|除了)$")
_TURN = re.compile(TURNS)
AFTER_TURN = 2.0  # 贵是贵，但好喝: what stands behind the turn weighs double


@dataclass(frozen=True)
class Named:
    """A brand, or OTHER, at its place."""

    start: int
    end: int
    brand: str


@dataclass(frozen=True)
class Claim:
    """What is said of one brand: `verdict` of a frame, or None and its own words to judge."""

    brand: str
    verdict: int | None
    words: str
    weight: float  # of the opinions in those words


@dataclass
class Owners:
    """Which brands each piece of a text is about."""

    starts: list[int] = field(default_factory=list)
    stops: list[int] = field(default_factory=list)
    brands: list[frozenset[str]] = field(default_factory=list)

    def at(self, place: int) -> frozenset[str]:
        """Brands that the words at a place are about."""
        number = bisect_right(self.starts, place) - 1
        return self.brands[number] if number >= 0 else frozenset()

    def add(self, start: int, stop: int, brands: frozenset[str]) -> None:
        """The next piece."""
        if stop > start:
            self.starts.append(start)
            self.stops.append(stop)
            self.brands.append(brands)


def named_in(text: str, hits: Sequence[Named]) -> list[Named]:
    """Brands and unnamed rivals in order of place; of overlapping ones the brand."""
    others = [Named(m.start(), m.end(), OTHER) for m in frames.others().finditer(text)]
    free = [o for o in others if not any(h.start < o.end and o.start < h.end for h in hits)]
    kept: list[Named] = []
    for one in sorted([*hits, *free], key=lambda n: (n.start, -n.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def owners(clauses: Clauses, named: Sequence[Named], held: Sequence[Opinion]) -> Owners:
    """The pieces of a text and the brands each is about."""
    answer, last = Owners(), frozenset({named[0].brand}) if named else frozenset()
    for number in range(len(clauses)):
        start, stop = clauses.span(number)
        inside = [one for one in named if start <= one.start < stop]
        for begin, end, brands in _pieces(clauses.text, start, stop, inside, held):
            if begin == start and _AGAINST.search(clauses.text, start, inside[0].start):
                brands |= last  # 但比B实在: the one spoken of is still the last one named
            answer.add(begin, end, brands)
            last = brands
        if not inside:
            answer.add(start, stop, last)
    return answer


def claims(
    clauses: Clauses, named: Sequence[Named], owned: Owners, held: Sequence[Opinion]
) -> list[Claim]:
    """One Claim for each named brand but OTHER, in order of first place."""
    verdicts = frames.verdicts(clauses.text, [(n.start, n.end, n.brand) for n in named])
    answer = []
    for brand in dict.fromkeys(one.brand for one in named if one.brand != OTHER):
        pieces = [
            (start, stop)
            for start, stop, brands in zip(owned.starts, owned.stops, owned.brands, strict=True)
            if brand in brands
        ]
        weight = sum(_weight(clauses.text, start, stop, held) for start, stop in pieces)
        spoken = "".join(clauses.text[start:stop] for start, stop in pieces)
        answer.append(Claim(brand, verdicts.get(brand), spoken, weight))
    return answer


def _weight(text: str, start: int, stop: int, held: Sequence[Opinion]) -> float:
    """Opinions of a piece; those behind a turning word weigh more."""
    value = opinion.weight(held, start, stop)
    return value * AFTER_TURN if _TURN.match(text, start, stop) else value


def _pieces(
    text: str, start: int, stop: int, inside: Sequence[Named], held: Sequence[Opinion]
) -> list[tuple[int, int, frozenset[str]]]:
    """A clause with several brands falls apart before each that is not joined to the one before."""
    pieces: list[tuple[int, int, frozenset[str]]] = []
    for before, one in zip([None, *inside], inside, strict=False):
        gap = text[before.end : one.start] if before else ""
        joined = before is not None and (
            before.brand == one.brand or not _JOINED.sub("", gap) or not _speaks(before, one, held)
        )
        if joined:
            begin, _, brands = pieces.pop()
            pieces.append((begin, stop, brands | {one.brand}))
        else:
            begin = one.start if before else start
            if pieces:
                pieces[-1] = (pieces[-1][0], begin, pieces[-1][2])
            pieces.append((begin, stop, frozenset({one.brand})))
    return pieces


def _speaks(before: Named, one: Named, held: Sequence[Opinion]) -> bool:
    """Whether something is said of a brand before the next one is named."""
    return any(before.end <= held_one.start < one.start for held_one in held)
