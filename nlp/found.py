"""What is found of one post on its way to a Reading: by lists, by models, by the heads.

In:  parts of one post. Out: Seen, Answer and Found, what of them the heads weigh, and what an advert
or sarcasm makes of an Answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from keqing.records import AspectHit, Polarity, SeverityHit
from nlp import cascade
from nlp.brands import Matches
from nlp.evidence import Evidence
from nlp.rules import Signs
from nlp.sarcasm import doubted
from nlp.towards import Towards, neutral

P = tuple[float, float, float]


@dataclass(frozen=True)
class Answer:
    """What the models say of one post."""

    polarity: Polarity
    stage: cascade.Stage
    p: P
    emotion: str
    complaint: float


@dataclass(frozen=True)
class Seen:
    """What lists and dictionaries find in one post, before any model."""

    whole: str  # title and text, as models read them
    signs: Signs
    towards: Towards
    sarcasm: tuple[str, ...]  # reasons
    tokens: list[str]
    title_tokens: list[str]
    hashtags: tuple[str, ...]
    topics: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What is found of one post beside its polarity: by the lists, then weighed by the heads."""

    aspects: list[AspectHit]
    wants: tuple[str, ...]
    severity: tuple[SeverityHit, ...]
    emotion: str = ""  # "" = as nlp/emotion.py says
    sarcasm: tuple[str, ...] = ()  # reasons


def evidence(seen: Seen, answer: Answer, found: Found) -> Evidence:
    """What the heads weigh of a post."""
    return Evidence(
        whole=seen.whole,
        signs=seen.signs,
        p=answer.p,
        complaint=answer.complaint,
        emotion=answer.emotion,
        wants=found.wants,
        aspects=tuple(found.aspects),
        severity=found.severity,
        sarcastic=bool(seen.sarcasm),
        brands=len({hit.brand for hit in seen.towards.matches.hits}),
    )


def settled(
    answer: Answer, matches: Matches, wants: Sequence[str], reasons: Sequence[str]
) -> tuple[Answer, Matches]:
    """An advert is never negative; praise that may be sarcastic is less sure."""
    if "广告" in wants and answer.polarity == Polarity.NEGATIVE:
        negative, rest, positive = answer.p
        calm = (0.0, round(negative + rest, 4), positive)
        return replace(answer, polarity=Polarity.NEUTRAL, p=calm), neutral(matches)
    if reasons and answer.polarity != Polarity.NEGATIVE and answer.stage == "linear":
        return replace(answer, p=doubted(answer.p)), matches
    return answer, matches
