"""Incident and Notification: what is raised, with its frozen evidence, and what is sent of it."""

from __future__ import annotations

from enum import StrEnum

from keqing.records.base import Probability, Record, Utc
from keqing.records.mentions import Polarity
from keqing.records.posts import Engagement


class Level(StrEnum):
    """Alarm level, rising: 蓝 黄 橙 红."""

    BLUE = "blue"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"

    @property
    def rank(self) -> int:
        """0 for blue … 3 for red."""
        return list(Level).index(self)


class Evidence(Record):
    """A post frozen at alert time, readable after the original is gone."""

    post_id: str
    url: str | None
    source: str
    text: str
    title: str | None = None
    published_at: Utc | None
    first_seen_at: Utc
    polarity: Polarity | None
    p_negative: Probability
    severity: tuple[str, ...] = ()
    likely: tuple[str, ...] = ()  # of these, classes that it asserts only likely
    engagement: Engagement = Engagement()
    story: str
    raw_sha256: str | None = None


class Part(Record):
    """One part of the severity score: value 0..100, weight, and whether it is a neutral guess."""

    name: str
    value: float
    weight: float
    neutral: bool = False


class Incident(Record):
    """预警: a detected rise, or one post that is enough."""

    id: str
    brand: str
    scope: str  # "brand", "document:<class>", "blind:<source>"
    level: Level
    state: str = "open"
    reason: str  # stable code; words.toml has the sentence
    title: str
    started_at: Utc
    opened_at: Utc
    observed: float
    expected: float
    low: float
    high: float
    window_s: int
    score: float
    threshold: float
    severity: float
    parts: tuple[Part, ...] = ()
    floors: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    coverage: float = 1.0
    blind: tuple[str, ...] = ()
    rule_version: str
    plan_version: str
    revision: int = 1
    evidence_count: int = 0
    notice: int = 0


class Notification(Record):
    """One message to one receiver; `id` = `<incident>.<notice>.<receiver>` makes it idempotent."""

    id: str
    incident: str
    receiver: str
    channel: str
    reason: str
    payload: dict[str, object]
    content_hash: str
    created_at: Utc
