"""Mention: a Post that has been understood, and what was found in it."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from keqing.records.base import Probability, Record, Utc
from keqing.records.posts import Post


class Polarity(StrEnum):
    """Feeling of a text."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class BrandHit(Record):
    """Why a post is about a brand; start and end are code points of the masked text."""

    brand: str
    entity: str
    alias: str
    start: int
    end: int
    where: Literal["title", "own", "quoted", "hashtag", "at"]
    reason: str
    clause: str = ""  # what decided: "alias", a context word, what was learned
    polarity: Polarity
    p: Probability


class Rejection(Record):
    """An alias that occurred but was not accepted, and why."""

    brand: str
    alias: str
    reason: str
    clause: str = ""  # the words that decided: the longer phrase, the word of the other sense


class SeverityHit(Record):
    """A severity class that a post asserts; confidence below 0.8 never alarms alone."""

    name: str
    term: str
    confidence: Probability


class AspectHit(Record):
    """An aspect and the clause that carries it; start and end are code points of the masked text."""

    name: str
    term: str
    where: Literal["title", "text"]
    start: int
    end: int
    polarity: Polarity
    brand: str | None = None  # whose clause: None = no one's or several's, "" = an unnamed rival's


class InfluencePart(Record):
    """One part of an author's influence: value 0..1, weight, and the points of 100 that it gives."""

    name: Literal["reach", "echo", "standing"]
    value: Probability
    weight: float
    points: float


class Sign(Record):
    """One reason for a suspicion and its points; `code` is stable."""

    code: str
    points: float


class Speaker(Record):
    """Who speaks and from where, as far as public signs tell: an estimate with reasons.

    Pseudonymous: nothing here says who a person is, and no private trait is derived.
    """

    role_confidence: Probability
    role_reasons: tuple[str, ...]
    influence: tuple[InfluencePart, ...]
    unknown: tuple[str, ...] = ()  # parts of the influence that were left out
    coordination: float = 0.0  # 0..100, sum of `signs`
    signs: tuple[Sign, ...] = ()
    region: str | None = None  # province or country
    place: str | None = None  # the finest place that the words name
    region_code: str | None = None  # GB/T 2260
    region_basis: Literal["store", "words", "ip", "stated"] | None = None


class Corrected(Record):
    """What a person said of one field; `model` is the model's own value, which stays beside."""

    field: str
    model: str
    to: str
    by: str
    at: Utc
    reason: str


class Versions(Record):
    """What produced the derived fields: what is read of one Post is the same under the same four."""

    model: str  # weights of every stage that was loaded, and what corrections taught
    dictionary: str  # words by which texts are cut, and learned senses of names
    rules: str = ""  # word lists and the code that reads them; "" before there was such a version
    plan: str


class Mention(Record):
    """A Post that has been understood."""

    post: Post  # text and title masked
    brands: tuple[BrandHit, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    polarity: Polarity | None = None
    p_negative: Probability = 0.0
    p_neutral: Probability = 0.0
    p_positive: Probability = 0.0
    stage: Literal["linear", "second", "degraded", "human", "none"] = "linear"
    intent: str | None = None  # the primary one of `intents`
    intents: tuple[str, ...] = ()
    emotion: str | None = None
    sarcasm: tuple[str, ...] = ()  # reasons why praise may be blame; never flips a polarity
    aspects: tuple[str, ...] = ()
    aspect_hits: tuple[AspectHit, ...] = ()
    severity: tuple[SeverityHit, ...] = ()
    topics: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    title_tokens: tuple[str, ...] = ()
    story: str
    story_role: Literal["original", "repost", "copy"] = "original"
    event: str | None = None
    vector: str | None = None  # of a story's first telling about us: 512 signed bytes, base64
    voice: bool = True  # first post of this author in this story
    author_role: str | None = None
    influence: float = 0.0
    coordinated: bool = False
    speaker: Speaker | None = None
    risk: float | None = None
    corrected: tuple[Corrected, ...] = ()  # never in the Mention files: laid over them when loaded
    versions: Versions
    scored_at: Utc
