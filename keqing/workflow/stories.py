"""Stories (same words) and voices (first post of an author in a story), over all batches.

In:  a transaction; call it inside the one that records the batch, so that a kill undoes both.
Out: what nlp.stories folds a batch against, in a few statements a batch. Rows come from recorded
batches alone, so that a replay of the batch log gives them again. Words stand here as hashes only.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    String,
    Table,
    Text,
    delete,
    select,
)

from keqing.workflow.db import METADATA, Tx
from keqing.workflow.many import among, parts

STORIES = Table(
    "nlp_stories",
    METADATA,
    Column("fingerprint", String(32), primary_key=True),
    Column("story", String(512), nullable=False),
)
MEMBERS = Table(  # posts whose story is named by another post
    "nlp_story_posts",
    METADATA,
    Column("post_id", String(512), primary_key=True),
    Column("story", String(512), nullable=False),
)
TEXTS = Table(  # representatives of the stories that near-copies may still join
    "nlp_story_texts",
    METADATA,
    Column("story", String(512), primary_key=True),
    Column("scored_at_s", BigInteger, nullable=False, index=True),
    Column("at_s", BigInteger, nullable=False),
    Column("grams", LargeBinary, nullable=False),
    Column("facts", LargeBinary, nullable=False),
)
KEYS = Table(  # one row a batch: the lookup keys of its stories, side by side
    "nlp_story_keys",
    METADATA,
    Column("batch_id", String(64), primary_key=True),
    Column("scored_at_s", BigInteger, nullable=False),
    Column("stories", Text, nullable=False),
    Column("keys", LargeBinary, nullable=False),
)
VOICES = Table(
    "nlp_voices",
    METADATA,
    Column("story", String(512), primary_key=True),
    Column("author", String(512), primary_key=True),
    Column("post_id", String(512), nullable=False),
)
Voice = tuple[str, str]  # story, author


@dataclass(frozen=True)
class StoryText:
    """A story's representative: when it was said (Unix time), its hashed 4-grams and facts."""

    story: str
    at_s: int
    grams: bytes
    facts: bytes


@dataclass(frozen=True)
class StoryKeys:
    """Lookup keys (nlp.minhash) of the stories that one batch opened, in this order."""

    stories: Sequence[str]
    keys: bytes


def of_fingerprints(tx: Tx, fingerprints: Collection[str]) -> dict[str, str]:
    """Stories of the fingerprints that are known."""
    return _pairs(tx, STORIES, STORIES.c.fingerprint, fingerprints)


def of_posts(tx: Tx, post_ids: Collection[str]) -> dict[str, str]:
    """Stories of those posts that are known as part of another post's story."""
    return _pairs(tx, MEMBERS, MEMBERS.c.post_id, post_ids)


def keys_since(tx: Tx, since: datetime) -> list[StoryKeys]:
    """Lookup keys of all batches scored at `since` or later, in the order of scoring."""
    query = select(KEYS).where(KEYS.c.scored_at_s >= int(since.timestamp()))
    rows = tx.execute(query.order_by(KEYS.c.scored_at_s, KEYS.c.batch_id))
    return [StoryKeys(json.loads(row.stories), row.keys) for row in rows]


def texts(tx: Tx, stories: Collection[str]) -> dict[str, StoryText]:
    """Representatives of these stories, of those that still have one."""
    found: dict[str, StoryText] = {}
    for part in parts(stories):
        for row in tx.execute(select(TEXTS).where(among(tx, TEXTS.c.story, part))):
            found[row.story] = StoryText(row.story, row.at_s, row.grams, row.facts)
    return found


def voices(tx: Tx, wanted: Collection[Voice]) -> dict[Voice, str]:
    """The first post of each of these authors in the story, where there is one."""
    found: dict[Voice, str] = {}
    for part in parts(wanted):
        query = select(VOICES).where(among(tx, (VOICES.c.story, VOICES.c.author), part))
        for row in tx.execute(query):
            found[row.story, row.author] = row.post_id
    return found


def add_fingerprints(tx: Tx, new: Mapping[str, str]) -> None:
    """Add fingerprints with their stories."""
    _insert(tx, STORIES, [{"fingerprint": f, "story": story} for f, story in new.items()])


def add_posts(tx: Tx, new: Mapping[str, str]) -> None:
    """Add posts of stories that another post names."""
    _insert(tx, MEMBERS, [{"post_id": post, "story": story} for post, story in new.items()])


def add_texts(
    tx: Tx, batch_id: str, scored_at: datetime, opened: Sequence[StoryText], keys: bytes
) -> None:
    """Add the stories that a batch opened, with their lookup keys in the same order.

    A story whose first post was edited is compared by its newest words.
    """
    if not opened:
        return
    moment = {"scored_at_s": int(scored_at.timestamp())}
    newest = {text.story: vars(text) | moment for text in opened}
    for part in parts(newest):
        tx.execute(delete(TEXTS).where(among(tx, TEXTS.c.story, part)))
    _insert(tx, TEXTS, list(newest.values()))
    names = json.dumps([text.story for text in opened], ensure_ascii=False)
    _insert(tx, KEYS, [moment | {"batch_id": batch_id, "stories": names, "keys": keys}])


def add_voices(tx: Tx, first: Mapping[Voice, str]) -> None:
    """Add authors' first posts in stories."""
    rows = [{"story": s, "author": a, "post_id": post} for (s, a), post in first.items()]
    _insert(tx, VOICES, rows)


def forget_texts(tx: Tx, before: datetime) -> None:
    """Drop what near-copies were compared with and no longer are; names and voices stay."""
    for table in (TEXTS, KEYS):
        tx.execute(delete(table).where(table.c.scored_at_s < int(before.timestamp())))


def forget_voices(tx: Tx, author: str | None, post_ids: Collection[str]) -> int:
    """Remove an author's voices, and those of these posts; how many there were.

    The stories stay: they hold hashes of texts, and a copy by another author goes on counting.
    """
    gone = tx.execute(delete(VOICES).where(VOICES.c.author == author)).rowcount if author else 0
    for part in parts(sorted(post_ids)):
        gone += tx.execute(delete(VOICES).where(among(tx, VOICES.c.post_id, part))).rowcount
    return gone


def _pairs(tx: Tx, table: Table, key: Column[Any], wanted: Collection[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in parts(wanted):
        for row in tx.execute(select(key, table.c.story).where(among(tx, key, part))):
            found[row[0]] = row.story
    return found


def _insert(tx: Tx, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        tx.execute(table.insert(), rows)
