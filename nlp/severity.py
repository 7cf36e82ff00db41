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
PASSED_ON = 0.6
BEFORE, AFTER = 6, 4  # characters looked at on each side of a term
_SENTENCE_ENDS = "。！？!?\n"
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


def repeated(hits: tuple[SeverityHit, ...]) -> tuple[SeverityHit, ...]:
    """Hits of words that a post only passes on: less sure than words of its own."""
    share = [
        hit.model_copy(update={"confidence": round(hit.confidence * PASSED_ON, 3)}) for hit in hits
    ]
    return tuple(share)


def _asserted(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - BEFORE) : start]
    after = text[end : end + AFTER]
    cut = max((before.rfind(mark) for mark in _CLAUSE_ENDS), default=-1)
    before = before[cut + 1 :]
    contexts = _contexts()
    for kind, ends in (("drill", _SENTENCE_ENDS), ("fiction", _CLAUSE_ENDS)):
        if any(word in _around(text, start, end, ends) for word in contexts[kind]):
            return False
    if after[:2].rstrip().endswith(("吗", "么")):
        return False
    return not any(
        before.endswith(left) and after.startswith(right)
        for kind in ("negated", "hypothetical", "figurative")
        for left, _, right in (pattern.partition("T") for pattern in contexts[kind])
    )


def _around(text: str, start: int, end: int, ends: str) -> str:
    """The words around a term up to these marks: a film named elsewhere makes nothing here fiction."""
    begin = max(text.rfind(mark, 0, start) for mark in ends) + 1
    after = [at for mark in ends if (at := text.find(mark, end)) >= 0]
    return text[begin : min(after, default=len(text))]


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
