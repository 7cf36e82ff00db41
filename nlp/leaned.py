"""What the heads make of a batch: of posts that name a brand, and that both stages could read.

In:  what lists and both stages found of each post. Out: the same lists, changed in place. Heads
that fail lose no post: it stays as it was, marked `degraded`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from keqing.errors import ModelError
from keqing.logs import get_logger
from nlp import aspects, weighed
from nlp.found import Answer, Found, Seen, evidence
from nlp.heads import Leaning
from nlp.parts import Parts
from nlp.towards import alike

log = get_logger(__name__)


def weigh(parts: Parts, seen: Sequence[Seen], answers: list[Answer], found: list[Found]) -> None:
    """Put in place what the heads make of the posts."""
    if parts.heads is None:
        return
    rows = [n for n, one in enumerate(seen) if _read_by_heads(one, answers[n])]
    try:
        leanings = parts.heads.weigh(
            [evidence(seen[n], answers[n], found[n]) for n in rows], weighed.needs_places
        )
    except ModelError as error:
        log.warning("heads failed", rows=len(rows), error=str(error)[:200])
        for n in rows:
            answers[n] = replace(answers[n], stage="degraded")
        return
    for n, leaning in zip(rows, leanings, strict=True):
        answers[n], found[n] = _leaned(parts, seen[n], answers[n], found[n], leaning)


def _read_by_heads(seen: Seen, answer: Answer) -> bool:
    return bool(seen.towards.matches.hits) and answer.stage != "degraded"


def _leaned(
    parts: Parts, seen: Seen, answer: Answer, found: Found, leaning: Leaning
) -> tuple[Answer, Found]:
    """Answer and findings of one post after its Leaning."""
    signs, towards = seen.signs, seen.towards
    polarity, p = weighed.polarity(answer.p, leaning)
    if not towards.shared:
        towards.matches = alike(towards.matches, polarity, max(p))
    said = aspects.aspects(signs, polarity, towards.owner)
    weighty = Found(
        weighed.aspects(signs, said, leaning, polarity, towards.owner),
        weighed.wants(leaning, p, found.wants),
        weighed.dangers(
            found.severity,
            leaning,
            lambda clause: parts.rivals.alone_at(towards, signs.clauses.span(clause)[0]),
        ),
        weighed.emotion(leaning, p),
        weighed.sarcasm(found.sarcasm, leaning),
    )
    return replace(answer, polarity=polarity, p=p), weighty
