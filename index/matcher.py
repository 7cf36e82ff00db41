"""The reference meaning of a query: a tree on one document in memory.

In:  a Node and the fields of a document. Out: whether it matches. Engines must agree with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from index.ast import All, And, Leaf, Near, Node, Not, Or, Phrase, Range, Tag, Word


@dataclass(frozen=True)
class Fields:
    """What a query can ask of a document."""

    tokens: Sequence[str] = ()
    title_tokens: Sequence[str] = ()
    tags: frozenset[tuple[str, str]] = frozenset()
    counters: Mapping[str, float | None] = field(default_factory=dict)


def matches(node: Node, doc: Fields) -> bool:
    """Whether the document is an answer."""
    if isinstance(node, And):
        return all(matches(part, doc) for part in node.parts)
    if isinstance(node, Or):
        return any(matches(part, doc) for part in node.parts)
    if isinstance(node, Not):
        return not matches(node.part, doc)
    if isinstance(node, Tag):
        return (node.name, node.value.lower()) in doc.tags
    if isinstance(node, Range):
        return _within(node, doc.counters.get(node.name))
    if isinstance(node, All):
        return True
    return any(positions(node, tokens) for tokens in (doc.tokens, doc.title_tokens))


def positions(leaf: Leaf, tokens: Sequence[str]) -> list[tuple[int, int]]:
    """Half-open token spans where a leaf matches in one column."""
    if isinstance(leaf, Word):
        return [(n, n + 1) for n, token in enumerate(tokens) if token == leaf.token]
    if isinstance(leaf, Phrase):
        size = len(leaf.tokens)
        starts = range(len(tokens) - size + 1)
        return [(n, n + size) for n in starts if tuple(tokens[n : n + size]) == leaf.tokens]
    return _near(leaf, tokens)


def _near(leaf: Near, tokens: Sequence[str]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for left in positions(leaf.left, tokens):
        for right in positions(leaf.right, tokens):
            first, second = sorted((left, right))
            if second[0] - first[1] <= leaf.gap:
                found += [left, right]
    return found


def _within(node: Range, value: float | None) -> bool:
    if value is None:
        return False
    return (node.low is None or value >= node.low) and (node.high is None or value <= node.high)
