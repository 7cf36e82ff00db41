"""Writing of the embedded engine: idempotent upserts, newest snapshot wins.

In:  a connection inside a transaction, Mentions with their packed content. Out: what became of each.
A changed document is taken out and comes again as the newest: its number in `fts` only ever rises,
else FTS5 writes a segment of its own for each.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
from xxhash import xxh3_64_digest, xxh3_64_intdigest

from index.admit import admit, storable
from index.answers import LoadReport
from index.body import packed_of
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
_counted = itemgetter(*COUNTERS[:4])
_encode = msgspec.msgpack.Encoder().encode


class Item(NamedTuple):
    """A Mention that does not stand in the index just as it comes."""

    mention: Mention
    body: bytes
    state: bytes

    def sig(self) -> bytes:
        """Changes when the content or the vector does."""
        return xxh3_64_digest(self.body + (self.mention.vector or "").encode())


class Batch(NamedTuple):
    """Mentions with what is compared of them.

    Digests have 64 bits: each is compared with one other, that of the snapshot before.
    """

    mentions: Sequence[Mention]
    bodies: list[bytes]
    told: list[Any]  # id and state of each in turn; a state changes when anything but the run does

    def ids(self) -> list[str]:
        """Their ids."""
        return self.told[::2]

    def part(self, begin: int, end: int) -> Batch:
        """Some of them."""
        return Batch(
            self.mentions[begin:end], self.bodies[begin:end], self.told[2 * begin : 2 * end]
        )

    def item(self, n: int) -> Item:
        """One of them."""
        return Item(self.mentions[n], self.bodies[n], self.told[2 * n + 1])


Stored = tuple[int | None, bytes | None]  # number and sig of what stands there, None for a new one


def batches(mentions: Sequence[Mention]) -> Iterator[Batch]:
    """At most CHUNK Mentions each; in none an id stands twice: the second sees what became of the first."""
    for at in range(0, len(mentions), CHUNK):
        batch = _batch(mentions[at : at + CHUNK])
        begin, seen, ids = 0, set[str](), batch.ids()
        if len(set(ids)) < len(ids):
            for n, id_ in enumerate(ids):
                if id_ in seen:
                    yield batch.part(begin, n)
                    begin, seen = n, set()
                seen.add(id_)
        yield batch.part(begin, len(ids)) if begin else batch


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


def _batch(mentions: Sequence[Mention]) -> Batch:
    """All of a Mention at once: a second walk would find its values out of the processor's reach."""
    bodies: list[bytes] = []
    told: list[Any] = []
    for mention in mentions:
        said = mention.__dict__
        post, vector = said["post"].__dict__, said["vector"]
        author, seen = post["author"].__dict__, post["engagement"].__dict__
        body = packed_of(said, post, author)
        moves = (post["collected_at"], post["rating"], author["followers"],
                 seen["likes"], seen["comments"], seen["reposts"], seen["views"])  # fmt: skip
        try:
            whole = body + _encode(moves)
        except OverflowError:  # a number that is refused later, with its reason
            whole = body + repr(moves).encode()
        bodies.append(body)
        told += post["id"], xxh3_64_digest(whole if vector is None else whole + vector.encode())
    return Batch(mentions, bodies, told)


def moving_of(mention: Mention) -> Moving:
    """What moves of a post without it being another one."""
    post = mention.post
    at = round(post.collected_at.timestamp() * _MICRO)
    return (at, *_counted(post.engagement.__dict__), post.rating, post.author.followers)


def address(url: str | None) -> int | None:
    """32 bits that stand for an address: enough to look at no document in vain, but a few."""
    return None if url is None else xxh3_64_intdigest(url.encode()) % (1 << 32) - (1 << 31)


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
