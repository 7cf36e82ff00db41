"""What the index keeps of a Mention besides the terms it is found by, as plain values in fixed order.

In:  a Mention. Out: its content as a tuple and as bytes; from bytes, the object that pages are shown.
What moves without the post being another one (counters, collection time, run) is not content. The
order of FIELDS is the layout of stored bytes: a change raises INDEX_VERSION.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from keqing.records import Mention, utc_text

ASSERTED = 0.5  # confidence of a severity class from which a post is found under it
FIELDS = (
    "id", "source", "channel", "kind", "platform", "url", "author", "author_name", "title",
    "text", "published_at", "first_seen_at", "published_precision", "polarity", "p_negative",
    "brands", "topics", "aspects", "severity", "intent", "story", "region", "risk", "keywords",
    "evidence", "aspect_hits", "intents", "sarcasm", "rejected", "corrected", "versions", "stage",
    "thread_id", "flags", "verified", "author_role", "influence", "coordinated", "speaker",
    "event", "emotion", "voice", "backfill",
)  # fmt: skip
_AS_IT_IS = (
    "id", "source", "channel", "kind", "platform", "url", "author", "author_name", "title", "text",
    "published_precision", "polarity", "p_negative", "topics", "aspects", "intent", "story",
    "region", "risk", "keywords", "evidence",
)  # fmt: skip
_DETAIL = (
    "aspects", "intents", "sarcasm", "rejected", "corrected", "versions", "stage", "thread_id",
    "flags", "verified", "author_role", "influence", "coordinated", "speaker",
)  # fmt: skip
# Records go out as their fields: `__dict__` is what a dump of them would copy, at a tenth of the cost.
_ENCODER = msgspec.msgpack.Encoder(enc_hook=lambda record: record.__dict__)


def content(mention: Mention) -> tuple[Any, ...]:
    """The values of FIELDS; records stand in it as they are."""
    post = mention.post
    author = post.author
    return (
        post.id, post.source, post.channel, post.kind, post.platform, post.url, author.id,
        author.name, post.title, post.text, post.published_at or post.first_seen_at,
        post.first_seen_at, post.published_precision, mention.polarity, mention.p_negative,
        mention.brands, mention.topics, mention.aspects, mention.severity, mention.intent,
        mention.story, post.region, mention.risk, mention.keywords, post.evidence,
        mention.aspect_hits, mention.intents, mention.sarcasm, mention.rejected,
        mention.corrected, mention.versions, mention.stage, post.thread_id, post.flags,
        author.verified, mention.author_role, mention.influence, mention.coordinated,
        mention.speaker, mention.event, mention.emotion, mention.voice,
        post.backfill and post.published_at is None,
    )  # fmt: skip


def packed(mention: Mention) -> bytes:
    """The content as bytes: equal exactly when the content is."""
    return _ENCODER.encode(content(mention))


def digest(mention: Mention, body: bytes) -> bytes:
    """16 bytes that change exactly when the content, the tokens or the vector do."""
    found_by = _ENCODER.encode((mention.tokens, mention.title_tokens, mention.vector))
    return hashlib.blake2b(body + found_by, digest_size=16).digest()


def unpacked(body: bytes) -> dict[str, Any]:
    """The content by name; records have become dicts, times are aware and in UTC."""
    return dict(zip(FIELDS, msgspec.msgpack.decode(body), strict=True))


def shown(kept: dict[str, Any], collected_at: datetime) -> dict[str, Any]:
    """The object that pages are shown, as JSON holds it."""
    brands = kept["brands"]
    against = (hit["brand"] for hit in brands if hit["polarity"] == "negative")
    return {
        **{name: kept[name] for name in _AS_IT_IS},
        "published_at": utc_text(kept["published_at"]),
        "first_seen_at": utc_text(kept["first_seen_at"]),
        "collected_at": utc_text(collected_at),
        "brands": list(dict.fromkeys(hit["brand"] for hit in brands)),
        "negative_brands": list(dict.fromkeys(against)),
        "severity": severe(kept["severity"]),
        "detail": {
            **{name: kept[name] for name in _DETAIL},
            "aspects": kept["aspect_hits"],
            "severity": kept["severity"],
            "hits": brands,
            "corrected": [one | {"at": utc_text(one["at"])} for one in kept["corrected"]],
        },
    }


def severe(hits: list[dict[str, Any]]) -> list[str]:
    """Classes that the post rather asserts than not; 没有起火 is no fire, its reason is in `detail`."""
    return list(dict.fromkeys(hit["name"] for hit in hits if hit["confidence"] >= ASSERTED))
