"""Query tree → SQL condition over `mentions m LEFT JOIN seen s`.

In:  a Node and a Window. Out: SQL text with bound parameters only.
Text and tags become one FTS5 MATCH wherever a subtree has nothing else; the rest is joined in SQL.
"""

from __future__ import annotations

from index.answers import Window
from index.ast import All, And, Leaf, Near, Node, Not, Or, Range, Tag, Word, flat, inward
from index.document import clean, tag_term

Condition = tuple[str, list[object]]


def where(node: Node, window: Window | None) -> Condition:
    """The WHERE condition of a question."""
    sql, params = condition(node)
    if window is not None:
        column = "published_at" if window.clock == "published" else "first_seen_at"
        sql = f"({sql}) AND m.{column} >= ? AND m.{column} < ?"
        params = [*params, *window.seconds()]
    return sql, params


def condition(node: Node) -> Condition:
    """The condition of one subtree."""
    if (match := _match(node)) is not None:
        return "m.rowid IN (SELECT rowid FROM fts WHERE fts MATCH ?)", [match]
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
    return f"({{tokens title_tokens}} : {_text(node)})"


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


__all__ = ["All", "Condition", "condition", "where"]
