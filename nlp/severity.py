"""Severity classes that a post asserts: one post about an injury is an alarm without volume.

In:  cues of the kind `severity` in a flat text with its clauses. Out: the surest hit per class.
A term that is negated, denied, supposed, figurative, rehearsed, told in fiction, asked or only
heard of keeps a part of its confidence (lexicons/severity_context.tsv); which words a term needs
beside it and which take it away stand with the term (lexicons/severity.tsv).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache

from keqing.records import SeverityHit
from nlp.clauses import Clauses
from nlp.cues import Cue, scan
from nlp.lexicon import rows, words

PASSED_ON = 0.6
RIVAL = 0.3  # of a danger that words about a rival alone tell
LOOK_BACK = 10
_ASKED = re.compile(r"(?:吗|么)(?:[？?\s]|$)")
_RHETORIC = re.compile(r"难道|不是|凭什么|谁负责|恶不恶|可不")
_FILLERS = "任何|发现|发生|出现|检出|被|过|有|什么|再|存在|因此|造成|受到|收到|接到|要|会|这种|的|到|客人|约谈|喝出|吃出|喝到|吃到|见过|遇到|碰到|看到"
_TURNED = "但|却|导致|因为|结果|反而|所以|害得|害我"  # what ends the reach of a negation
# `before`: right before the term, up to three fillers between; `ahead`: anywhere before it.
_TAILS = {"before": f"{{}}(?:{_FILLERS}){{{{0,3}}}}$", "ahead": f"{{}}(?:(?!{_TURNED}).)*$"}
JOINED = 2  # characters between two dangers that one negation covers
Discount = Callable[[int], float]  # factor for what stands at a place


def severity(flat_text: str) -> tuple[SeverityHit, ...]:
    """Hits of a text by itself, surest first; equal ones by class name."""
    return asserted(scan(flat_text).get("severity", ()), Clauses(flat_text))


def asserted(
    cues: Iterable[Cue], clauses: Clauses, discount: Discount = lambda _: 1.0
) -> tuple[SeverityHit, ...]:
    """The surest hit of each class; `discount` lowers what is said of another."""
    surest: dict[str, SeverityHit] = {}
    before, factor = -JOINED - 1, 1.0
    for cue in sorted(cues, key=lambda cue: cue.start):
        if not _fits(cue, clauses):
            continue
        alone = factor_of(cue, clauses)
        joined = 0 <= cue.start - before <= JOINED  # 没有偷税漏税, 没人受伤或住院
        before, factor = cue.end, min(alone, factor) if joined else alone
        value = round(cue.entry.value * min(factor, discount(cue.start)), 3)
        name = cue.entry.name
        if name not in surest or value > surest[name].confidence:
            surest[name] = SeverityHit(name=name, term=cue.entry.term, confidence=value)
    return tuple(sorted(surest.values(), key=lambda hit: (-hit.confidence, hit.name)))


def repeated(hits: Sequence[SeverityHit]) -> tuple[SeverityHit, ...]:
    """Hits of words that a post only passes on: less sure than words of its own."""
    share = [
        hit.model_copy(update={"confidence": round(hit.confidence * PASSED_ON, 3)}) for hit in hits
    ]
    return tuple(share)


def factor_of(cue: Cue, clauses: Clauses) -> float:
    """How much of a danger is asserted: 1 for a plain statement."""
    number = clauses.at(cue.start)
    start, stop = clauses.span(number)
    first, last = clauses.sentence(number)
    near = max(start, cue.start - LOOK_BACK)
    places = {
        "before": (near, cue.start),
        "ahead": (start, cue.start),
        "clause": (start, stop),
        "sentence": (first, last),
        "previous": (first, start),
    }
    factor = _asked(clauses.text[cue.end : stop], clauses.text[start:stop])
    for where, place in places.items():
        words_there = clauses.text[slice(*place)]
        for value, classes, pattern in _contexts(where) if words_there else ():
            if value < factor and (not classes or cue.entry.name in classes):
                factor = value if pattern.search(words_there) else factor
    return factor


def _fits(cue: Cue, clauses: Clauses) -> bool:
    """Whether the words that a term needs are there, and none that takes it away."""
    entry = cue.entry
    if not entry.needs and not entry.blocks:
        return True
    number = clauses.at(cue.start)
    clause = clauses.words(number)
    if any(word in clause for word in entry.blocks):
        return False
    return not entry.needs or any(_beside(word, clause, number, clauses) for word in entry.needs)


def _beside(word: str, clause: str, number: int, clauses: Clauses) -> bool:
    """Whether a needed word is in the clause; one with `~` may stand in the sentence."""
    if word.startswith("~"):
        first, last = clauses.sentence(number)
        return clauses.text.find(word[1:], first, last) >= 0
    return word in clause


def _asked(after: str, clause: str) -> float:
    """A question asserts nothing, unless it is no real one (难道不该道歉吗)."""
    asked = _ASKED.search(after) is not None and not _RHETORIC.search(clause)
    return _factors()["question"] if asked else 1.0


@cache
def _factors() -> dict[str, float]:
    return {name: float(value) for name, value, _, _ in rows("severity_context.tsv")}


@cache
def _contexts(where: str) -> tuple[tuple[float, frozenset[str], re.Pattern[str]], ...]:
    """Factor, classes (none = all) and pattern of each line that looks there."""
    found = []
    for name, value, place, terms in rows("severity_context.tsv"):
        if place == where:
            either = "|".join(sorted(words(terms), key=len, reverse=True))
            pattern = re.compile(_TAILS.get(where, "{}").format(f"(?:{either})"))
            classes = frozenset(filter(None, name.partition("@")[2].split("、")))
            found.append((float(value), classes, pattern))
    return tuple(found)
