"""Whether what is counted is what the documents say: the proof of the sheets.

In:  an engine. Out: sentences about what differs, none if nothing does. Every document is read, so this
is for tests, benches and doubts, not for pages.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from index.document import tie
from index.sqlite import SqliteEngine
from index.sqlite_batch import address
from index.sqlite_body import Kept, Squeezer
from index.sqlite_sheets import (
    AGAINST,
    ALL,
    FOR,
    NEGATIVE,
    PART,
    RECORD,
    SHIFT,
    TIE_BITS,
    TIMED,
    VOICE,
)
from index.sqlite_words import heads

Line = tuple[Any, ...]


def differences(engine: SqliteEngine) -> list[str]:
    """What differs between the documents and what is kept beside them."""
    with engine.reading() as db:
        return list(_differences(db, engine.squeezer))


def _differences(db: sqlite3.Connection, squeezer: Squeezer) -> Iterator[str]:
    names = dict(db.execute("SELECT code, value FROM codes").fetchall())
    tagsets = dict(db.execute("SELECT hash, tags FROM tagsets").fetchall())
    told: Counter[Line] = Counter()
    terms: Counter[str] = Counter()
    ids, addresses, newest = {}, {}, None
    for row, doc in db.execute("SELECT row, doc FROM mentions").fetchall():
        kept = squeezer.whole(doc)
        told.update(_lines(row, kept))
        ids[kept.content["id"]], addresses[row] = row, address(kept.content["url"])
        terms.update({*kept.words.split(), *kept.title_words.split(), *kept.terms.split()})
        seen = int(kept.content["first_seen_at"].timestamp())
        newest = seen if newest is None else max(newest, seen)
    found = Counter(_stored(db, names, tagsets))
    if found != told:
        yield f"sheets: {list((told - found) + (found - told))[:3]}"
    if dict(db.execute("SELECT id, row FROM ids").fetchall()) != ids:
        yield "ids are not those of the documents"
    if dict(db.execute("SELECT row, address FROM seen").fetchall()) != addresses:
        yield "counters or addresses are not those of the documents"
    if db.execute("SELECT value FROM meta WHERE name = 'latest'").fetchone()[0] != newest:
        yield "the newest moment is another"
    db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.terms USING fts5vocab(main, fts, row)")
    if dict(db.execute("SELECT term, doc FROM temp.terms").fetchall()) != terms:
        yield "fts has other words than the documents"


def _lines(row: int, kept: Kept) -> Iterator[Line]:
    """What stands in the sheets of a document: one line for all, one for each brand."""
    content = kept.content
    at = content["published_at"] or content["first_seen_at"]
    place = int(at.timestamp()) << TIE_BITS | tie(content["id"])
    flags = NEGATIVE * (content["polarity"] == "negative") | VOICE * content["voice"]
    flags |= TIMED * (content["published_at"] is not None or not content["backfill"])
    towards = {"": 0}
    for hit in content["brands"]:
        mark = {"negative": AGAINST, "positive": FOR}.get(hit["polarity"], 0)
        towards[hit["brand"]] = towards.get(hit["brand"], 0) | mark
    risk = -1.0 if content["risk"] is None else content["risk"]
    words = tuple(dict.fromkeys(content["keywords"]))
    for brand, mark in towards.items():
        mark = AGAINST if mark & AGAINST else mark
        yield (brand, row, place, int(content["first_seen_at"].timestamp()), risk,
               content["source"], (content["event"] or "").lower(), flags | mark, words)  # fmt: skip


def _stored(
    db: sqlite3.Connection, names: dict[int, str], tagsets: dict[int, str]
) -> Iterator[Line]:
    """The same lines as they stand; a part out of its zone or with other heads, or tags unknown, are none."""
    rows = db.execute(
        "SELECT key, facts, heads, words, published_lo, published_hi, seen_lo, seen_hi FROM sheets "
        "JOIN sheet_words USING (key) JOIN zones USING (key) LEFT JOIN sheet_heads USING (key)"
    ).fetchall()
    for key, facts, head, packed, *zone in rows:
        if head != (heads(facts) if key >> SHIFT == ALL else None):
            continue
        codes, at = np.frombuffer(packed, np.uint32).tolist(), 0
        for one in np.frombuffer(facts, RECORD):
            words = tuple(names[code] for code in codes[at : at + int(one["words"])])
            at += int(one["words"])
            place, seen = int(one["place"]), int(one["seen"])
            if (
                zone[0] <= place >> TIE_BITS <= zone[1]
                and zone[2] <= seen <= zone[3]
                and int(one["tags"]) in tagsets
                and (key >> SHIFT != ALL or int(one["row"]) // PART * PART == key)
            ):
                yield (names.get(key >> SHIFT, ""), int(one["row"]), place, seen, float(one["risk"]),
                       names[int(one["source"])], names.get(int(one["event"]), ""),
                       int(one["flags"]), words)  # fmt: skip
