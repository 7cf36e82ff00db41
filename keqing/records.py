"""The contracts between the stages: Post, Mention, Incident, Notification.

In:  values built at a border (page, file, search hit).
Out: frozen pydantic models that refuse unknown fields. Times are aware and in UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

Utc = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class Record(BaseModel):
    """Base of all records: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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


class Polarity(StrEnum):
    """Feeling of a text."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


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
    likely: tuple[str, ...] = ()  # of these, classes that no word asserts surely
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


def utc_text(moment: datetime) -> str:
    """ISO text in UTC with `Z`, the one written form of a time."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
