"""What the index keeps of a Mention besides the terms it is found by, as plain values in fixed order.

In:  a Mention. Out: its content as bytes; from bytes, the object that pages are shown.
What moves without the post being another one (counters, collection time, run) is not content. The
order of FIELDS is the layout of stored bytes: a change raises INDEX_VERSION.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any

import msgspec

from keqing.records import Mention, utc_text

ASSERTED = 0.5  # confidence of a severity class from which a post is found under it
_POST = (
    "id", "source", "channel", "kind", "platform", "url", "title", "text", "published_at",
    "first_seen_at", "published_precision", "region", "evidence", "thread_id", "flags", "backfill",
)  # fmt: skip
_AUTHOR = ("id", "name", "verified")
_MENTION = (
    "polarity", "p_negative", "brands", "topics", "aspects", "severity", "intent", "story", "risk",
    "keywords", "aspect_hits", "intents", "sarcasm", "rejected", "corrected", "versions", "stage",
    "author_role", "influence", "coordinated", "speaker", "event", "emotion", "voice", "tokens",
    "title_tokens",
)  # fmt: skip
FIELDS = (*_POST, "author", "author_name", "verified", *_MENTION)
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
_of_post, _of_author, _of = itemgetter(*_POST), itemgetter(*_AUTHOR), itemgetter(*_MENTION)
_encode = msgspec.msgpack.Encoder(enc_hook=attrgetter("__dict__")).encode


def packed(mention: Mention) -> bytes:
    """The content as bytes: equal exactly when the content is."""
    said = mention.__dict__
    post = said["post"].__dict__
    return _encode(_of_post(post) + _of_author(post["author"].__dict__) + _of(said))


def digest(mention: Mention, body: bytes) -> bytes:
    """16 bytes that change exactly when the content or the vector, which is no content, does."""
    vector = mention.vector
    whole = body if vector is None else body + vector.encode()
    return hashlib.blake2b(whole, digest_size=16).digest()


def unpacked(body: bytes) -> dict[str, Any]:
    """The content by name; records have become dicts, times are aware and in UTC."""
    return dict(zip(FIELDS, msgspec.msgpack.decode(body), strict=True))


def shown(kept: dict[str, Any], collected_at: datetime) -> dict[str, Any]:
    """The object that pages are shown, as JSON holds it."""
    brands = kept["brands"]
    against = (hit["brand"] for hit in brands if hit["polarity"] == "negative")
    return {
        **{name: kept[name] for name in _AS_IT_IS},
        "published_at": utc_text(kept["published_at"] or kept["first_seen_at"]),
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
