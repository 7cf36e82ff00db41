"""Writing of the embedded engine: idempotent upserts, newest snapshot wins.

In:  a connection inside a transaction, Mentions with their packed content. Out: what became of each.
A changed document is taken out and comes again as the newest: its number in `fts` only ever rises,
else FTS5 writes a segment of its own for each.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from index.admit import admit, storable
from index.answers import LoadReport
from index.document import Document
from index.sqlite_batch import Batch, Item, address, moving_of
from index.sqlite_body import Squeezer
from index.sqlite_codes import Codes
from index.sqlite_codes import brands as _codes_of
from index.sqlite_facts import facts, found_by
from index.sqlite_parts import append, remove
from index.sqlite_sheets import ALL, newest_seen

MOVED = "UPDATE meta SET value = value + 1 WHERE name = 'generation'"
Stored = tuple[int | None, bytes | None]  # number and sig of what stands there, None for a new one


class Writer:
    """Writes to one file, as one thread does."""

    def __init__(self, squeezer: Squeezer) -> None:
        self.squeezer = squeezer
        self.codes = Codes()

    def write(self, db: sqlite3.Connection, batch: Batch) -> LoadReport:
        """Store Mentions of distinct ids, unless a newer snapshot stands there."""
        known: dict[str, int] = {}
        fresh: dict[str, Item] = {}
        moved: list[tuple[Any, ...]] = []
        other = _other(db, batch)
        if not other:
            return LoadReport(received=len(batch.bodies), unchanged=len(batch.bodies))
        stale, unchanged = 0, len(batch.bodies) - len(other)
        for n, id_ in enumerate(batch.ids()):
            if id_ not in other:
                continue
            (row, sig), item = other[id_], batch.item(n)
            if row is None:
                fresh[id_] = item
                continue
            at = db.execute("SELECT collected_at FROM seen WHERE row = ?", (row,)).fetchone()[0]
            moving = moving_of(item.mention)
            if moving[0] // 1000 < at // 1000:  # milliseconds are its version
                stale += 1
            elif sig == item.sig() and storable(moving):
                unchanged += 1
                moved.append((*moving, row, item.state, id_))
            else:  # changed, or to be refused with its reason
                fresh[id_], known[id_] = item, row
        _count(db, moved)
        documents, refused = admit([item.mention for item in fresh.values()])
        changed = [known[doc.id] for doc in documents if doc.id in known]
        if documents:
            self.take_out(db, changed)
            self._add(db, documents, fresh)
            if changed:
                settle(db)
            db.execute(MOVED)
        return LoadReport(
            received=len(batch.bodies),
            created=len(documents) - len(changed),
            changed=len(changed),
            unchanged=unchanged,
            stale=stale,
            rejected=tuple(refused),
        )

    def take_out(self, db: sqlite3.Connection, rows: Sequence[int]) -> None:
        """Remove documents from every table."""
        if not rows:
            return
        codes = _codes_of(db)
        sheets: dict[int, list[int]] = {ALL: sorted(rows)}
        gone, ids = [], []
        for row in sheets[ALL]:
            stored = db.execute("SELECT doc FROM mentions WHERE row = ?", (row,)).fetchone()[0]
            kept = self.squeezer.whole(stored)
            gone.append((row, kept.words, kept.title_words, kept.terms))
            ids.append((kept.content["id"],))
            for brand in {hit["brand"] for hit in kept.content["brands"]}:
                sheets.setdefault(codes[brand], []).append(row)
        db.executemany(
            "INSERT INTO fts (fts, rowid, tokens, title_tokens, tags) VALUES ('delete', ?, ?, ?, ?)",
            gone,
        )
        remove(db, sheets)
        db.executemany("DELETE FROM ids WHERE id = ?", ids)
        for table in ("mentions", "seen", "severe", "vectors"):
            db.executemany(f"DELETE FROM {table} WHERE row = ?", [(row,) for row in sheets[ALL]])

    def _add(
        self, db: sqlite3.Connection, documents: Sequence[Document], of: Mapping[str, Item]
    ) -> None:
        first = db.execute("SELECT value FROM meta WHERE name = 'next'").fetchone()[0]
        every = [found_by(row, doc) for row, doc in enumerate(documents, first)]
        mentions, ids, seen, fts, severe, vectors = [], [], [], [], [], []
        for doc, (row, place, tags, _, _) in zip(documents, every, strict=True):
            item = of[doc.id]
            mentions.append((row, self.squeezer.squeezed(item.body)))
            ids.append((doc.id, row, item.sig(), item.state))
            seen.append((row, *moving_of(item.mention), address(item.mention.post.url)))
            fts.append((row, doc.words, doc.title_words, tags))
            if doc.severity > 0 and doc.timed and doc.brands:
                severe.append((row, doc.first_seen_at, place, doc.severity))
            if doc.vector is not None:
                vectors.append((row, doc.story, place, doc.vector))
        for table, rows in (
            ("mentions", mentions), ("ids", sorted(ids)), ("seen", seen), ("severe", severe),
            ("vectors", vectors), ("fts (rowid, tokens, title_tokens, tags)", fts),
        ):  # fmt: skip
            if rows:
                marks = ",".join("?" * len(rows[0]))
                db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        append(db, facts(db, self.codes, documents, every))
        newest = max(doc.first_seen_at for doc in documents)
        db.execute("UPDATE meta SET value = ? WHERE name = 'next'", (first + len(documents),))
        db.execute(
            "UPDATE meta SET value = max(coalesce(value, ?1), ?1) WHERE name = 'latest'", (newest,)
        )


def settle(db: sqlite3.Connection) -> None:
    """Set the newest first sight again after documents went: one of them may have been it."""
    db.execute("UPDATE meta SET value = ? WHERE name = 'latest'", (newest_seen(db),))


def _other(db: sqlite3.Connection, batch: Batch) -> dict[str, Stored]:
    """What stands of those that do not stand in the index just as they come, by their ids."""
    rows = db.execute(_others(len(batch.bodies)), batch.told)
    return {id_: (row, sig) for id_, row, sig in rows}


@lru_cache(maxsize=8)
def _others(count: int) -> str:
    return (
        f"WITH new (id, state) AS (VALUES {','.join(['(?,?)'] * count)}) "
        "SELECT new.id, row, sig FROM new LEFT JOIN ids ON ids.id = new.id "
        "WHERE ids.state IS NOT new.state"
    )


def _count(db: sqlite3.Connection, moved: Sequence[tuple[Any, ...]]) -> None:
    db.executemany(
        "UPDATE seen SET collected_at = ?, likes = ?, comments = ?, reposts = ?, views = ?, "
        "rating = ?, followers = ? WHERE row = ?",
        [one[:-2] for one in moved],
    )
    db.executemany("UPDATE ids SET state = ? WHERE id = ?", [one[-2:] for one in moved])
