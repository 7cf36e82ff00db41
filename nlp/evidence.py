"""What words and models found of a post, as numbers: what the heads (nlp/heads.py) weigh.

In:  Evidence of one post, before the heads. Out: `numbers`, one row of WIDTH features; `spoken`, the
clauses whose vectors go beside them. Nothing is decided here, and no vector is made.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from keqing.records import AspectHit, Polarity, SeverityHit
from nlp.intent import PRIORITY, outright
from nlp.linear import EMOTIONS
from nlp.rules import Signs

ASPECTS = (
    "承诺", "品质", "实用", "愉悦", "尊重", "价格", "物流", "售后", "门店", "安全", "隐私",
)  # fmt: skip
DANGERS = (
    "伤亡", "人身安全", "食品安全", "隐私", "违法", "监管", "维权", "歧视", "未成年人", "劳资", "媒体介入",
)  # fmt: skip
SIGNS = (Polarity.POSITIVE, Polarity.NEGATIVE, Polarity.NEUTRAL)
MARKS = " \t\n，,。.！!？?~；;、…"  # around the words of a clause
SEEN = ("?？", "!！", '“”"「', "0123456789", "[", "#")  # whether one of these is in the text
MOST = 8  # clauses that are looked at: what a post is about stands in its beginning
WIDTH = 2 * len(PRIORITY) + 4 + len(EMOTIONS) + 3 * len(ASPECTS) + len(DANGERS) + 6 + len(SEEN)


@dataclass(frozen=True)
class Evidence:
    """One post as the lists and both stages read it."""

    whole: str  # title and text, as models read them
    signs: Signs
    p: tuple[float, float, float]  # negative, neutral, positive
    complaint: float
    emotion: str
    wants: tuple[str, ...]
    aspects: tuple[AspectHit, ...]
    severity: tuple[SeverityHit, ...]
    sarcastic: bool
    brands: int  # of the plan, named in it


def numbers(one: Evidence) -> list[float]:
    """WIDTH features, all about as large as 1."""
    said = outright(one.signs)
    sure = {hit.name: hit.confidence for hit in one.severity}
    return [
        *(said.get(name, 0.0) / 2 for name in PRIORITY),
        *(float(name in one.wants) for name in PRIORITY),
        *(_logit(p) / 3 for p in (*one.p, one.complaint)),
        *(float(name == one.emotion) for name in EMOTIONS),
        *_held(one.aspects),
        *(sure.get(name, 0.0) for name in DANGERS),
        float(one.sarcastic),
        float(one.brands > 0),
        float(one.brands > 1),
        *_opinions(one.signs),
        len(one.signs.text) / 100,
        *(float(any(mark in one.signs.text for mark in marks)) for marks in SEEN),
    ]


def spoken(signs: Signs) -> list[tuple[int, str]]:
    """Number and bare words of the first clauses; the author's own where there are any."""
    clauses = signs.clauses
    bare = [(number, clauses.words(number).strip(MARKS)) for number in range(len(clauses))]
    full = [(number, words) for number, words in bare if words]
    own = [one for one in full if signs.is_own(clauses.span(one[0])[0])]
    return (own or full)[:MOST]


def _held(hits: tuple[AspectHit, ...]) -> Iterator[float]:
    there = {(hit.polarity, hit.name) for hit in hits}
    return (float((sign, name) in there) for sign in SIGNS for name in ASPECTS)


def _opinions(signs: Signs) -> tuple[float, float]:
    """Weight of praise and of blame in the author's own words."""
    weights = [one.weight for one in signs.own_opinions]
    praise, blame = sum(w for w in weights if w > 0), -sum(w for w in weights if w < 0)
    return min(3.0, praise) / 3, min(3.0, blame) / 3


def _logit(p: float) -> float:
    p = min(max(p, 1e-3), 1 - 1e-3)
    return math.log(p / (1 - p))
