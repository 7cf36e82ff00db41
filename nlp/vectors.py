"""Embeddings of the posts of a batch: those about a watched brand, equal texts read once.

In:  posts with their readings, an Embedder. Out: signed bytes by post id.
"""

from __future__ import annotations

from collections.abc import Sequence

from keqing.records import Post
from nlp.embed import Embedder, signed
from nlp.said import Reading
from nlp.text import split

CHUNK = 256


def of_posts(embedder: Embedder, read: Sequence[tuple[Post, Reading]]) -> dict[str, bytes]:
    """Vectors of posts about a brand that say something of their own.

    Raises:
        ModelError: the embedder refuses a text.
    """
    texts = {post.id: _words(post) for post, said in read if said.matches.hits}
    distinct = list(dict.fromkeys(filter(None, texts.values())))
    known: dict[str, bytes] = {}
    for at in range(0, len(distinct), CHUNK):
        part = distinct[at : at + CHUNK]
        known |= dict(zip(part, map(signed, embedder.vectors(part)), strict=True))
    return {id_: known[text] for id_, text in texts.items() if text and text in known}


def _words(post: Post) -> str:
    """Title and text; nothing of a repost without words of its own."""
    if split(post.text or "").bare and not post.title:
        return ""
    return f"{post.title or ''}\n{post.text or ''}".strip()
