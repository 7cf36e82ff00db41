"""What all rules of the word lists read of a post, found once: words, clauses, opinions.

In:  title and text of a post (masked), the brands found in them. Out: Signs. Places count from the beginning of `text`, which
is title, line end, text; `own` marks what the author says without the quoted chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keqing.records import BrandHit
from nlp import patterns
from nlp.clauses import Clauses
from nlp.cues import Cue, Found, Scanner, shipped
from nlp.opinion import JUDGES, Opinion, opinions
from nlp.text import Words, flat, split


@dataclass(frozen=True)
class Signs:
    """The findings of one post; `base` is where its text begins behind the title."""

    text: str
    base: int
    words: Words
    found: Found
    clauses: Clauses
    opinions: list[Opinion]  # praise and blame, of quoted words too

    @property
    def own_opinions(self) -> list[Opinion]:
        """Praise and blame in the author's own words."""
        if not self._passes_on:
            return self.opinions
        return [one for one in self.opinions if self.is_own(one.start)]

    @property
    def _passes_on(self) -> bool:
        return bool(self.words.quoted or self.words.start)

    def is_own(self, place: int) -> bool:
        """Whether the author says this: title, or text before the chain and behind 回复@x."""
        at = place - self.base
        return at < 0 or self.words.start <= at < len(self.words.own)

    def own(self, kind: str) -> list[Cue]:
        """Cues of a kind in the author's own words."""
        cues = self.found.get(kind, [])
        if self._passes_on:
            return [cue for cue in cues if self.is_own(cue.start)]
        return cues

    def quoted(self, kind: str) -> list[Cue]:
        """Cues of a kind in the words that are passed on."""
        border = self.base + len(self.words.own)
        return [cue for cue in self.found.get(kind, ()) if cue.start >= border]


def signs(title: str, text: str) -> Signs:
    """Everything the rules need of one post."""
    return read(shipped(), flat(title), flat(text), split(text))


def read(
    scanner: Scanner, title: str, text: str, words: Words, hits: Sequence[BrandHit] = ()
) -> Signs:
    """The same from a flat title and text; words inside the name of a brand say nothing."""
    plain = f"{title}\n{text}" if title else text
    base = len(plain) - len(text)
    found = scanner.scan(plain)
    if hits:
        names = [place(hit, base) for hit in hits]
        found = {kind: _outside(cues, names) for kind, cues in found.items()}
    if more := patterns.aspects(plain):
        found["aspects"] = [*found.get("aspects", ()), *more]
    clauses = Clauses(plain)
    faults = [
        cue
        for cue in found.get("aspects", ())
        if abs(cue.entry.value) >= JUDGES and fits(cue, plain, _clause(clauses, cue))
    ]
    said = opinions(found.get("opinion", ()), clauses, faults)
    return Signs(plain, base, words, found, clauses, said)


def place(hit: BrandHit, base: int) -> tuple[int, int]:
    """Where a hit stands in title, line end, text."""
    shift = 0 if hit.where == "title" else base
    return hit.start + shift, hit.end + shift


def _clause(clauses: Clauses, cue: Cue) -> str:
    return clauses.words(clauses.at(cue.start)) if cue.entry.blocks else ""


def _outside(cues: Sequence[Cue], names: Sequence[tuple[int, int]]) -> list[Cue]:
    return [
        cue for cue in cues if not any(cue.start < end and start < cue.end for start, end in names)
    ]


def fits(cue: Cue, whole: str, clause: str) -> bool:
    """Whether one of the words that a cue needs is in `whole`, and none in `clause` that blocks it."""
    entry = cue.entry
    if entry.blocks and any(word in clause for word in entry.blocks):
        return False
    return not entry.needs or any(word in whole for word in entry.needs)
