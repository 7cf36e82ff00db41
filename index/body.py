"""What the index keeps of a Mention besides the terms it is found by, as plain values in fixed order.

In:  a Mention. Out: its content as bytes; from bytes, what pages are shown.
What moves without the post being another one (counters, collection time, run) is not content. The
order of FIELDS is the layout of stored bytes: a change raises the version of both engines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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
    "published_precision", "first_seen_at", "polarity", "p_negative", "intent", "story", "region",
    "risk", "evidence",
)  # fmt: skip
_DETAIL = (
    "aspects", "intents", "sarcasm", "rejected", "corrected", "versions", "stage", "thread_id",
    "flags", "verified", "author_role", "influence", "coordinated", "speaker",
)  # fmt: skip
# Records go out as their fields: `__dict__` is what a dump of them would copy, at a tenth of the cost.
_of_post, _of_author, _of = itemgetter(*_POST), itemgetter(*_AUTHOR), itemgetter(*_MENTION)
_as_it_is, _details = itemgetter(*_AS_IT_IS), itemgetter(*_DETAIL)
_encode = msgspec.msgpack.Encoder(enc_hook=attrgetter("__dict__")).encode


def packed(mention: Mention) -> bytes:
    """The content as bytes: equal exactly when the content is."""
    said = mention.__dict__
    post = said["post"].__dict__
    return packed_of(said, post, post["author"].__dict__)


def packed_of(said: dict[str, Any], post: dict[str, Any], author: dict[str, Any]) -> bytes:
    """The same of the fields of a Mention, its post and its author, for who has them at hand."""
    return _encode(_of_post(post) + _of_author(author) + _of(said))


def digest(mention: Mention, body: bytes) -> bytes:
    """16 bytes that change exactly when the content or the vector, which is no content, does."""
    vector = mention.vector
    whole = body if vector is None else body + vector.encode()
    return hashlib.blake2b(whole, digest_size=16).digest()


def unpacked(body: bytes) -> dict[str, Any]:
    """The content by name; records have become dicts, times are aware and in UTC."""
    return content(msgspec.msgpack.decode(body))


def content(values: Sequence[Any]) -> dict[str, Any]:
    """Values in the order of FIELDS by their names."""
    return dict(zip(FIELDS, values, strict=True))


def shown(kept: dict[str, Any], collected_at: datetime) -> dict[str, Any]:
    """What a Hit says, but for counters and marks."""
    brands = kept["brands"]
    against = [hit["brand"] for hit in brands if hit["polarity"] == "negative"]
    return {
        **dict(zip(_AS_IT_IS, _as_it_is(kept), strict=True)),
        "published_at": kept["published_at"] or kept["first_seen_at"],
        "collected_at": collected_at,
        "topics": tuple(kept["topics"]),
        "aspects": tuple(kept["aspects"]),
        "keywords": tuple(kept["keywords"]),
        "brands": tuple(dict.fromkeys([hit["brand"] for hit in brands])),
        "negative_brands": tuple(dict.fromkeys(against)),
        "severity": severe(kept["severity"]),
        "detail": {
            **dict(zip(_DETAIL, _details(kept), strict=True)),
            "aspects": kept["aspect_hits"],
            "severity": kept["severity"],
            "hits": brands,
            "corrected": [one | {"at": utc_text(one["at"])} for one in kept["corrected"]],
        },
    }


def severe(hits: list[dict[str, Any]]) -> tuple[str, ...]:
    """Classes that the post rather asserts than not; 没有起火 is no fire, its reason is in `detail`."""
    return tuple(dict.fromkeys([hit["name"] for hit in hits if hit["confidence"] >= ASSERTED]))
