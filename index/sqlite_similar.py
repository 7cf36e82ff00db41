"""Similar posts in the embedded engine: brute force over the vectors of a brand and window.

In:  a connection that reads, a post's id. Out: numbers of the likest stories' posts with cosines.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np

from index.answers import Window
from index.similar import cosines
from index.sqlite_body import Squeezer
from index.sqlite_codes import brands
from index.sqlite_sheets import Columns, sheet

NEWEST = 100_000  # vectors of one question: 51 MB, 50 ms


def nearest(
    db: sqlite3.Connection, squeezer: Squeezer, post_id: str, window: Window | None, size: int
) -> list[tuple[int, float]]:
    """(number, cosine) of other stories about one of the post's brands, likest first."""
    doc = db.execute(
        "SELECT doc FROM ids JOIN mentions USING (row) WHERE id = ?", (post_id,)
    ).fetchone()
    if doc is None:
        return []
    post = squeezer.whole(doc[0]).content
    own = db.execute(
        "SELECT vector FROM vectors WHERE story = ? ORDER BY place LIMIT 1", (post["story"],)
    ).fetchone()
    if own is None:
        return []
    codes = brands(db)
    sheets = [sheet(db, codes[hit["brand"]], window, ("row", "place")) for hit in post["brands"]]
    rows = _with_vectors(db, sheets, post["story"])
    if not rows:
        return []
    like = np.round(cosines(own[0], [row[1] for row in rows]), 6)
    least = np.sort(like)[-min(size, len(rows))]
    best = [
        (-float(like[n]), _id(db, squeezer, rows[n][0]), n) for n in np.flatnonzero(like >= least)
    ]
    return [(rows[n][0], float(np.round(like[n], 4))) for _, _, n in sorted(best)[:size]]


def _with_vectors(
    db: sqlite3.Connection, sheets: Sequence[Columns], story: str
) -> list[tuple[int, bytes]]:
    """Numbers and vectors of the other stories' posts, the newest NEWEST of them."""
    if not sheets:
        return []
    numbers, places = (np.concatenate([one[name] for one in sheets]) for name in ("row", "place"))
    newest = np.unique(numbers[np.argsort(places)[::-1][: 10 * NEWEST]])
    return db.execute(
        "SELECT row, vector FROM json_each(?) JOIN vectors ON row = value WHERE story <> ? "
        "ORDER BY place DESC LIMIT ?",
        (str(newest.tolist()), story, NEWEST),
    ).fetchall()


def _id(db: sqlite3.Connection, squeezer: Squeezer, row: int) -> str:
    doc = db.execute("SELECT doc FROM mentions WHERE row = ?", (row,)).fetchone()
    return str(squeezer.whole(doc[0]).content["id"])
