"""Stories (same words) and voices (first post of an author in a story), over all batches.

In:  a transaction; call it inside the one that records the batch, so that a kill undoes both.
Out: story ids that a replay of the batch log gives again: a story is named by its first post.
"""

from __future__ import annotations

from sqlalchemy import Column, String, Table, select

from keqing.workflow.db import METADATA, Tx

STORIES = Table(
    "nlp_stories",
    METADATA,
    Column("fingerprint", String(32), primary_key=True),
    Column("story", String(512), nullable=False),
)
VOICES = Table(
    "nlp_voices",
    METADATA,
    Column("story", String(512), primary_key=True),
    Column("author", String(512), primary_key=True),
    Column("post_id", String(512), nullable=False),
)


def fold(tx: Tx, fingerprint: str, post_id: str) -> str:
    """The story of these words; the first post with them names it."""
    found = tx.execute(select(STORIES.c.story).where(STORIES.c.fingerprint == fingerprint)).scalar()
    if found is not None:
        return str(found)
    tx.execute(STORIES.insert().values(fingerprint=fingerprint, story=post_id))
    return post_id


def is_voice(tx: Tx, story: str, author: str, post_id: str) -> bool:
    """Whether this post is the author's first in the story, also when it is seen again."""
    mine = VOICES.c.story == story, VOICES.c.author == author
    found = tx.execute(select(VOICES.c.post_id).where(*mine)).scalar()
    if found is None:
        tx.execute(VOICES.insert().values(story=story, author=author, post_id=post_id))
        return True
    return bool(found == post_id)
