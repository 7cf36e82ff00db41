"""What is counted of new documents, packed for the sheets.

In:  Documents with their numbers. Out: records and codes of keywords, by the codes of brands.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import xxhash

from index.document import Document, tie
from index.sqlite_codes import Codes, hash_of
from index.sqlite_parts import New
from index.sqlite_sheets import AGAINST, ALL, FOR, NEGATIVE, TIE_BITS, TIMED, VOICE, pack


class FoundBy(NamedTuple):
    """A document's number, its place in the order, its tags, and those of them that are counted."""

    row: int
    place: int
    tags: str
    counted: str
    hash: int


def facts(
    db: sqlite3.Connection,
    codes: Codes,
    documents: Sequence[Document],
    found_by: Sequence[FoundBy],
) -> dict[int, list[New]]:
    """Packed records of the documents, by the codes of their brands; ALL has every one."""
    codes.begin(db)
    words = codes.learn(db, "word", chain.from_iterable([doc.keywords for doc in documents]))
    sources = codes.learn(db, "source", [doc.source for doc in documents])
    brands = codes.learn(db, "brand", [hit[0] for doc in documents for hit in doc.brands])
    events = codes.learn(db, "event", filter(None, [doc.event for doc in documents]))
    codes.keep(db, {one.hash: one.counted for one in found_by})
    sheets: dict[int, list[New]] = {ALL: []}
    for doc, one in zip(documents, found_by, strict=True):
        keywords = [words[word] for word in doc.keywords[:255]]
        packed_words = array("I", keywords).tobytes()
        flags = NEGATIVE * (doc.polarity == "negative") | VOICE * doc.voice | TIMED * doc.timed
        story, voice = hashed(doc.story), hashed(f"{doc.author} {doc.story}")
        source, event = sources[doc.source], events[doc.event] if doc.event else 0
        for code, towards in _towards(doc, brands):
            fact = pack(one.place, doc.first_seen_at, story, voice, one.hash, doc.risk, one.row,
                        source, event, flags | towards, len(keywords))  # fmt: skip
            sheets.setdefault(code, []).append((one.row, fact, packed_words))
    return sheets


def hashed(text: str) -> int:
    return xxhash.xxh3_64_intdigest(text.encode())


def _towards(doc: Document, brands: Mapping[str, int]) -> Iterable[tuple[int, int]]:
    """The codes under which a document is counted, with its flags of feeling towards the brand."""
    flags = {ALL: 0}
    for brand, negative, positive in doc.brands:
        code = brands[brand]
        flags[code] = flags.get(code, 0) | AGAINST * negative | FOR * positive
    return [(code, AGAINST if flag & AGAINST else flag) for code, flag in flags.items()]


def found_by(row: int, doc: Document) -> FoundBy:
    terms = doc.terms
    counted = " ".join(sorted(terms.split(" ")[: doc.counted]))
    place = doc.published_at << TIE_BITS | tie(doc.id)
    return FoundBy(row, place, terms, counted, hash_of(counted))
