"""Which documents a question is about, as records of the sheets.

In:  a query tree and a window. Out: an array of records, with the codes of keywords where asked for.
A question about brands alone reads their sheets; any other finds numbers in `fts` first.
"""

from __future__ import annotations

import sqlite3

import numpy as np
from numpy.typing import NDArray

from index.answers import Window
from index.ast import All, Node, Or, Tag, flat
from index.document import tag_term
from index.sqlite_codes import brands
from index.sqlite_query import selected
from index.sqlite_sheets import (
    AGAINST,
    ALL,
    Codes,
    Records,
    by_row,
    chosen,
    inside,
    parts_of,
    records,
    sheet,
    span,
    within,
    words,
)


def rows(db: sqlite3.Connection, node: Node, window: Window | None) -> Records:
    """The documents that match, each once."""
    if isinstance(node, All):
        return sheet(db, ALL, window)
    if (about := _about(db, node)) is not None:
        codes, against = about
        found = [sheet(db, code, window) for code in codes]
        if against:
            found = [part[part["flags"] & AGAINST > 0] for part in found]
        return _once(np.concatenate(found)) if len(found) > 1 else found[0]
    return within(by_row(db, _found(db, node, window)), window)


def with_words(db: sqlite3.Connection, node: Node, window: Window | None) -> tuple[Records, Codes]:
    """The documents that match, and the codes of their keywords one after another."""
    if isinstance(node, All):
        return words(db, ALL, window)
    about = _about(db, node)
    if about is not None and len(about[0]) == 1:
        found, codes = words(db, about[0][0], window)
        return chosen(found, codes, found["flags"] & AGAINST > 0) if about[1] else (found, codes)
    rows_ = rows(db, node, window)["row"] if about else _found(db, node, window)
    parts = parts_of(db, rows_.astype(np.int64))
    found = records([facts for facts, _ in parts])
    mask = np.isin(found["row"], rows_) & inside(found, window)
    return chosen(found, np.frombuffer(b"".join([w for _, w in parts]), np.uint32), mask)


def _found(db: sqlite3.Connection, node: Node, window: Window | None) -> NDArray[np.int64]:
    """Numbers of the documents that match, of those in the window and perhaps some outside."""
    sql, params = selected(node, span(db, window))
    return np.array([row[0] for row in db.execute(sql, params)], np.int64)


def _about(db: sqlite3.Connection, node: Node) -> tuple[list[int], bool] | None:
    """The codes of brands if a query names nothing else, and whether it is what is against them."""
    parts = flat(node) if isinstance(node, Or) else [node]
    tags = [part for part in parts if isinstance(part, Tag)]
    kinds = {tag.name for tag in tags}
    if len(tags) < len(parts) or kinds not in ({"brand"}, {"negative_brand"}):
        return None
    terms = {tag_term("brand", tag.value) for tag in tags}
    codes = [code for name, code in brands(db).items() if tag_term("brand", name) in terms]
    return codes or [-1], kinds == {"negative_brand"}


def _once(found: Records) -> Records:
    """Each document once, though it names several of the brands."""
    _, first = np.unique(found["row"], return_index=True)
    return found[first]
