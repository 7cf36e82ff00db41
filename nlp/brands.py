"""Which brands a post is about, and which look-alikes it is not about.

In:  brands of the plan; title and text of a post (masked); maybe a Judge that learned from labels.
Out: BrandHits with alias, place and the clause that decided, and Rejections, which stay visible: a
matcher that only drops looks like a broken crawler. Exclusions belong to one brand and never silence
another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import ahocorasick

from keqing.records import BrandHit, Polarity, Rejection
from keqing.settings import Brand
from nlp.around import Part, Span, Where, Word, parts, telling
from nlp.text import flat


class Outcome(StrEnum):
    """Why an alias counts or does not; the first that holds, in this order."""

    EXCLUDED_PHRASE = "EXCLUDED_PHRASE"  # a longer excluded phrase covers it
    INSIDE_WORD = "INSIDE_WORD"  # Latin alias within a longer Latin word
    NOT_CONTEXT = "NOT_CONTEXT"  # a word of the other sense near it, and none of ours
    NO_CONTEXT = "NO_CONTEXT"  # no context word though the brand needs one, or learned so
    ONLY_IN_BOILERPLATE = "ONLY_IN_BOILERPLATE"  # signature, row of hashtags, advert
    ACCEPTED = "accepted"


class Judge(Protocol):
    """What learned from labels which sense of a word is meant (nlp.relevance)."""

    def about(self, brand: str, part: Part, start: int, end: int, source: str) -> Verdict | None:
        """Whether the name there means the brand; None where it may not say."""


@dataclass(frozen=True)
class Verdict:
    """What a Judge says: whether the brand is meant, and how sure that is."""

    ours: bool
    p: float


@dataclass(frozen=True)
class Found:
    """One occurrence of a writing in one part of a post."""

    brand: str
    entity: str
    alias: str
    start: int
    end: int
    in_title: bool


@dataclass(frozen=True)
class Matches:
    """What a post's words name."""

    hits: tuple[BrandHit, ...]
    rejected: tuple[Rejection, ...]


@dataclass
class _Scan:
    """All that the automaton found in one post."""

    names: list[Found] = field(default_factory=list)
    covers: dict[tuple[str, bool], list[tuple[Span, str]]] = field(default_factory=dict)
    words: list[Word] = field(default_factory=list)

    def cover(self, at: Found) -> str:
        """The longest excluded phrase of its brand that covers a name; "" if none."""
        covers = [
            phrase
            for (start, end), phrase in self.covers.get((at.brand, at.in_title), ())
            if start <= at.start and at.end <= end
        ]
        return min(covers, key=lambda phrase: (-len(phrase), phrase), default="")

    def tagged(self, text: Part) -> frozenset[Word]:
        """Context words in hashtags of the text."""
        return frozenset(w for w in self.words if not w.in_title and text.in_tag(w.start))

    def of(self, brand: str, ours: bool) -> list[Word]:
        """Context words of a brand, of one sense."""
        return [word for word in self.words if word.brand == brand and word.ours == ours]


