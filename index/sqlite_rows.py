"""Which documents a question is about, as records of the sheets.

In:  a query tree and a window. Out: an array of records, with the codes of keywords where asked for.
A question about brands alone reads their sheets; any other finds numbers in `fts` first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.answers import Window
from index.ast import All, Node, Or, Tag, flat
from index.document import tag_term
from index.sqlite_codes import brands
from index.sqlite_query import selected
from index.sqlite_sheets import AGAINST, ALL, Columns, by_row, inside, sheet, span
from index.sqlite_words import counted_words, words, words_by_row, words_of_all


def rows(
    db: sqlite3.Connection, node: Node, window: Window | None, names: Sequence[str]
) -> Columns:
    """The documents that match, each once, with the fields that are asked for."""
    if isinstance(node, All):
        return sheet(db, ALL, window, names)
    if (about := _about(db, node)) is not None:
        codes, flags = about
        if len(codes) == 1:
            return sheet(db, codes[0], window, names, flags)
        several = [sheet(db, code, window, ["row"], flags)["row"] for code in codes]
        return by_row(db, np.concatenate(several), names)
    return by_row(db, _found(db, node, window), names, window)


def word_counts(
    db: sqlite3.Connection, node: Node, window: Window | None
) -> tuple[int, NDArray[np.int64]]:
    """How many documents match, and how many of them have each keyword, by its code."""
    if isinstance(node, All) and window is not None and window.clock == "published":
        return words_of_all(db, window)
    about = ([ALL], 0) if isinstance(node, All) else _about(db, node)
    if about is not None and len(about[0]) == 1:
        found, codes = words(db, about[0][0], window)
        mask = inside(found, window)
        if about[1]:
            mask &= found["flags"] & about[1] > 0
    else:
        numbers = rows(db, node, window, ["row"])["row"]
        found, codes = words_by_row(db, numbers)
        mask = np.isin(found["row"], numbers)
    return int(np.count_nonzero(mask)), counted_words(found["words"], codes, mask)


def _found(db: sqlite3.Connection, node: Node, window: Window | None) -> NDArray[np.int64]:
    """Numbers of the documents that match, of those in the window and perhaps some outside."""
    sql, params = selected(node, span(db, ALL, window))
    # One text of many numbers is read in half the time of as many rows.
    told = db.execute(f"SELECT group_concat(number) FROM ({sql})", params).fetchone()[0]
    return np.empty(0, np.int64) if told is None else np.fromstring(told, np.int64, sep=",")


def _about(db: sqlite3.Connection, node: Node) -> tuple[list[int], int] | None:
    """The codes of brands if a query names nothing else, and AGAINST if it is what is against them."""
    parts = flat(node) if isinstance(node, Or) else [node]
    tags = [part for part in parts if isinstance(part, Tag)]
    kinds = {tag.name for tag in tags}
    if len(tags) < len(parts) or kinds not in ({"brand"}, {"negative_brand"}):
        return None
    terms = {tag_term("brand", tag.value) for tag in tags}
    codes = [code for name, code in brands(db).items() if tag_term("brand", name) in terms]
    return codes or [-1], AGAINST * (kinds == {"negative_brand"})
