"""How grave an incident is: six parts, the hype gate, floors and caps, the level.

In:  SeverityPosts of one incident, and what the brand's history says (None where there is none).
Out: a Severity: parts that sum to the raw score, the gate, the gated score, named rules, level.

Heat, influence and spread use only non-positive posts and speed only negative ones, so one more
negative post never lowers the score and more praise never raises it. A part without history takes
a middle value and says so (`neutral=True`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keqing.records import Level, Part, Polarity

VERSION = "2026-11"
WEIGHTS = {
    "heat": 0.20,
    "speed": 0.25,
    "sensitivity": 0.15,
    "negativity": 0.20,
    "influence": 0.10,
    "spread": 0.10,
}
CUTS = ((80.0, Level.RED), (65.0, Level.ORANGE), (50.0, Level.YELLOW))
LOWEST = 30.0
# Severity classes as nlp names them, with the danger of each; media feeds spread, not danger.
DANGER = {
    "伤亡": 100.0,
    "人身安全": 100.0,
    "食品安全": 90.0,
    "未成年人": 90.0,
    "违法": 85.0,
    "监管": 85.0,
    "歧视": 80.0,
    "隐私": 75.0,
    "维权": 70.0,
    "劳资": 60.0,
    "媒体介入": 60.0,
    "质量": 50.0,
    "服务": 30.0,
}
UNKNOWN_DANGER = 50.0
SAFETY = ("伤亡", "人身安全", "食品安全")
SURE = 0.8
NEUTRAL = 50.0
PRIOR_POSTS = 20.0
PRIOR_SHARE = 0.25  # negative share of a brand without history
HALF_LIFE_H = 6.0
MILLION = 1_000_000


class Rule(StrEnum):
    """Floors and caps that changed a level."""

    SAFETY_THREE = "safety_three"
    FEW_AUTHORS = "few_authors"
    DOCUMENT_THREE = "document_three"


@dataclass(frozen=True)
class SeverityPost:
    """What of a post counts here."""

    story: str
    author: str
    platform: str
    polarity: Polarity | None
    published_at: datetime
    likes: int = 0
    comments: int = 0
    reposts: int = 0
    followers: int = 0
    classes: tuple[tuple[str, float], ...] = ()  # (severity class, confidence)


@dataclass(frozen=True)
class History:
    """What the brand's past says; None where it is too young to say it.

    Args:
        heats: heat of past windows; the part is the share of them that had no more.
        tail: largest −log10 tail of the newest windows.
        negative_share: share of negative posts in the past 28 days.
    """

    heats: Sequence[float] | None = None
    tail: float | None = None
    negative_share: float | None = None


@dataclass(frozen=True)
class Severity:
    """The score and everything that explains it."""

    parts: tuple[Part, ...]
    raw: float
    gate: float
    score: float
    level: Level | None  # None: under blue
    rules: tuple[Rule, ...]
    authors: int


def severity(
    posts: Sequence[SeverityPost], history: History, now: datetime, document: bool = False
) -> Severity:
    """Score an incident's posts.

    Args:
        document: the incident stands on single posts: blue up to three authors, then yellow.
    """
    parts = _parts(posts, history, now)
    raw = sum(part.value * part.weight for part in parts)
    gate = min(1.0, max(0.2, (_value(parts, "negativity") - 25.0) / 25.0))
    score = gate * raw
    authors = len({p.author for p in posts if p.polarity is not Polarity.POSITIVE})
    level, rules = _rules(level_of(score), posts, authors, document)
    return Severity(parts, raw, gate, score, level, rules, authors)


def level_of(score: float) -> Level | None:
    """Level of a score 0..100: blue from 30, yellow 50, orange 65, red 80; None below."""
    if score < LOWEST:
        return None
    return next((level for cut, level in CUTS if score >= cut), Level.BLUE)


def heat_of(posts: Iterable[SeverityPost], now: datetime) -> float:
    """Interactions of non-positive stories, each fading with a half-life of six hours."""
    total = 0.0
    for post in posts:
        if post.polarity is not Polarity.POSITIVE:
            age_h = max(0.0, (now - post.published_at).total_seconds() / 3600)
            weight = 1 + post.reposts + 0.6 * post.comments + 0.2 * post.likes
            total += weight * 0.5 ** (age_h / HALF_LIFE_H)
    return math.log1p(total)


def _parts(posts: Sequence[SeverityPost], history: History, now: datetime) -> tuple[Part, ...]:
    against = [p for p in posts if p.polarity is not Polarity.POSITIVE]
    values: dict[str, float | None] = {
        "heat": _heat(against, history, now),
        "speed": None if history.tail is None else 100 * min(1.0, history.tail / 6),
        "sensitivity": _sensitivity(against),
        "negativity": _negativity(posts, history.negative_share),
        "influence": _influence(against),
        "spread": 100 * min(1.0, max(0, len({p.platform for p in against}) - 1) / 3),
    }
    guessed = {"negativity"} if history.negative_share is None else set()
    return tuple(
        Part(
            name=name,
            value=NEUTRAL if value is None else value,
            weight=WEIGHTS[name],
            neutral=value is None or name in guessed,
        )
        for name, value in values.items()
    )


def _heat(posts: Sequence[SeverityPost], history: History, now: datetime) -> float | None:
    if not history.heats:
        return None
    heat = heat_of(posts, now)
    return 100 * sum(past <= heat for past in history.heats) / len(history.heats)


def _sensitivity(posts: Iterable[SeverityPost]) -> float:
    return max(
        (DANGER.get(name, UNKNOWN_DANGER) * sure for p in posts for name, sure in p.classes),
        default=0.0,
    )


def _negativity(posts: Sequence[SeverityPost], share: float | None) -> float:
    prior = PRIOR_SHARE if share is None else share
    negative = sum(p.polarity is Polarity.NEGATIVE for p in posts)
    return 100 * (negative + PRIOR_POSTS * prior) / (len(posts) + PRIOR_POSTS)


def _influence(posts: Sequence[SeverityPost]) -> float:
    reach_of: dict[str, int] = {}
    for post in posts:
        reach_of[post.author] = max(post.followers, reach_of.get(post.author, 0))
    reach = sum(reach_of.values())
    base = 100 * min(1.0, math.log10(1 + reach) / 8)
    return min(100.0, base + (10.0 if any(p.followers >= MILLION for p in posts) else 0.0))


def _rules(
    level: Level | None, posts: Sequence[SeverityPost], authors: int, document: bool
) -> tuple[Level | None, tuple[Rule, ...]]:
    """Floors, then the cap; each one that changed the level is named."""
    rules: list[Rule] = []
    floors = [(Rule.SAFETY_THREE, _safety_authors(posts) >= 3)]
    if document:
        level = level or Level.BLUE
        floors.append((Rule.DOCUMENT_THREE, authors >= 3))
    for rule, holds in floors:
        if holds and (level is None or level.rank < Level.YELLOW.rank):
            level = Level.YELLOW
            rules.append(rule)
    if authors < 3 and level is not None and level.rank > Level.BLUE.rank:
        level = Level.BLUE
        rules.append(Rule.FEW_AUTHORS)
    return level, tuple(rules)


def _safety_authors(posts: Iterable[SeverityPost]) -> int:
    return len(
        {
            p.author
            for p in posts
            if p.polarity is Polarity.NEGATIVE
            and any(name in SAFETY and sure >= SURE for name, sure in p.classes)
        }
    )


def _value(parts: Iterable[Part], name: str) -> float:
    return next(part.value for part in parts if part.name == name)
