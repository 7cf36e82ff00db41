"""Counts of the embedded engine: how many, when, of what, and which words.

In:  a connection that reads, a query tree, windows. Out: answers of `index.answers`. All are reckoned
from records, so they are exact for any window.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.answers import Bucket, Count, Keyword, Series, Window
from index.ast import All, Node
from index.score import jlh
from index.series import Grid
from index.sqlite_codes import code_of, names, tagsets
from index.sqlite_rows import rows, word_counts
from index.sqlite_sheets import (
    AGAINST,
    FOR,
    NEGATIVE,
    TIMED,
    VOICE,
    Columns,
    Records,
    inside,
    moments_of,
    turns,
)

FEW = 2_000  # are sorted at once
VOICES = ("story", "voice")  # what is counted as distinct
KINDS = 8  # AGAINST, FOR and VOICE, each set or not: (flags >> 1) % KINDS


def counted(found: Columns) -> Count:
    """Posts, distinct stories, and distinct (author, story) voices."""
    return Count(len(found), _distinct(found["story"]), _distinct(found["voice"]))


def counts(
    db: sqlite3.Connection, brands: Sequence[str], window: Window, step_s: int, source: str | None
) -> dict[str, Series]:
    """Dense series per brand, steps aligned to +08:00."""
    grid = Grid.over(window, step_s)
    only = None if source is None else code_of(db, "source", source)
    return {
        brand: _series(turns(db, code_of(db, "brand", brand), window), grid, window, only)
        for brand in brands
    }


def counts_by(
    db: sqlite3.Connection, field: str, node: Node, window: Window | None
) -> list[Bucket]:
    """Posts per value of a tag field, most first."""
    found = rows(db, node, window, ("event" if field == "event" else "tags", "flags"))
    if field == "event":
        return _by_event(db, found)
    hashes, of, posts = np.unique(found["tags"], return_inverse=True, return_counts=True)
    negative = np.bincount(of, found["flags"] & NEGATIVE, len(hashes)).astype(int)
    tags = tagsets(db, hashes.tolist())
    totals: dict[str, list[int]] = {}
    for hashed, n, against in zip(hashes.tolist(), posts.tolist(), negative.tolist(), strict=True):
        for tag in tags[hashed].split():
            name, _, value = tag.partition(":")
            if name == field:
                pair = totals.setdefault(value, [0, 0])
                pair[0], pair[1] = pair[0] + n, pair[1] + against
    buckets = [Bucket(value, posts_, against) for value, (posts_, against) in totals.items()]
    return sorted(buckets, key=lambda b: (-b.posts, b.value))


def _by_event(db: sqlite3.Connection, found: Columns) -> list[Bucket]:
    codes, of, posts = np.unique(found["event"], return_inverse=True, return_counts=True)
    negative = np.bincount(of, found["flags"] & NEGATIVE, len(codes)).astype(int)
    named = names(db, codes.tolist())
    buckets = [
        Bucket(named[code], n, against)
        for code, n, against in zip(codes.tolist(), posts.tolist(), negative.tolist(), strict=True)
        if code
    ]
    return sorted(buckets, key=lambda b: (-b.posts, b.value))


def keywords(
    db: sqlite3.Connection, node: Node, window: Window | None, background: Window, size: int
) -> list[Keyword]:
    """Words by their score, the likeliest first."""
    n, count = word_counts(db, node, window)
    words = np.flatnonzero(count)
    if not len(words):
        return []
    m, usual = word_counts(db, All(), background)
    often = count[words]
    before = np.zeros(len(count), np.int64)
    before[: len(usual)] = usual[: len(count)]
    before = before[words]
    best = _likeliest(often, before, n, m, size)
    named = names(db, words[best].tolist())
    found = [
        Keyword(named[word], a, b, jlh(a, n, b, m))
        for word, a, b in zip(
            words[best].tolist(), often[best].tolist(), before[best].tolist(), strict=True
        )
    ]
    return sorted(found, key=lambda k: (-k.score, -k.count, k.word))[:size]


def _likeliest(
    often: NDArray[Any], before: NDArray[Any], n: int, m: int, size: int
) -> NDArray[np.intp]:
    """The best `size` words by score and count, with all that tie with the last of them."""
    share, usual = often / max(n, 1), (before + 0.5) / max(m, 1)
    score = np.where(share > usual, (share - usual) * share / usual, 0.0)
    order = np.lexsort((-often, -score))
    if len(order) <= size:
        return order
    last = order[size - 1]
    better = (score > score[last]) | ((score == score[last]) & (often >= often[last]))
    return np.flatnonzero(better)


def _series(sheets: Iterable[Records], grid: Grid, window: Window, source: int | None) -> Series:
    """What was counted in each step, from all parts that the window touches."""
    steps = [
        grid.steps(moments_of(found, window)[mask]) * KINDS + (found["flags"][mask] >> 1) % KINDS
        for found in sheets
        for mask in [_counted(found, window, source)]
    ]
    told = np.concatenate(steps) if steps else np.zeros(0, np.int64)
    table = np.bincount(told, minlength=grid.size * KINDS).reshape(-1, KINDS)
    kinds = np.arange(KINDS) << 1
    against, towards, voice = (kinds & flag > 0 for flag in (AGAINST, FOR, VOICE))
    columns = (voice | True, against, voice, against & voice, towards)
    return grid.series([table[:, column].sum(1) for column in columns])


def _counted(found: Records, window: Window, source: int | None) -> NDArray[np.bool_]:
    """Which documents are counted in a series."""
    mask = inside(found, window) & (found["flags"] & TIMED > 0)
    return mask if source is None else mask & (found["source"] == source)


def _distinct(hashes: NDArray[np.uint64]) -> int:
    """How many different ones.

    Each is put into a slot of a table; one of each slot stays there, its equals are done with, and the
    others, a few, try other bits. A third of the time of sorting them all.
    """
    count, shift = 0, 0
    while len(hashes) > FEW and shift < 48:
        bits = max(len(hashes), 2).bit_length() + 1
        slots = (hashes >> np.uint64(shift) & np.uint64((1 << bits) - 1)).astype(np.intp)
        table, used = np.empty(1 << bits, np.uint64), np.zeros(1 << bits, np.bool_)
        table[slots], used[slots] = hashes, True
        count += int(np.count_nonzero(used))
        hashes = hashes[table[slots] != hashes]
        shift += 11
    ordered = np.sort(hashes)
    return count + len(ordered[:1]) + int(np.count_nonzero(ordered[1:] != ordered[:-1]))
