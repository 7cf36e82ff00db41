"""What has been seen: ids with the hash of their words, over all crawls and imports.

In:  a transaction and ids. Out: which are known, so that a second visit brings only what is new.
It can be rebuilt from the landing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, String, Table, delete, select

from keqing.workflow.db import METADATA, Tx, UtcTime

AT_ONCE = 500
SEEN = Table(
    "crawl_seen",
    METADATA,
    Column("post_id", String(512), primary_key=True),
    Column("text_hash", String(64), nullable=False),
    Column("first_seen_at", UtcTime, nullable=False),
)


def known(tx: Tx, ids: Sequence[str]) -> dict[str, tuple[str, datetime]]:
    """Text hash and first sight of those ids that have been seen."""
    found: dict[str, tuple[str, datetime]] = {}
    for at in range(0, len(ids), AT_ONCE):
        query = select(SEEN).where(SEEN.c.post_id.in_(ids[at : at + AT_ONCE]))
        found |= {row.post_id: (row.text_hash, row.first_seen_at) for row in tx.execute(query)}
    return found


def remember(tx: Tx, rows: Sequence[tuple[str, str, datetime]]) -> None:
    """Write (id, text hash, first sight); call it after the posts have landed."""
    newest = {row[0]: row for row in rows}
    names = list(newest)
    for at in range(0, len(names), AT_ONCE):
        tx.execute(delete(SEEN).where(SEEN.c.post_id.in_(names[at : at + AT_ONCE])))
    if newest:
        columns = ("post_id", "text_hash", "first_seen_at")
        tx.execute(SEEN.insert(), [dict(zip(columns, row, strict=True)) for row in newest.values()])
