"""Which texts share most of their words: 4-grams, MinHash bands, exact Jaccard.

In:  fingerprints (letters and digits only). Out: Grams, the hashed 4-grams of each text in order and
as a sorted set; keys, of which near-copies share one; how much two sets share. All of it depends on
the text alone: the same bytes on every machine, in every batch.

Source: Broder 1997, SEQUENCES, On the resemblance and containment of documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

SIZE = 4
BANDS, ROWS = 16, 4
PARTS, HEAD = 3, 10
KEYS = BANDS + PARTS + 1
MAX_LETTERS = 2000  # an article is told by its beginning
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_SEED = 20261121
_TABLE_BITS = 22
_EDGES = "\x02" * (SIZE - 1) + "{}" + "\x03" * (SIZE - 1)

Hashes = NDArray[np.uint32]
Keys = NDArray[np.uint64]


@dataclass(frozen=True)
class Grams:
    """4-grams of texts; row i of `ordered` holds those of text i with its edges, of `sets` the inner ones."""

    ordered: Hashes
    ordered_starts: NDArray[np.int64]
    sets: Hashes
    set_starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.set_starts) - 1

    def sequence(self, n: int) -> Hashes:
        """The 4-grams of one text in order, three over each edge: a letter stands in four of them."""
        return self.ordered[self.ordered_starts[n] : self.ordered_starts[n + 1]]

    def set(self, n: int) -> Hashes:
        """The distinct 4-grams of one text, sorted, without those over the edges."""
        return self.sets[self.set_starts[n] : self.set_starts[n + 1]]


def grams(texts: Sequence[str]) -> Grams:
    """Hashed 4-grams of texts; each needs 4 letters or more.

    Raises:
        ValueError: a text is too short to have one.
    """
    cut = [text[:MAX_LETTERS] for text in texts]
    if any(len(text) < SIZE for text in cut):
        raise ValueError(f"a text under {SIZE} letters has no {SIZE}-grams")
    if not cut:
        none = np.zeros(0, np.uint32)
        return Grams(none, np.zeros(1, np.int64), none, np.zeros(1, np.int64))
    marked = "".join(_EDGES.format(text) for text in cut)
    codes = np.frombuffer(marked.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    hashed = codes[: 1 - SIZE] + np.uint64(1)
    for n in range(1, SIZE):
        hashed = hashed * _STEP + codes[n : len(codes) - SIZE + 1 + n]
    mixed = _mixed(hashed) >> np.uint64(32)
    sizes = np.array([len(text) for text in cut])
    starts = np.concatenate([[0], np.cumsum(sizes + 2 * (SIZE - 1))])
    rows = np.repeat(np.arange(len(cut)), sizes + 2 * (SIZE - 1))[: len(mixed)]
    place = np.arange(len(mixed)) - starts[rows]
    whole = place < sizes[rows] + SIZE - 1
    inner = (place >= SIZE - 1) & (place < sizes[rows])
    keys = np.sort((rows[inner].astype(np.uint64) << np.uint64(32)) | mixed[inner])
    keys = keys[np.diff(keys, prepend=~keys[:1]) != 0]
    set_starts = np.searchsorted(keys >> np.uint64(32), np.arange(len(cut) + 1, dtype=np.uint64))
    ordered_starts = np.concatenate([[0], np.cumsum(sizes + SIZE - 1)])
    return Grams(mixed[whole].astype(np.uint32), ordered_starts, keys.astype(np.uint32), set_starts)


def inner_set(sequence: Hashes) -> Hashes:
    """The set of a text whose 4-grams are given in order."""
    ordered = np.sort(
        sequence[SIZE - 1 : 1 - SIZE]
    )  # np.unique hashes, which takes ten times as long
    distinct: Hashes = ordered[np.diff(ordered, prepend=~ordered[:1]) != 0]
    return distinct


def lookup_keys(texts: Sequence[str], of: Grams) -> Keys:
    """Keys by which texts find each other, shape (texts, 20), the same for near-copies in one column.

    Bands for what shares 75 % of its 4-grams (one meets in 99.8 %); the thirds of the text, of which
    two changed letters leave one; its head, which a cut leaves.
    """
    parts = [_exact(text[:MAX_LETTERS]) for text in texts]
    exact = np.array(parts, np.uint64).reshape(-1, PARTS + 1)
    return np.concatenate([bands(of), exact], axis=1)


def bands(of: Grams) -> Keys:
    """Band keys of MinHash signatures with 64 permutations, shape (texts, 16)."""
    if not len(of):
        return np.zeros((0, BANDS), np.uint64)
    factor, offset = _permutations()
    keys = np.empty((len(of), BANDS), np.uint64)
    for band in range(BANDS):
        key = np.full(len(of), band + 1, np.uint64)
        for n in range(band * ROWS, (band + 1) * ROWS):
            smallest = np.minimum.reduceat(of.sets * factor[n] + offset[n], of.set_starts[:-1])
            key = key * _STEP + smallest
        keys[:, band] = _mixed(key)
    return keys


def shared(one: Hashes, other: Hashes) -> int:
    """How many 4-grams two sets have in common."""
    return len(np.intersect1d(one, other, assume_unique=True))


def rows_with(keys: Keys, wanted: Keys) -> NDArray[np.int64]:
    """Rows of `keys` (one a text) that hold one of the `wanted` keys, rising.

    A table of 4 MB sorts out what cannot match: a week of stories is looked through in milliseconds.
    """
    if not len(keys) or not len(wanted):
        return np.zeros(0, np.int64)
    mask = np.uint64((1 << _TABLE_BITS) - 1)
    table = np.zeros(1 << _TABLE_BITS, np.bool_)
    table[wanted & mask] = True
    maybe = np.flatnonzero(table[keys & mask].any(axis=1))
    return maybe[among(keys[maybe], np.sort(wanted)).any(axis=1)]


def among(keys: Keys, ordered: Keys) -> NDArray[np.bool_]:
    """Which keys are among the sorted ones (np.isin takes ten times as long)."""
    if not len(ordered):
        return np.zeros(keys.shape, np.bool_)
    places = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
    found: NDArray[np.bool_] = ordered[places] == keys
    return found


def _exact(text: str) -> list[int]:
    size = len(text)
    cuts = [size * n // PARTS for n in range(PARTS + 1)]
    thirds = [f"{n} {size} {text[cuts[n] : cuts[n + 1]]}" for n in range(PARTS)]
    return [xxhash.xxh3_64_intdigest(part.encode()) for part in (*thirds, f"head {text[:HEAD]}")]


def _mixed(hashed: Keys) -> Keys:
    mixed = (hashed ^ (hashed >> np.uint64(30))) * _MIX
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), np.uint64)


def _permutations() -> tuple[Hashes, Hashes]:
    random = np.random.Generator(np.random.PCG64(_SEED))
    draws = random.integers(0, 1 << 32, size=(2, BANDS * ROWS), dtype=np.uint32)
    return draws[0] | np.uint32(1), draws[1]
