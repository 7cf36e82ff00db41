"""Which brands a post is about, and which look-alikes it is not about.

In:  brands of the plan; title and text of a post (masked).
Out: BrandHits with alias, place and reason, and Rejections, which stay visible: a matcher that
only drops looks like a broken crawler. Exclusions belong to one brand and never silence another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

import ahocorasick

from keqing.records import BrandHit, Polarity, Rejection
from keqing.settings import Brand
from nlp.text import AT, HASHTAG, flat, split

Where = Literal["title", "own", "quoted", "hashtag", "at"]
TAG_ROW = 6  # so many hashtags are a row for reach, not a subject


class Outcome(StrEnum):
    """Why an alias counts or does not; the first that holds, in this order."""

    EXCLUDED_PHRASE = "EXCLUDED_PHRASE"  # a longer excluded phrase covers it
    INSIDE_WORD = "INSIDE_WORD"  # Latin alias within a longer Latin word
    NOT_CONTEXT = "NOT_CONTEXT"  # a word of the other sense, and none of ours
    NO_CONTEXT = "NO_CONTEXT"  # the brand needs a context word and there is none
    ONLY_IN_BOILERPLATE = "ONLY_IN_BOILERPLATE"  # only in a row of hashtags
    ACCEPTED = "accepted"


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


class Matcher:
    """All writings of all brands in one automaton; build it once a process."""

    def __init__(self, brands: Mapping[str, Brand]) -> None:
        self._brands = dict(sorted(brands.items()))
        self._automaton: Any = ahocorasick.Automaton()
        payloads: dict[str, list[tuple[str, str, str, str]]] = {}
        for row in _writings(self._brands):
            payloads.setdefault(flat(row[3]), []).append(row)
        for word, rows in payloads.items():
            self._automaton.add_word(word, (len(word), rows))
        if payloads:
            self._automaton.make_automaton()

    def find(
        self, title: str | None, text: str | None, plain: tuple[str, str] | None = None
    ) -> Matches:
        """Hits and rejections; polarity of a hit is neutral until target.py has spoken.

        Args:
            plain: title and text, flat, where they are known already.
        """
        found: list[Found] = []
        covers: dict[tuple[str, bool], list[tuple[int, int]]] = {}
        context: set[tuple[str, str]] = set()
        parts = ((title or "", True), (text or "", False))
        plain = plain or (flat(title or ""), flat(text or ""))
        for part, in_title in zip(plain, (True, False), strict=True):
            for kind, at in self._scan(part, in_title):
                if kind == "alias":
                    found.append(at)
                elif kind == "exclude":
                    covers.setdefault((at.brand, in_title), []).append((at.start, at.end))
                else:
                    context.add((at.brand, kind))
        if not found:
            return Matches((), ())
        return self._sort(_longest(found), covers, context, parts)

    def _scan(self, plain: str, in_title: bool) -> Iterator[tuple[str, Found]]:
        if not plain or not len(self._automaton):
            return
        for last, (size, rows) in self._automaton.iter(plain):
            for kind, brand, entity, word in rows:
                yield kind, Found(brand, entity, word, last + 1 - size, last + 1, in_title)

    def _sort(
        self,
        found: Sequence[Found],
        covers: Mapping[tuple[str, bool], list[tuple[int, int]]],
        context: set[tuple[str, str]],
        parts: tuple[tuple[str, bool], tuple[str, bool]],
    ) -> Matches:
        hits: list[BrandHit] = []
        rejected: dict[Rejection, None] = {}
        places = {in_title: _Places(part) for part, in_title in parts}
        for at in found:
            place = places[at.in_title]
            where = "title" if at.in_title else place.of(at.start)
            inside = covers.get((at.brand, at.in_title), [])
            outcome = self._outcome(at, place, where, inside, context)
            if outcome is Outcome.ACCEPTED:
                hits.append(_hit(at, where))
            else:
                rejected[Rejection(brand=at.brand, alias=at.alias, reason=outcome)] = None
        return Matches(tuple(hits), tuple(rejected))

    def _outcome(
        self,
        at: Found,
        place: _Places,
        where: Where,
        covers: Sequence[tuple[int, int]],
        context: set[tuple[str, str]],
    ) -> Outcome:
        if any(start <= at.start and at.end <= end for start, end in covers):
            return Outcome.EXCLUDED_PHRASE
        if _inside_word(place.text, at):
            return Outcome.INSIDE_WORD
        ours = (at.brand, "context") in context
        if (at.brand, "not_context") in context and not ours:
            return Outcome.NOT_CONTEXT
        if self._brands[at.brand].need_context and not ours:
            return Outcome.NO_CONTEXT
        if where == "hashtag" and len(place.tags) >= TAG_ROW:
            return Outcome.ONLY_IN_BOILERPLATE
        return Outcome.ACCEPTED


class _Places:
    """Where in a text a position stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tags = [found.span() for found in HASHTAG.finditer(text)]
        self._ats = [found.span() for found in AT.finditer(text)]
        self._own = len(split(text).own)

    def of(self, at: int) -> Where:
        if any(start <= at < end for start, end in self._ats):
            return "at"
        if at >= self._own:
            return "quoted"
        if any(start <= at < end for start, end in self.tags):
            return "hashtag"
        return "own"


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
    """Of overlapping writings of one brand the longest; in order of place."""
    kept: list[Found] = []
    for at in sorted(found, key=lambda f: (f.start - f.end, f.start)):
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


def _inside_word(text: str, at: Found) -> bool:
    if not at.alias.isascii():
        return False
    before, after = text[at.start - 1 : at.start], text[at.end : at.end + 1]
    return _latin(before) or _latin(after)


def _latin(char: str) -> bool:
    plain = flat(char)
    return plain.isascii() and plain.isalnum()


def _hit(at: Found, where: Where) -> BrandHit:
    return BrandHit(
        brand=at.brand, entity=at.entity, alias=at.alias, start=at.start, end=at.end, where=where,
        reason=Outcome.ACCEPTED, polarity=Polarity.NEUTRAL, p=0.0,
    )  # fmt: skip
