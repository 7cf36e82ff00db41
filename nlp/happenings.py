"""Posts of a batch → their events: of which brand, in which thread, about what.

In:  posts with what they say and their stories, the plan's brands, a transaction. Out: an event per
post that is about a brand, None for others. Clustering is nlp.events' work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from keqing.records import Post, Precision
from keqing.settings import Brand
from keqing.workflow import spread
from keqing.workflow.db import Tx
from keqing.workflow.spread import Sighting
from nlp import likeness
from nlp.events import cluster
from nlp.likeness import Judge
from nlp.pool import Told
from nlp.said import Reading
from nlp.stories import Place
from nlp.telling import rarity, terms
from nlp.text import flat
from nlp.understand import Reader

COARSE = (Precision.DAY, Precision.MONTH, Precision.UNKNOWN)
Vectors = Mapping[str, bytes]  # int8 embedding of a post by its id; those missing go without


def events(
    tx: Tx,
    reader: Reader,
    brands: Mapping[str, Brand],
    read: Sequence[tuple[Post, Reading]],
    places: Sequence[Place],
    now: datetime,
    vectors: Vectors | None = None,
    judge: Judge = likeness.SHIPPED,
) -> list[str | None]:
    """Events of the posts of one batch; call it once a batch, after their stories are known."""
    subjects = [subject(said, brands) for _, said in read]
    stories = list(told(reader, brands, read, places, vectors or {}))
    found = cluster(tx, stories, int(now.timestamp()), judge)
    spread.add(tx, list(_sightings(read, places, subjects)))
    return [
        found.get((brand, place.story)) if brand else None
        for brand, place in zip(subjects, places, strict=True)
    ]


def told(
    reader: Reader,
    brands: Mapping[str, Brand],
    read: Sequence[tuple[Post, Reading]],
    places: Sequence[Place],
    vectors: Vectors,
) -> Iterator[Told]:
    """What nlp.events clusters: the posts of a batch that are about a brand."""
    rare = rarity(reader.parts.model.idf)
    names = {
        key: {flat(writing) for writing in (brand.name, *brand.aliases)}
        for key, brand in brands.items()
    }
    for (post, said), place in zip(read, places, strict=True):
        brand = subject(said, brands)
        if brand is None:
            continue
        at = post.published_at or post.first_seen_at
        yield Told(
            brand, place.story, post.id, int(at.timestamp()),
            terms(said, brand, names[brand], rare), threads(post), vectors.get(post.id),
            said.p[0],
        )  # fmt: skip


def subject(said: Reading, brands: Mapping[str, Brand]) -> str | None:
    """The brand that a post is about before others: most often named, ours before a rival, first."""
    counts = Counter(hit.brand for hit in said.matches.hits)
    ranked = sorted(counts, key=lambda brand: (-counts[brand], not brands[brand].ours))
    return ranked[0] if ranked else None


def threads(post: Post) -> tuple[str, ...]:
    """Its own thread, then what it answers or repeats; a first post is a thread of its own."""
    named = (post.thread_id or post.id, post.id, post.parent_id, post.repost_of)
    return tuple(dict.fromkeys(name for name in named if name))


def _sightings(
    read: Sequence[tuple[Post, Reading]], places: Sequence[Place], subjects: Sequence[str | None]
) -> Iterator[Sighting]:
    for (post, _), place, brand in zip(read, places, subjects, strict=True):
        if brand is not None:
            yield Sighting(
                brand, place.story, post.platform, int(said_at(post).timestamp()), post.id
            )


def said_at(post: Post) -> datetime:
    """When it was said; of a post that names no hour, when it was seen: else midnight was first."""
    if post.published_at is None or post.published_precision in COARSE:
        return post.first_seen_at
    return post.published_at
