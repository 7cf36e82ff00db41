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
    seen, negative = doc.counters, doc.polarity == "negative"
    reached = (seen["likes"] or 0) + (seen["comments"] or 0) + (seen["reposts"] or 0)
    values = _tags(doc.tags)
    values |= {
        "id": doc.id, "url": doc.mention.post.url, "keywords": doc.keywords,
        "published_at": doc.published_at * 1000, "first_seen_at": doc.first_seen_at * 1000,
        "collected_at": doc.collected_at, "tie": tie(doc.id), "timed": doc.timed,
        "voice": int(doc.voice), "negative": int(negative), "risk": doc.risk,
        "severe": doc.severity, "interactions": int(reached), "tokens": _words(doc.words),
        "title_tokens": _words(doc.title_words), "facts": _facts(doc), "sig": doc.signature,
        FIELD: column(doc),
    }  # fmt: skip
    values |= {name: value for name, value in seen.items() if value is not None}
    if doc.vector:
        values["vector"] = signed(doc.vector)
    return values


def _tags(tags: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Values by name; a name's only value stands for itself."""
    if ODD.search("".join([value for _, value in tags])):
        tags = [(name, tag_value(name, value)) for name, value in tags]
    found: dict[str, Any] = dict(tags)
    if len(found) < len(tags):
        found = {name: [value for one, value in tags if one == name] for name in found}
    return found


def _words(words: str) -> str:
    if len(words) <= LONGEST // 2 or not LONG.search(words):
        return words
    return " ".join(map(token, words.split()))


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
    facts: dict[str, Any] = {
        "source": doc.source, "story": doc.story, "voices": f"{doc.author} {doc.story}"
    }  # fmt: skip
    if doc.brands:
        against = {brand for brand, negative, _ in doc.brands if negative}
        facts["brands"] = sorted({brand for brand, _, _ in doc.brands})
        facts["negative"] = sorted(against)
        facts["positive"] = sorted({brand for brand, _, liked in doc.brands if liked} - against)
    return facts


__all__ = ["TAGS", "answer", "document_id", "signed", "stored", "tag_value", "token"]
