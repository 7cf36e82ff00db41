"""Query tree → SQL that selects numbers of documents.

In:  a Node and the numbers to look among. Out: SQL text with bound parameters only.
Text and tags become one FTS5 MATCH wherever a subtree has nothing else; the rest is joined in SQL.
"""

from __future__ import annotations

from index.ast import All, And, Leaf, Near, Node, Not, Or, Range, Tag, Word, flat, inward
from index.document import clean, tag_term

Condition = tuple[str, list[object]]


def selected(node: Node, span: tuple[int, int]) -> Condition:
    """A SELECT of the numbers within `span`, the second excluded, of the documents that match."""
    if (match := _match(node) or _but(node)) is not None:
        return "SELECT rowid AS number FROM fts WHERE fts MATCH ? AND rowid >= ? AND rowid < ?", [
            match,
            *span,
        ]
    sql, params = condition(node)
    return f"SELECT row AS number FROM seen s WHERE row >= ? AND row < ? AND ({sql})", [
        *span,
        *params,
    ]


def _but(node: Node) -> str | None:
    """The FTS5 expression of "these and not those" at the top of a query: one walk, no two sets."""
    if not isinstance(node, And):
        return None
    parts = flat(node)
    not_ = [_match(part.part) for part in parts if isinstance(part, Not)]
    these = [_match(part) for part in parts if not isinstance(part, Not)]
    if None in not_ or None in these or not these:
        return None
    return f"({' AND '.join(map(str, these))}) NOT ({' OR '.join(map(str, not_))})"


def condition(node: Node) -> Condition:
    """The condition of one subtree."""
    if (match := _match(node)) is not None:
        return "s.row IN (SELECT rowid FROM fts WHERE fts MATCH ?)", [match]
    if isinstance(node, Not):
        if isinstance(node.part, And | Or | Not) and _match(node.part) is None:
            return condition(inward(node))  # SQLite's parser takes no 100 nested brackets
        sql, params = condition(node.part)
        return f"NOT ({sql})", params
    if isinstance(node, And | Or):
        parts = [condition(part) for part in flat(node)]
        word = " AND " if isinstance(node, And) else " OR "
        return word.join(f"({sql})" for sql, _ in parts), [p for _, ps in parts for p in ps]
    if isinstance(node, Range):
        return _range(node)
    return "1", []


def _match(node: Node) -> str | None:
    """The FTS5 expression of a subtree, or None if it needs SQL."""
    if isinstance(node, And | Or):
        parts = [_match(part) for part in flat(node)]
        word = " AND " if isinstance(node, And) else " OR "
        return None if None in parts else "(" + word.join(p for p in parts if p) + ")"
    if isinstance(node, Tag):
        return f"(tags : {_quoted(tag_term(node.name, node.value))})"
    if isinstance(node, Not | Range | All):
        return None
    text = _text(node)
    # A tag has a colon: words without one are found in no column but theirs, and in less time so.
    return f"({{tokens title_tokens}} : {text})" if ":" in text else f"({text})"


def _text(leaf: Leaf) -> str:
    if isinstance(leaf, Near):
        return f"NEAR({_text(leaf.left)} {_text(leaf.right)}, {leaf.gap})"
    if isinstance(leaf, Word):
        return _quoted(clean(leaf.token))
    return _quoted(" ".join(map(clean, leaf.tokens)))


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _range(node: Range) -> Condition:
    sql, params = [f"s.{node.name} IS NOT NULL"], []
    if node.low is not None:
        sql.append(f"s.{node.name} >= ?")
        params.append(node.low)
    if node.high is not None:
        sql.append(f"s.{node.name} <= ?")
        params.append(node.high)
    return " AND ".join(sql), list(params)
