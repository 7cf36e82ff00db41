"""Similar posts in the embedded engine: brute force over the vectors of a brand and window.

In:  a way to ask the file, a post's id. Out: rows of the likest stories with their cosines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from index.answers import Window
from index.similar import cosines

NEWEST = 100_000  # vectors of one question: 51 MB, 50 ms
Ask = Callable[[str, Sequence[object]], list[Any]]


def nearest(ask: Ask, post_id: str, window: Window | None, size: int) -> list[tuple[int, float]]:
    """(rowid, cosine) of other stories about one of the post's brands, likest first."""
    own = ask(
        "SELECT v.vector, m.story, v.rowid FROM mentions m JOIN vectors v ON v.story = m.story "
        "WHERE m.id = ? ORDER BY v.rowid LIMIT 1",
        [post_id],
    )
    if not own:
        return []
    vector, story, _ = own[0]
    start, end = window.seconds() if window else (0, 1 << 40)
    clock = "m.first_seen_at" if window and window.clock == "first_seen" else "m.published_at"
    rows = ask(
        "SELECT v.rowid, v.vector, v.story, m.id FROM vectors v JOIN mentions m ON m.rowid = v.rowid "
        f"WHERE v.story <> ? AND {clock} >= ? AND {clock} < ? AND EXISTS (SELECT 1 FROM facts f "
        "WHERE f.rowid_ = v.rowid AND f.brand IN (SELECT g.brand FROM facts g JOIN mentions p ON "
        "p.rowid = g.rowid_ WHERE p.id = ?)) ORDER BY v.rowid DESC LIMIT ?",
        [story, start, end, post_id, NEWEST],
    )
    if not rows:
        return []
    like = cosines(vector, [row[1] for row in rows])
    order = sorted(range(len(rows)), key=lambda n: (-round(float(like[n]), 6), rows[n][3]))
    return [(int(rows[n][0]), float(np.round(like[n], 4))) for n in order[:size]]
