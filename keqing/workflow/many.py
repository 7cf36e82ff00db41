"""Many values in one question: `column IN values` as one JSON text, since 5,000 parameters cost more.

In:  columns, values of text. Out: a condition for either database; values in parts of AT_ONCE.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import JSON, Column, ColumnElement, Text, cast, func, literal, select, tuple_

from keqing.workflow.db import Tx
from keqing.workflow.postgres import cleaned

AT_ONCE = 5000  # values of one IN: below every database's limit
T = TypeVar("T")


def parts(values: Collection[T]) -> Iterator[Sequence[T]]:
    """The values in their order, at most AT_ONCE in a part."""
    ordered = list(values)
    for at in range(0, len(ordered), AT_ONCE):
        yield ordered[at : at + AT_ONCE]


def among(
    tx: Tx, key: Column[Any] | tuple[Column[Any], ...], values: Sequence[Any]
) -> ColumnElement[bool]:
    """Whether the column is one of the texts, or the columns together one of the tuples of texts."""
    width = len(key) if isinstance(key, tuple) else 0
    column = tuple_(*key) if isinstance(key, tuple) else key
    if tx.dialect.name == "sqlite":
        packed = json.dumps(values, ensure_ascii=False)
        each = func.json_each(packed).table_valued("value").c.value
        if not width:
            return column.in_(select(each))
        return column.in_(select(*(func.json_extract(each, f"$[{n}]") for n in range(width))))
    sent = cast(literal(json.dumps(cleaned(values), ensure_ascii=False), Text), JSON)
    if not width:
        return column.in_(select(func.json_array_elements_text(sent).column_valued("value")))
    rows = func.json_array_elements(sent).column_valued("value")
    fields = (func.json_extract_path_text(rows, str(n)) for n in range(width))
    return column.in_(select(*fields))