class Matcher:
    """All writings of all brands in one automaton; build it once a process."""

    def __init__(self, brands: Mapping[str, Brand], judge: Judge | None = None) -> None:
        self._brands, self._judge = dict(sorted(brands.items())), judge
        self._automaton: Any = ahocorasick.Automaton()
        payloads: dict[str, list[tuple[str, str, str, str]]] = {}
        for row in _writings(self._brands):
            payloads.setdefault(flat(row[3]), []).append(row)
        for word, rows in payloads.items():
            self._automaton.add_word(word, (len(word), rows))
        if payloads:
            self._automaton.make_automaton()

    def find(
        self,
        title: str | None,
        text: str | None,
        plain: tuple[str, str] | None = None,
        source: str = "",
    ) -> Matches:
        """Hits and rejections; polarity of a hit is neutral until target.py has spoken.

        Args:
            plain: title and text, flat, where they are known already.
            source: name of the source that brought the post, for the judge.
        """
        both = parts(title, text, plain)
        scan = _Scan()
        for part in both:
            self._scan(part, scan)
        if not scan.names:
            return Matches((), ())
        return self._sort(scan, both, source)

    def names(self, title: str | None, text: str | None) -> list[tuple[Found, Part]]:
        """Where writings stand that no exclusion and no longer word takes away, sense left open."""
        both, scan = parts(title, text, None), _Scan()
        for part in both:
            self._scan(part, scan)
        placed = ((at, both[0] if at.in_title else both[1]) for at in _longest(scan.names))
        return [
            (at, part)
            for at, part in placed
            if not scan.cover(at) and not part.latin_word(at.start, at.end)
        ]

    def _scan(self, part: Part, scan: _Scan) -> None:
        if not part.plain or not len(self._automaton):
            return
        for last, (size, rows) in self._automaton.iter(part.plain):
            start, end = last + 1 - size, last + 1
            for kind, brand, entity, word in rows:
                if kind == "alias":
                    scan.names.append(Found(brand, entity, word, start, end, part.in_title))
                elif kind == "exclude":
                    covers = scan.covers.setdefault((brand, part.in_title), [])
                    covers.append(((start, end), word))
                else:
                    ours = kind == "context"
                    scan.words.append(Word(brand, ours, word, start, end, part.in_title))

    def _sort(self, scan: _Scan, both: tuple[Part, Part], source: str) -> Matches:
        hits: list[BrandHit] = []
        rejected: dict[Rejection, None] = {}
        tagged = scan.tagged(both[1]) if scan.words else frozenset[Word]()
        for at in _longest(scan.names):
            part = both[0] if at.in_title else both[1]
            outcome, clause = self._outcome(at, part, scan, tagged, source)
            if outcome is Outcome.ACCEPTED:
                hits.append(_hit(at, part.where(at.start), clause))
            else:
                found = Rejection(brand=at.brand, alias=at.alias, reason=outcome, clause=clause)
                rejected[found] = None
        return Matches(tuple(hits), tuple(rejected))

    def _outcome(
        self, at: Found, part: Part, scan: _Scan, tagged: frozenset[Word], source: str
    ) -> tuple[Outcome, str]:
        """The first outcome that holds, and the words that made it hold."""
        if phrase := scan.cover(at):
            return Outcome.EXCLUDED_PHRASE, phrase
        if longer := part.latin_word(at.start, at.end):
            return Outcome.INSIDE_WORD, longer
        sense, clause = self._sense(at, part, scan, tagged, source)
        if sense is not Outcome.ACCEPTED:
            return sense, clause
        if boilerplate := part.boilerplate(at.start, at.end):
            return Outcome.ONLY_IN_BOILERPLATE, boilerplate
        return Outcome.ACCEPTED, clause

    def _sense(
        self, at: Found, part: Part, scan: _Scan, tagged: frozenset[Word], source: str
    ) -> tuple[Outcome, str]:
        """Which sense is meant: the plan's words first, then what was learned, then the default."""
        ours = telling(part, at.start, at.end, scan.of(at.brand, True), tagged)
        if ours:
            return Outcome.ACCEPTED, f"context: {ours}"
        if other := telling(part, at.start, at.end, scan.of(at.brand, False), tagged):
            return Outcome.NOT_CONTEXT, other
        said = self._judge and self._judge.about(at.brand, part, at.start, at.end, source)
        if said:
            outcome = Outcome.ACCEPTED if said.ours else Outcome.NO_CONTEXT
            return outcome, f"learned: {said.p:.2f}"
        if self._brands[at.brand].need_context:
            return Outcome.NO_CONTEXT, "need_context"
        return Outcome.ACCEPTED, "alias"


def _writings(brands: Mapping[str, Brand]) -> Iterator[tuple[str, str, str, str]]:
    for key, brand in brands.items():
        for alias in dict.fromkeys((brand.name, *brand.aliases)):
            yield "alias", key, brand.name, alias
        for product, writings in sorted(brand.products.items()):
            for writing in writings:
                yield "alias", key, product, writing
        for phrase in brand.exclude:
            yield "exclude", key, brand.name, phrase
        for word in brand.context:
            yield "context", key, brand.name, word
        for word in brand.not_context:
            yield "not_context", key, brand.name, word


def _longest(found: Sequence[Found]) -> list[Found]:
    """Of overlapping writings of one brand the longest; in order of place, whatever the plan's."""
    kept: list[Found] = []
    for at in sorted(found, key=lambda f: (f.start - f.end, f.start, f.entity, f.alias)):
        clash = any(
            other.brand == at.brand
            and other.in_title == at.in_title
            and at.start < other.end
            and other.start < at.end
            for other in kept
        )
        if not clash:
            kept.append(at)
    return sorted(kept, key=lambda f: (not f.in_title, f.start, f.brand))


def _hit(at: Found, where: Where, clause: str) -> BrandHit:
    return BrandHit(
        brand=at.brand, entity=at.entity, alias=at.alias, start=at.start, end=at.end, where=where,
        reason=Outcome.ACCEPTED, clause=clause, polarity=Polarity.NEUTRAL, p=0.0,
    )  # fmt: skip
