"""Writing of the embedded engine: idempotent upserts, newest snapshot wins.

In:  a connection inside a transaction, Mentions with their packed content. Out: what became of each.
A changed document is taken out and comes again as the newest: its number in `fts` only ever rises,
else FTS5 writes a segment of its own for each.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import xxhash

from index.admit import admit
from index.answers import LoadReport
from index.body import digest, packed
from index.document import Document, tag_term, tie
from index.fields import COUNTED
from index.sqlite_body import Squeezer
from index.sqlite_codes import Codes
from index.sqlite_codes import brands as _codes_of
from index.sqlite_parts import New, append, remove
from index.sqlite_sheets import AGAINST, ALL, FOR, NEGATIVE, TIE_BITS, TIMED, VOICE, pack
from keqing.records import Mention

MOVED = "UPDATE meta SET value = value + 1 WHERE name = 'generation'"
Moving = tuple[Any, ...]  # collected_at in microseconds, counters as in the table `seen`
_MICRO = 1_000_000
_COUNTED = frozenset(COUNTED)


class Item(NamedTuple):
    """A Mention that is handed in."""

    mention: Mention
    body: bytes
    sig: bytes
    moving: Moving


class Stored(NamedTuple):
    """What is known of a document that stands in the index."""

    row: int
    sig: bytes
    moving: Moving


def items(mentions: Sequence[Mention]) -> list[Item]:
    """Mentions with what is compared of them."""
    bodies = [packed(mention) for mention in mentions]
    return [
        Item(mention, body, digest(mention, body), _moving(mention))
        for mention, body in zip(mentions, bodies, strict=True)
    ]


def _moving(mention: Mention) -> Moving:
    post = mention.post
    seen = post.engagement
    return (
        round(post.collected_at.timestamp() * _MICRO),
        seen.likes, seen.comments, seen.reposts, seen.views, post.rating, post.author.followers,
    )  # fmt: skip


class Writer:
    """Writes to one file, as one thread does."""

    def __init__(self, squeezer: Squeezer) -> None:
        self.squeezer = squeezer
        self.codes = Codes()

    def write(self, db: sqlite3.Connection, batch: Sequence[Item]) -> LoadReport:
        """Store Mentions of distinct ids, unless a newer snapshot stands there."""
        known = _known(db, [item.mention.post.id for item in batch])
        fresh: list[Item] = []
        moved: list[tuple[Any, ...]] = []
        stale = unchanged = 0
        for item in batch:
            old = known.get(item.mention.post.id)
            if old is None:
                fresh.append(item)
            elif item.moving[0] // 1000 < old.moving[0] // 1000:
                stale += 1
            elif item.sig != old.sig:
                fresh.append(item)
            else:
                unchanged += 1
                if item.moving != old.moving:
                    moved.append((*item.moving, old.row))
        _count(db, moved)
        documents, refused = admit([item.mention for item in fresh])
        changed = [known[doc.id].row for doc in documents if doc.id in known]
        if documents:
            self.take_out(db, changed)
            self._add(db, documents, {item.mention.post.id: item for item in fresh})
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
        self.codes.begin(db)
        first = db.execute("SELECT value FROM meta WHERE name = 'next'").fetchone()[0]
        sheets: dict[int, list[New]] = {}
        mentions, ids, seen, fts, severe, vectors = [], [], [], [], [], []
        for row, doc in enumerate(documents, first):
            item = of[doc.id]
            place = doc.published_at << TIE_BITS | tie(doc.id)
            terms = [(name, tag_term(name, value)) for name, value in doc.tags]
            tags = " ".join([term for _, term in terms])
            mentions.append((row, self.squeezer.squeezed(doc, item.body, tags)))
            ids.append((doc.id, row, item.sig))
            seen.append((row, *item.moving))
            fts.append((row, doc.words, doc.title_words, tags))
            counted = " ".join(sorted([term for name, term in terms if name in _COUNTED]))
            self._count_in(db, sheets, doc, row, place, counted)
            if doc.severity > 0 and doc.timed and doc.brands:
                severe.append((row, doc.first_seen_at, place, doc.severity))
            if doc.vector is not None:
                vectors.append((row, doc.story, place, doc.vector))
        db.executemany("INSERT INTO mentions VALUES (?, ?)", mentions)
        db.executemany("INSERT INTO ids VALUES (?, ?, ?)", sorted(ids))
        db.executemany("INSERT INTO seen VALUES (?, ?, ?, ?, ?, ?, ?, ?)", seen)
        db.executemany(
            "INSERT INTO fts (rowid, tokens, title_tokens, tags) VALUES (?, ?, ?, ?)", fts
        )
        db.executemany("INSERT INTO severe VALUES (?, ?, ?, ?)", severe)
        db.executemany("INSERT INTO vectors VALUES (?, ?, ?, ?)", vectors)
        append(db, sheets)
        newest = max(doc.first_seen_at for doc in documents)
        db.execute("UPDATE meta SET value = ? WHERE name = 'next'", (first + len(documents),))
        db.execute(
            "UPDATE meta SET value = max(coalesce(value, ?1), ?1) WHERE name = 'latest'", (newest,)
        )

    def _count_in(
        self,
        db: sqlite3.Connection,
        sheets: dict[int, list[New]],
        doc: Document,
        row: int,
        place: int,
        counted: str,
    ) -> None:
        """Put the document's numbers into the sheets of all and of its brands."""
        codes = self.codes
        keywords = [codes.of(db, "word", word) for word in doc.keywords[:255]]
        words = array("I", keywords).tobytes()
        flags = NEGATIVE * (doc.polarity == "negative") | VOICE * doc.voice | TIMED * doc.timed
        story = xxhash.xxh3_64_intdigest(doc.story.encode())
        voice = xxhash.xxh3_64_intdigest(f"{doc.author} {doc.story}".encode())
        tags = codes.tagset(db, counted)
        source = codes.of(db, "source", doc.source)
        towards = {ALL: 0}
        for brand, negative, positive in doc.brands:
            code = codes.of(db, "brand", brand)
            towards[code] = towards.get(code, 0) | AGAINST * negative | FOR * positive
        for code, flag in towards.items():
            if flag == AGAINST | FOR:
                flag = AGAINST
            fact = pack(place, doc.first_seen_at, story, voice, tags, doc.risk, row, source,
                        flags | flag, len(keywords))  # fmt: skip
            sheets.setdefault(code, []).append((row, fact, words))


def _known(db: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Stored]:
    """The documents of these ids that stand in the index."""
    rows = db.execute(
        "SELECT id, row, sig, collected_at, likes, comments, reposts, views, rating, followers "
        f"FROM ids JOIN seen USING (row) WHERE id IN ({','.join('?' * len(ids))})",
        ids,
    )
    return {row[0]: Stored(row[1], row[2], row[3:]) for row in rows}


def _count(db: sqlite3.Connection, moved: Sequence[tuple[Any, ...]]) -> None:
    db.executemany(
        "UPDATE seen SET collected_at = ?, likes = ?, comments = ?, reposts = ?, views = ?, "
        "rating = ?, followers = ? WHERE row = ?",
        moved,
    )
