"""Stories (相似折叠): posts with the same words, or nearly, under the id of the first one processed.

In:  posts of one batch with what they say, a transaction. Out: each post's story, role and voice,
written in that transaction. A story is named by its first post in the order of processing, so an
earlier original that comes late changes no id. Equal letters fold for ever, near-copies for 7 days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import xxhash

from keqing.records import Kind, Post
from keqing.workflow import stories as kept
from keqing.workflow.db import Tx
from nlp import near
from nlp.facts import facts
from nlp.near import Telling
from nlp.said import Reading
from nlp.text import HASHTAG, letters, split, wording

# Of clauses with 4 letters half stand in another author's text too, with 7 an eighth, with 10 and
# more under 6 %, mostly names (open reviews and Weibo): 非常好吃 by two people is no copy.
FEWEST = 10
NAMED = ("title", "own", "quoted")  # a name in a hashtag or @ is no word of the text
Role = Literal["original", "repost", "copy"]


@dataclass(frozen=True)
class Place:
    """Where a post stands: its story, its part in it, and whether it is its author's first there."""

    story: str
    role: Role
    voice: bool


def fold(tx: Tx, batch_id: str, read: Sequence[tuple[Post, Reading]], now: datetime) -> list[Place]:
    """Places of the posts of one batch; call it once a batch, in the order of the batch log.

    The order inside the batch does not matter: posts are taken by time, then by name.
    """
    order = sorted(range(len(read)), key=lambda n: (_said_at(read[n][0]), read[n][0].id))
    placed = _folded(tx, batch_id, [read[n] for n in order], now)
    return [place for _, place in sorted(zip(order, placed, strict=True), key=lambda one: one[0])]


def _folded(
    tx: Tx, batch_id: str, read: Sequence[tuple[Post, Reading]], now: datetime
) -> list[Place]:
    kept.forget_texts(tx, now - near.WINDOW)
    words = [_words(post) for post, _ in read]
    named = _named(tx, batch_id, read, words, now)
    stories = _with_reposts(tx, [post for post, _ in read], named)
    voices = _voices(tx, [post for post, _ in read], stories)
    return [
        Place(story, _role(post, story), voice)
        for (post, _), story, voice in zip(read, stories, voices, strict=True)
    ]


def digest(letters_: str) -> str:
    """Name of a text's letters in the store of fingerprints."""
    return xxhash.xxh3_128_hexdigest(letters_.encode())


def _said_at(post: Post) -> datetime:
    return post.published_at or post.first_seen_at


def _words(post: Post) -> str:
    """Wording of a post; of a repost without words of its own what it repeats; "" if that is known by id."""
    text = split(post.text or "")
    if not text.bare:
        return wording(f"{post.title or ''} {post.text or ''}")
    return "" if post.repost_of else wording(text.quoted)


def _named(
    tx: Tx, batch_id: str, read: Sequence[tuple[Post, Reading]], words: Sequence[str], now: datetime
) -> list[str | None]:
    """Stories by words; None where there are too few to tell."""
    told = [letters(plain) for plain in words]
    digests = [digest(text) if len(text) >= FEWEST else None for text in told]
    first: dict[str, int] = {}
    for n, name in enumerate(digests):
        if name is not None:
            first.setdefault(name, n)
    story_of = kept.of_fingerprints(tx, first)
    new = {name: n for name, n in first.items() if name not in story_of}
    long = {name: n for name, n in new.items() if len(told[n]) >= near.FEWEST}
    tellings = [_telling(*read[n], words[n], told[n]) for n in long.values()]
    joined = near.join(
        tellings, kept.keys_since(tx, now - near.WINDOW), lambda ids: kept.texts(tx, ids)
    )
    fresh = {name: read[n][0].id for name, n in new.items()}
    fresh |= dict(zip(long, joined.stories, strict=True))
    kept.add_fingerprints(tx, fresh)
    kept.add_texts(tx, batch_id, now, joined.opened, joined.keys)
    story_of |= fresh
    return [None if name is None else story_of[name] for name in digests]


def _telling(post: Post, said: Reading, plain: str, told: str) -> Telling:
    untagged = letters(HASHTAG.sub(" ", plain)) if "#" in plain else told
    names = {f"{hit.brand}/{hit.entity}" for hit in said.matches.hits if hit.where in NAMED}
    return Telling(post.id, int(_said_at(post).timestamp()), told, facts(untagged, names))


def _with_reposts(tx: Tx, posts: Sequence[Post], named: Sequence[str | None]) -> list[str]:
    """Stories of all posts: a repost without words of its own stands where its original does."""
    story_of = {p.id: story for p, story in zip(posts, named, strict=True)}
    parent = {p.id: p.repost_of for p in posts if p.repost_of and split(p.text or "").bare}
    copies = [id_ for id_, story in story_of.items() if story not in (None, id_)]
    held = kept.of_posts(tx, {*copies, *parent, *parent.values()})
    for id_ in parent:
        origin, seen = id_, {id_}
        while (above := parent.get(origin)) is not None and above not in seen:
            origin = above
            seen.add(origin)
        story_of[id_] = story_of.get(origin) or held.get(origin, origin)
    stories = [story_of[post.id] or post.id for post in posts]
    new = {p.id: s for p, s in zip(posts, stories, strict=True) if s != p.id and p.id not in held}
    kept.add_posts(tx, new)
    return stories


def _voices(tx: Tx, posts: Sequence[Post], stories: Sequence[str]) -> list[bool]:
    """Whether each post is its author's first in the story, also when it is seen again."""
    keys = [(s, post.author.id or post.id) for s, post in zip(stories, posts, strict=True)]
    first = kept.voices(tx, set(keys))
    new: dict[kept.Voice, str] = {}
    for key, post in zip(keys, posts, strict=True):
        if key not in first:
            new.setdefault(key, post.id)
    kept.add_voices(tx, new)
    first |= new
    return [first[key] == post.id for key, post in zip(keys, posts, strict=True)]


def _role(post: Post, story: str) -> Role:
    if story == post.id:
        return "original"
    linked = post.kind is Kind.REPOST or post.repost_of or split(post.text or "").quoted
    return "repost" if linked else "copy"
