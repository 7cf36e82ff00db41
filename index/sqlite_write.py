"""Writing of the embedded engine: idempotent upserts, newest snapshot wins.

In:  a connection inside a transaction, Mentions with their packed content. Out: what became of each.
A changed document is taken out and comes again as the newest: its number in `fts` only ever rises,
else FTS5 writes a segment of its own for each.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from index.admit import admit, storable
from index.answers import LoadReport
from index.body import digest, packed
from index.document import COUNTERS, Document
from index.sqlite_body import Squeezer
from index.sqlite_codes import Codes
from index.sqlite_codes import brands as _codes_of
from index.sqlite_facts import facts, found_by
from index.sqlite_parts import append, remove
from index.sqlite_sheets import ALL, newest_seen
from keqing.records import Mention

MOVED = "UPDATE meta SET value = value + 1 WHERE name = 'generation'"
Moving = tuple[Any, ...]  # collected_at in microseconds, counters as in the table `seen`
_MICRO = 1_000_000
CHUNK = 500
_NOTHING: Stored = (0, b"", ())
_counted = itemgetter(*COUNTERS[:4])


class Item(NamedTuple):
    """A Mention that is handed in."""

    id: str
    mention: Mention
    body: bytes
    sig: bytes
    moving: Moving


Stored = tuple[int, bytes, Moving]  # number, digest, what moves, of a document that stands there


def chunks(mentions: Sequence[Mention]) -> Iterator[list[Item]]:
    """At most CHUNK Mentions each; in none an id stands twice: the second sees what became of the first."""
    chunk: dict[str, Item] = {}
    for item in _items(mentions):
        if item.id in chunk or len(chunk) == CHUNK:
            yield list(chunk.values())
            chunk = {}
        chunk[item.id] = item
    if chunk:
        yield list(chunk.values())


class Writer:
    """Writes to one file, as one thread does."""

    def __init__(self, squeezer: Squeezer) -> None:
        self.squeezer = squeezer
        self.codes = Codes()

    def write(self, db: sqlite3.Connection, batch: Sequence[Item]) -> LoadReport:
        """Store Mentions of distinct ids, unless a newer snapshot stands there."""
        known = _known(db, [item.id for item in batch])
        fresh: dict[str, Item] = {}
        moved: list[tuple[Any, ...]] = []
        stale = unchanged = 0
        for item in batch:
            row, sig, moving = known.get(item.id, _NOTHING)
            if sig == item.sig:
                if moving == item.moving:
                    unchanged += 1
                elif _older(item, moving):
                    stale += 1
                elif not storable(item.moving):
                    fresh[item.id] = item  # to be refused with its reason
                else:
                    unchanged += 1
                    moved.append((*item.moving, row))
            elif row and _older(item, moving):
                stale += 1
            else:
                fresh[item.id] = item
        _count(db, moved)
        documents, refused = admit([item.mention for item in fresh.values()])
        changed = [known[doc.id][0] for doc in documents if doc.id in known]
        if documents:
            self.take_out(db, changed)
            self._add(db, documents, fresh)
            if changed:
                settle(db)
            db.execute(MOVED)
        return LoadReport(
            received=len(batch),
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
            ids.append((doc.id, row, item.sig))
            seen.append((row, *item.moving))
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


def _items(mentions: Sequence[Mention]) -> Iterator[Item]:
    """Mentions with what is compared of them."""
    for mention in mentions:
        body, post = packed(mention), mention.post.__dict__
        at = round(post["collected_at"].timestamp() * _MICRO)
        counters = _counted(post["engagement"].__dict__)
        moving = (at, *counters, post["rating"], post["author"].followers)
        yield Item(post["id"], mention, body, digest(mention, body), moving)


def settle(db: sqlite3.Connection) -> None:
    """Set the newest first sight again after documents went: one of them may have been it."""
    db.execute("UPDATE meta SET value = ? WHERE name = 'latest'", (newest_seen(db),))


def _older(item: Item, moving: Moving) -> bool:
    """Whether a snapshot is older than the stored one, by the milliseconds that are its version."""
    return bool(item.moving[0] // 1000 < moving[0] // 1000)


def _known(db: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Stored]:
    """The documents of these ids that stand in the index."""
    rows = db.execute(
        "SELECT id, row, sig, collected_at, likes, comments, reposts, views, rating, followers "
        f"FROM ids JOIN seen USING (row) WHERE id IN ({','.join('?' * len(ids))})",
        ids,
    )
    return {row[0]: (row[1], row[2], row[3:]) for row in rows}


def _count(db: sqlite3.Connection, moved: Sequence[tuple[Any, ...]]) -> None:
    db.executemany(
        "UPDATE seen SET collected_at = ?, likes = ?, comments = ?, reposts = ?, views = ?, "
        "rating = ?, followers = ? WHERE row = ?",
        moved,
    )
