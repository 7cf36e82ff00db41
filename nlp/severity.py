"""Severity classes that a post asserts: one post about an injury is an alarm without volume.

In:  the words of a post, flat (nlp.text.flat). Out: the surest hit per class. A term that is
negated, supposed, figurative or part of a drill keeps a fifth of its confidence.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import ahocorasick

from keqing.records import SeverityHit
from nlp import lexicon

NOT_ASSERTED = 0.2
BEFORE, AFTER = 6, 4  # characters looked at on each side of a term
_CLAUSE_ENDS = "。！？!?；;，,\n"


def severity(flat_text: str) -> tuple[SeverityHit, ...]:
    """Hits, surest first; equal ones by class name."""
    surest: dict[str, SeverityHit] = {}
    for last, (name, term, confidence) in _terms().iter(flat_text):
        start = last + 1 - len(term)
        asserted = _asserted(flat_text, start, last + 1)
        value = confidence if asserted else round(confidence * NOT_ASSERTED, 3)
        if name not in surest or value > surest[name].confidence:
            surest[name] = SeverityHit(name=name, term=term, confidence=value)
    return tuple(sorted(surest.values(), key=lambda hit: (-hit.confidence, hit.name)))


def _asserted(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - BEFORE) : start]
    after = text[end : end + AFTER]
    cut = max((before.rfind(mark) for mark in _CLAUSE_ENDS), default=-1)
    before = before[cut + 1 :]
    contexts = _contexts()
    if any(word in text for word in contexts["fiction"]):
        return False
    if after[:2].rstrip().endswith(("吗", "么")):
        return False
    return not any(
        before.endswith(left) and after.startswith(right)
        for kind in ("negated", "hypothetical", "figurative")
        for left, _, right in (pattern.partition("T") for pattern in contexts[kind])
    )


@cache
def _contexts() -> dict[str, tuple[str, ...]]:
    return {kind: tuple(words.split()) for kind, words in lexicon.rows("severity_context.tsv")}


@cache
def _terms() -> Any:
    automaton = ahocorasick.Automaton()
    for name, confidence, terms in lexicon.rows("severity.tsv"):
        for term in terms.split():
            automaton.add_word(term, (name, term, float(confidence)))
    automaton.make_automaton()
    return automaton
