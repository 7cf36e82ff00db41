"""Item → Post: the one place where what a page shows becomes a record.

In:  an Item, its card, the key of pseudonyms, the moments and ids of the run.
Out: a Post. Native author ids end here; a name is kept for verified organisations only.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from crawlers.pages.page import Item
from keqing.privacy import pseudonym
from keqing.records import Author, Engagement, Kind, Post, Precision
from keqing.settings import SourceCard

BACKFILL_AGE_S = 86400
LONGEST_ID = 512
ORGANISATIONS = range(1, 8)  # weibo verified_type: government, company, media, school …


@dataclass(frozen=True)
class Origin:
    """What all posts of one page share."""

    card: SourceCard
    key: bytes
    now: datetime
    run_id: str
    first_walk: bool
    evidence: str | None = None


def post_id(item: Item, platform: str) -> str:
    """`<platform>:<native id>`; rows without an id are named by author, time and words."""
    native = item.native_id
    if not native:
        said = "\0".join(str(v) for v in (item.author_id, item.created_raw, item.title, item.text))
        native = hashlib.sha256(said.encode()).hexdigest()[:16]
    elif item.kind == Kind.COMMENT and platform == "weibo":
        native = f"comment/{native.removeprefix('comment/')}"
    named = f"{platform}:{native}"
    if len(named) > LONGEST_ID:  # cut, two long addresses of one site would be one post
        named = f"{platform}:{hashlib.sha256(native.encode()).hexdigest()}"
    return named


def text_hash(item: Item) -> str:
    """Changes when the words change, or when the interactions double: then a new snapshot lands."""
    reach = sum(n or 0 for n in (item.likes, item.comments, item.reposts)).bit_length()
    return hashlib.sha256(f"{item.title}\0{item.text}\0{reach}".encode()).hexdigest()


def post_of(item: Item, origin: Origin, first_seen_at: datetime) -> Post:
    """The Post of an item as it stands on the page now."""
    card, at = origin.card, item.created_at
    old = at is None or (origin.now - at).total_seconds() > BACKFILL_AGE_S
    return Post(
        id=post_id(item, card.platform),
        platform=card.platform,
        source=card.name,
        channel=card.channel,
        kind=_kind(item),
        url=item.url,
        parent_id=_other(item, card.platform, item.parent_id),
        thread_id=_named(card.platform, item.thread_id),
        repost_of=_named(card.platform, item.repost_of),
        floor=item.floor,
        item=item.item,
        author=_author(item, origin),
        text=item.text,
        title=item.title,
        quoted=item.quoted,
        rating=item.rating,
        region=item.region,
        engagement=_engagement(item),
        published_at=at,
        published_precision=Precision(item.created_precision) if at else Precision.UNKNOWN,
        published_raw=item.created_raw,
        first_seen_at=first_seen_at,
        collected_at=origin.now,
        backfill=origin.first_walk and old,
        flags=item.flags + (("truncated",) if item.truncated else ()),
        evidence=origin.evidence,
        run_id=origin.run_id,
    )


def _kind(item: Item) -> Kind:
    return Kind.REPOST if item.repost_of and item.kind == "post" else Kind(item.kind)


def _author(item: Item, origin: Origin) -> Author:
    card = origin.card
    organisation = item.verified and item.verified_type in ORGANISATIONS
    name = item.author_name if organisation else None
    native = item.author_id or item.author_name
    if item.kind == Kind.ARTICLE:  # the voice of an article is its medium
        name, native = card.publisher or card.title, native or card.name
    return Author(
        id=pseudonym(card.platform, native, origin.key),
        name=name,
        followers=item.followers,
        verified=item.verified,
        verified_type=item.verified_type,
    )


def _engagement(item: Item) -> Engagement:
    return Engagement(
        likes=item.likes,
        comments=item.comments,
        reposts=item.reposts,
        views=item.views,
        rounded=item.rounded,
        at_least=item.at_least,
    )


def _other(item: Item, platform: str, native: str | None) -> str | None:
    """A parent comment is a comment; the parent of a first-level one is the thread itself."""
    comment = platform == "weibo" and item.kind == "comment" and native != item.thread_id
    return _named(
        platform, f"comment/{native.removeprefix('comment/')}" if native and comment else native
    )


def _named(platform: str, native: str | None) -> str | None:
    return f"{platform}:{native}" if native else None
