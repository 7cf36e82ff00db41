"""Post: one public utterance as it was collected, and what it holds."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from keqing.records.base import Record, Utc


class Channel(StrEnum):
    """Where a voice reached us."""

    PUBLIC = "public"
    CALL_CENTRE = "call_centre"
    PORTAL = "portal"
    SOCIAL = "social"
    SMS = "sms"
    STORE = "store"
    MANUAL = "manual"


class Kind(StrEnum):
    """What kind of utterance a Post is."""

    POST = "post"
    REPOST = "repost"
    COMMENT = "comment"
    REVIEW = "review"
    ARTICLE = "article"
    TICKET = "ticket"
    FORM = "form"
    SMS = "sms"
    NOTE = "note"


class Precision(StrEnum):
    """How exactly `published_at` is known."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    UNKNOWN = "unknown"


class Author(Record):
    """Who posted, without who they are: `id` is a keyed pseudonym, never the native id."""

    id: str | None = None
    name: str | None = None  # verified organisations only
    followers: int | None = None
    verified: bool = False
    verified_type: int | None = None


class Engagement(Record):
    """Counters at `collected_at`; None is unknown, which is not 0."""

    likes: int | None = None
    comments: int | None = None
    reposts: int | None = None
    views: int | None = None
    rounded: tuple[str, ...] = ()
    at_least: tuple[str, ...] = ()


class Post(Record):
    """One public utterance as it was collected."""

    id: str = Field(min_length=3, max_length=512)  # "<platform>:<native id>"
    platform: str
    source: str  # name of the card or import that brought it
    channel: Channel = Channel.PUBLIC
    kind: Kind = Kind.POST
    url: str | None = None
    parent_id: str | None = None
    thread_id: str | None = None
    repost_of: str | None = None
    floor: int | None = None
    item: str | None = None
    author: Author = Author()
    text: str | None = None
    title: str | None = None
    quoted: tuple[str, ...] = ()
    rating: float | None = None  # 1..5
    region: str | None = None
    engagement: Engagement = Engagement()
    published_at: Utc | None = None
    published_precision: Precision = Precision.UNKNOWN
    published_raw: str | None = None
    first_seen_at: Utc
    collected_at: Utc
    backfill: bool = False
    flags: tuple[str, ...] = ()
    via: str | None = None
    evidence: str | None = None  # sha256 of the raw body
    run_id: str
