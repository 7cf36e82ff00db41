"""What a post speaks of, by an editable taxonomy: 费用, 物流, 服务 …

In:  the taxonomy (lexicons/topics.tsv and the plan's `[topics]`), flat text.
Out: names of topics, the one with most words first. A plan's topic of the same name replaces the
shipped one; an empty list removes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import ahocorasick

from nlp import lexicon
from nlp.text import flat

MOST = 4


class Topics:
    """One taxonomy, ready to read."""

    def __init__(self, plan: Mapping[str, Sequence[str]]) -> None:
        taxonomy = shipped() | {name: tuple(map(flat, terms)) for name, terms in plan.items()}
        self.names = tuple(name for name, terms in taxonomy.items() if terms)
        self._words = ahocorasick.Automaton()
        for term, names in _by_term(taxonomy).items():
            self._words.add_word(term, (term, names))
        if self._words:
            self._words.make_automaton()

    def read(self, plain: str) -> tuple[str, ...]:
        """Topics of a flat text, at most MOST; ties in the order of the taxonomy."""
        if not self._words:
            return ()
        said = {found for _, found in self._words.iter(plain)}
        count = Counter(name for _, names in said for name in names)
        ranked = sorted(count, key=lambda name: (-count[name], self.names.index(name)))
        return tuple(ranked[:MOST])


def shipped() -> dict[str, tuple[str, ...]]:
    """The taxonomy of lexicons/topics.tsv."""
    return {name: lexicon.words(terms) for name, terms in lexicon.rows("topics.tsv")}


def _by_term(taxonomy: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """A term may belong to several topics."""
    held: dict[str, tuple[str, ...]] = {}
    for name, terms in taxonomy.items():
        for term in filter(None, terms):
            held[term] = (*held.get(term, ()), name)
    return held
