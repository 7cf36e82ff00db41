"""The query tree: frozen nodes that every engine compiles and `matcher` reads.

In:  nothing. Out: node types. Leaves carry `span`, their place in the typed text in code points.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Span = tuple[int, int]
Field = Literal[
    "source", "channel", "region", "polarity", "intent", "aspect", "severity", "topic", "event",
    "brand", "kind", "emotion", "story", "author", "platform", "negative_brand",
    "segment",
]  # fmt: skip
Counter = Literal["likes", "comments", "reposts", "views", "rating", "followers"]


@dataclass(frozen=True)
class All:
    """Every document."""


@dataclass(frozen=True)
class Word:
    """One token, in text or title."""

    token: str
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Phrase:
    """Tokens that stand one after another, in text or in title."""

    tokens: tuple[str, ...]
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Near:
    """Two words or phrases with at most `gap` tokens between them, in either order."""

    left: Phrase
    right: Phrase
    gap: int
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Tag:
    """A field that holds this value."""

    name: Field
    value: str
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Range:
    """A counter within [low, high]; an unknown counter (null) matches nothing."""

    name: Counter
    low: float | None
    high: float | None
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class And:
    """All parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    """Any part."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    """Everything but the part."""

    part: Node


Node = All | Word | Phrase | Near | Tag | Range | And | Or | Not
Leaf = Word | Phrase | Near


def leaves(node: Node) -> list[Leaf]:
    """The text leaves that are not under a Not, in order: what highlighting marks."""
    if isinstance(node, And | Or):
        return [leaf for part in node.parts for leaf in leaves(part)]
    return [node] if isinstance(node, Word | Phrase | Near) else []


def inward(node: Node, turned: bool = False) -> Node:
    """The same query with Not before leaves only (De Morgan), so that depth is that of And and Or."""
    if isinstance(node, Not):
        return inward(node.part, not turned)
    if isinstance(node, And | Or):
        parts = tuple(inward(part, turned) for part in node.parts)
        return And(parts) if isinstance(node, And) is not turned else Or(parts)
    return Not(node) if turned else node


def flat(node: And | Or) -> list[Node]:
    """The parts, those of parts of the same kind included."""
    same = And if isinstance(node, And) else Or
    return [p for part in node.parts for p in (flat(part) if isinstance(part, same) else [part])]
