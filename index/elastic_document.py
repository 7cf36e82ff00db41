"""Document ⇄ what a search server stores.

In:  a Document, or a hit of a search. Out: the stored object with a stable `_id`, or an answer.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from index.answers import Hit
from index.ast import Node
from index.body import shown
from index.document import Document, tag_term, tie, to_hit
from index.elastic_content import FIELD, column, of_hit
from index.elastic_mapping import TAGS
from index.highlight import spans

LONGEST = 255  # UTF-16 units; the whitespace analyzer cuts a longer token in two
LONG = re.compile(rf"\S{{{LONGEST // 2 + 1}}}")
ODD = re.compile("['\"\0\\s]")


def document_id(post_id: str) -> str:
    """`_id` of a post: a hash, since an id may hold anything and `_id` ends in addresses."""
    return hashlib.blake2b(post_id.encode(), digest_size=20).hexdigest()


def token(text: str) -> str:
    """A token that the analyzer keeps whole; a very long one keeps its head and a hash."""
    if len(text) <= LONGEST // 2 or len(text.encode("utf-16-le")) <= 2 * LONGEST:
        return text
    return text[:80] + hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def tag_value(name: str, value: str) -> str:
    """How a filter's value is stored, the same as in the embedded engine."""
    return tag_term(name, value).removeprefix(f"{name}:")


def stored(doc: Document) -> dict[str, Any]:
    """The object as it is indexed; times in milliseconds."""
    counted = [doc.counters[name] or 0 for name in ("likes", "comments", "reposts")]
    return {
        **_tags(doc.tags),
        "id": doc.id, "url": doc.mention.post.url, "keywords": doc.keywords,
        "published_at": doc.published_at * 1000, "first_seen_at": doc.first_seen_at * 1000,
        "collected_at": doc.collected_at, "tie": tie(doc.id), "timed": doc.timed,
        "voice": int(doc.voice), "negative": int(doc.polarity == "negative"),
        "risk": doc.risk, "severe": doc.severity, "interactions": int(sum(counted)),
        "tokens": _words(doc.words), "title_tokens": _words(doc.title_words),
        "facts": _facts(doc), "sig": doc.signature, FIELD: column(doc),
        **{name: value for name, value in doc.counters.items() if value is not None},
        **({"vector": signed(doc.vector)} if doc.vector else {}),
    }  # fmt: skip


def _tags(tags: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    plain = not ODD.search("".join([value for _, value in tags]))  # nearly all
    for name, value in tags:
        found.setdefault(name, []).append(value if plain else tag_value(name, value))
    return found


def _words(words: str) -> str:
    return words if not LONG.search(words) else " ".join(map(token, words.split()))


def signed(vector: bytes) -> list[int]:
    """Bytes as the numbers -128 … 127 that a server takes."""
    return [byte - 256 if byte > 127 else byte for byte in vector]


def answer(hit: Mapping[str, Any], node: Node, similar: int = 1) -> Hit:
    """A hit of a search as pages and alerts see it.

    Raises:
        IndexFault: its column is damaged, or newer than this program.
    """
    kept, collected_at, counters = of_hit(hit)
    values = shown(kept, collected_at)
    values["detail"]["similar"] = similar
    marks = spans(node, kept["tokens"], kept["text"] or "")
    return to_hit(values, counters, marks)


def _facts(doc: Document) -> dict[str, Any]:
    negative = {brand for brand, against, _ in doc.brands if against}
    positive = {brand for brand, _, for_it in doc.brands if for_it} - negative
    return {
        "brands": sorted({brand for brand, _, _ in doc.brands}),
        "negative": sorted(negative),
        "positive": sorted(positive),
        "source": doc.source,
        "story": doc.story,
        "voices": f"{doc.author} {doc.story}",
    }


__all__ = ["TAGS", "answer", "document_id", "signed", "stored", "tag_value", "token"]
