"""Query tree → query of a search server: objects only, nothing that staff typed is parsed there.

In:  a Node and a Window. Out: a filter without scores. And, Or and Not are emitted flat, since the
server refuses more than 30 nested queries.
"""

from __future__ import annotations

from typing import Any

from index.answers import Window
from index.ast import All, And, Near, Node, Not, Or, Phrase, Range, Tag, Word, flat, inward
from index.document import clean
from index.elastic_document import tag_value, token

Query = dict[str, Any]
TEXT = ("tokens", "title_tokens")
NOTHING: Query = {"match_none": {}}


def where(node: Node, window: Window | None, *more: Query) -> Query:
    """The filter of a question."""
    parts = [compiled(node), *more]
    if window is not None:
        parts.append(within(window))
    return {"bool": {"filter": parts}}


def within(window: Window) -> Query:
    """The half-open window on its clock."""
    clock = "published_at" if window.clock == "published" else "first_seen_at"
    start, end = window.seconds()
    return {"range": {clock: {"gte": start * 1000, "lt": end * 1000}}}


def compiled(node: Node) -> Query:
    """The filter of one subtree."""
    return _compiled(inward(node))


def _compiled(node: Node) -> Query:
    if isinstance(node, And):
        parts = flat(node)
        wanted = [_compiled(part) for part in parts if not isinstance(part, Not)]
        unwanted = [_compiled(part.part) for part in parts if isinstance(part, Not)]
        return {"bool": {"filter": wanted, "must_not": unwanted}}
    if isinstance(node, Or):
        return _any([_compiled(part) for part in flat(node)])
    if isinstance(node, Not):
        return {"bool": {"must_not": [_compiled(node.part)]}}
    if isinstance(node, Tag):
        return {"term": {node.name: tag_value(node.name, node.value)}}
    if isinstance(node, Range):
        return _range(node)
    if isinstance(node, All):
        return {"match_all": {}}
    return _any([_text(node, field) for field in TEXT])


def after(sort: list[tuple[str, str]], values: list[Any]) -> Query:
    """Documents behind a place in a sort order, keys from first to last."""
    steps: list[Query] = []
    for n, (field, order) in enumerate(sort):
        same = [{"term": {name: value}} for (name, _), value in zip(sort[:n], values, strict=False)]
        beyond = {"range": {field: {"lt" if order == "desc" else "gt": values[n]}}}
        steps.append({"bool": {"filter": [*same, beyond]}})
    return _any(steps)


def _any(parts: list[Query]) -> Query:
    # Without the minimum, a `should` beside a `filter` asks for nothing.
    return {"bool": {"should": parts, "minimum_should_match": 1}} if parts else NOTHING


def _text(leaf: Word | Phrase | Near, field: str) -> Query:
    if isinstance(leaf, Word):
        return {"term": {field: token(clean(leaf.token))}}
    if isinstance(leaf, Phrase):
        return {"match_phrase": {field: {"query": _joined(leaf), "slop": 0}}}
    sides = [
        {"match": {"query": _joined(side), "ordered": True, "max_gaps": 0}}
        for side in (leaf.left, leaf.right)
    ]
    apart = {"all_of": {"intervals": sides, "ordered": False, "max_gaps": leaf.gap}}
    return {"intervals": {field: apart}}


def _joined(phrase: Phrase) -> str:
    return " ".join(token(clean(word)) for word in phrase.tokens)


def _range(node: Range) -> Query:
    bounds = {"gte": node.low, "lte": node.high}
    given = {name: value for name, value in bounds.items() if value is not None}
    return {"range": {node.name: given}} if given else {"exists": {"field": node.name}}
