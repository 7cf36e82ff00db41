"""All tables of the workflow database, declared by their modules, and what PostgreSQL is told of them.

Out: METADATA with every table. SQLite neither cuts nor refuses a text that is longer than its column,
compares bytes, and has integers of 64 bits; PostgreSQL is given the same, so that order and limits do
not depend on where a database was made.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from sqlalchemy import DDL, BigInteger, Integer, MetaData, String, Table, Text, event

from keqing import workflow
from keqing.workflow.db import METADATA

_SQLITE = (
    "CREATE TRIGGER {table}_no_{verb} BEFORE {act} ON {table} "
    "BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
)
_POSTGRES = (
    "CREATE TRIGGER {table}_no_{verb} BEFORE {act} ON {table} "
    "FOR EACH {each} EXECUTE FUNCTION {table}_refuse()"
)
_REFUSE = (
    "CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "'BEGIN RAISE EXCEPTION ''{table} is append-only''; END'"
)


@cache
def whole() -> MetaData:
    """METADATA once every module has declared its tables."""
    for module in pkgutil.iter_modules(workflow.__path__):
        importlib.import_module(f"keqing.workflow.{module.name}")
    for table in METADATA.tables.values():
        for column in table.columns:
            if isinstance(column.type, String):
                column.type = column.type.with_variant(Text(collation="C"), "postgresql")
            elif isinstance(column.type, Integer):
                column.type = column.type.with_variant(BigInteger(), "postgresql")
    return METADATA


def append_only(table: Table) -> None:
    """Let the database itself refuse changes of rows: a log that can only grow."""
    for act in ("UPDATE", "DELETE"):
        _after(table, "sqlite", _SQLITE, act)
    _after(table, "postgresql", _REFUSE, "")
    for act in ("UPDATE", "DELETE", "TRUNCATE"):
        _after(table, "postgresql", _POSTGRES, act)


def _after(table: Table, dialect: str, sql: str, act: str) -> None:
    each = "STATEMENT" if act == "TRUNCATE" else "ROW"
    text = sql.format(table=table.name, act=act, verb=act.lower(), each=each)
    made = DDL(text).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
    event.listen(table, "after_create", made)
