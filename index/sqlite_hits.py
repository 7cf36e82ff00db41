"""Posts as answers of the embedded engine: pages, single documents, all that match.

In:  a connection that reads, queries, numbers of documents. Out: Hits and pages.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.answers import Hit, SearchPage, Sort, Window
from index.ast import All, Node
from index.body import shown
from index.document import COUNTERS, to_hit
from index.highlight import spans
from index.sqlite_body import Squeezer
from index.sqlite_file import File
from index.sqlite_questions import VOICES, counted
from index.sqlite_rows import rows
from index.sqlite_sheets import Columns, sheet_from
from keqing.errors import UsageError

EXPORTED = 500  # posts of one page of an export
Cursor = tuple[float, int, int]  # key, place and row of the last hit shown


def page(
    db: sqlite3.Connection,
    squeezer: Squeezer,
    node: Node,
    window: Window | None,
    sort: Sort,
    size: int,
    cursor: str | None,
    fold: bool,
) -> SearchPage:
    """One page; `fold` shows of a story its first post, `detail["similar"]` counts the copies."""
    after = _read(cursor)
    found = rows(db, node, window, ("row", "place", *VOICES, *({"risk"} & {sort})))
    keys = _keys(db, found, sort)
    order = _folded(found, keys) if fold else _first(found, keys, after, size + 1)
    if after is not None:
        order = order[_past(found, keys, after)[order]]
    top = order[:size]
    numbers = found["row"][top].tolist()
    story = found["story"]
    same = {row: int(np.count_nonzero(story == story[n]))
            for row, n in zip(numbers, top, strict=True)}  # fmt: skip
    hits = of_rows(db, squeezer, numbers, node, same)
    last = None if len(order) <= size else top[-1]
    more = None if last is None else json.dumps(
        [keys[last].item(), found["place"][last].item(), numbers[-1]])  # fmt: skip
    as_of = latest(db) or datetime.fromtimestamp(0, UTC)
    return SearchPage(tuple(hits), counted(found), more, as_of)


def of_rows(
    db: sqlite3.Connection,
    squeezer: Squeezer,
    numbers: Sequence[int],
    node: Node,
    same: Mapping[int, int],
) -> list[Hit]:
    """Documents by number, in the order given, with marks for the words of `node`; missing ones
    are left out.
    """
    hits = []
    sql = f"SELECT doc, collected_at, {', '.join(COUNTERS)} FROM mentions JOIN seen USING (row)"
    for row in numbers:
        stored = db.execute(f"{sql} WHERE row = ?", (row,)).fetchone()
        if stored is None:
            continue
        doc, collected_at, *counters = stored
        kept = squeezer.whole(doc)
        values = shown(kept.content, datetime.fromtimestamp(collected_at / 1_000_000, UTC))
        values["detail"]["similar"] = same.get(row, 1)
        marks = spans(node, kept.words.split(), values["text"] or "")
        hits.append(to_hit(values, dict(zip(COUNTERS, counters, strict=True)), marks))
    return hits


def of_ids(db: sqlite3.Connection, squeezer: Squeezer, ids: Sequence[str]) -> list[Hit]:
    """Documents by id, in the order asked; missing ones are left out."""
    found = (db.execute("SELECT row FROM ids WHERE id = ?", (id_,)).fetchone() for id_ in ids)
    return of_rows(db, squeezer, [row[0] for row in found if row is not None], All(), {})


def every(
    file: File, squeezer: Squeezer, node: Node, window: Window | None, as_of: datetime
) -> Iterator[Hit]:
    """Every match first seen before `as_of`, newest first.

    The matches of that moment are fixed at once; each page is read in a transaction of its own, so
    that no log grows while somebody reads slowly. What changes meanwhile comes in its newer form,
    what is erased is left out.
    """
    with file.reading() as db:
        found = rows(db, node, window, ("row", "place", "seen"))
        found = found.take(np.flatnonzero(found["seen"] < as_of.timestamp()))
        found = found.take(_sorted(found, found["place"]))
        begin = db.execute("SELECT value FROM meta WHERE name = 'next'").fetchone()[0]
    for at in range(0, len(found), EXPORTED):
        part = found.take(np.arange(at, min(at + EXPORTED, len(found))))
        with file.reading() as db:
            newer = _newer(db, begin, part["place"])
            pairs = zip(part["place"].tolist(), part["row"].tolist(), strict=True)
            numbers = [newer.get(place, row) for place, row in pairs]
            hits = of_rows(db, squeezer, numbers, node, {})
        yield from hits


def _newer(db: sqlite3.Connection, begin: int, places: NDArray[Any]) -> dict[int, int]:
    """New numbers, by place, of documents that changed since `begin` was the next number."""
    since = sheet_from(db, begin, ("place", "row"))
    since = since.take(np.flatnonzero(np.isin(since["place"], places)))
    return dict(zip(since["place"].tolist(), since["row"].tolist(), strict=True))


def latest(db: sqlite3.Connection) -> datetime | None:
    """Newest first sight."""
    newest = db.execute("SELECT value FROM meta WHERE name = 'latest'").fetchone()[0]
    return None if newest is None else datetime.fromtimestamp(newest, UTC)


def alarms(db: sqlite3.Connection, window: Window, min_confidence: float) -> list[int]:
    """Numbers of the posts about a brand with an asserted severity class, oldest first."""
    clock = "first_seen_at" if window.clock == "first_seen" else "(place >> 31)"
    found = db.execute(
        f"SELECT row FROM severe WHERE {clock} >= ? AND {clock} < ? AND severity >= ? "
        "ORDER BY first_seen_at, place",
        (*window.seconds(), min_confidence),
    )
    return [row[0] for row in found]


def _read(cursor: str | None) -> Cursor | None:
    if cursor is None:
        return None
    try:
        key, place, row = json.loads(cursor)
        return key + 0, place + 0, row + 0
    except (ValueError, TypeError) as error:
        raise UsageError(f"cursor {cursor!r} is none of ours; start at the first page") from error


def _keys(db: sqlite3.Connection, found: Columns, sort: Sort) -> NDArray[Any]:
    """What a sort looks at first, for each record."""
    if sort == "time":
        return np.asarray(found["place"])
    if sort == "risk":
        return np.asarray(found["risk"])
    if sort == "similar":
        _, of, copies = np.unique(found["story"], return_inverse=True, return_counts=True)
        return np.asarray(copies[of])
    return _interactions(db, found["row"])


def _interactions(db: sqlite3.Connection, numbers: NDArray[Any]) -> NDArray[Any]:
    sums = db.execute(
        "SELECT coalesce(likes, 0) + coalesce(comments, 0) + coalesce(reposts, 0) "
        "FROM json_each(?) j JOIN seen ON row = j.value ORDER BY j.id",
        (str(numbers.tolist()),),
    )
    return np.array([row[0] for row in sums], np.int64)


def _first(found: Columns, keys: NDArray[Any], after: Cursor | None, size: int) -> NDArray[np.intp]:
    """The first `size` records after a cursor, and those that tie with the last of them."""
    rest = np.arange(len(found)) if after is None else np.flatnonzero(_past(found, keys, after))
    if len(rest) > size:
        least = np.partition(keys[rest], -size)[-size]
        rest = rest[keys[rest] >= least]
    return rest[_sorted(found.take(rest), keys.take(rest))]


def _folded(found: Columns, keys: NDArray[Any]) -> NDArray[np.intp]:
    """The first record of each story, in order."""
    order = _sorted(found, keys)
    _, first = np.unique(found["story"][order], return_index=True)
    return order[np.sort(first)]


def _sorted(found: Columns, keys: NDArray[Any]) -> NDArray[np.intp]:
    """By key, then second and tie, each the greatest first; the number keeps equal ones apart."""
    return np.lexsort((found["row"], found["place"], keys))[::-1]


def _past(found: Columns, keys: NDArray[Any], after: Cursor) -> NDArray[np.bool_]:
    """Which records come after a cursor."""
    key, place, row = after
    later = (found["place"] < place) | ((found["place"] == place) & (found["row"] < row))
    mask: NDArray[np.bool_] = (keys < key) | ((keys == key) & later)
    return mask
