"""Hashed features of texts: characters 1-3 with edge marks, words, pairs of words with none or one between.

In:  texts in any form; they are made plain here.
Out: a Batch in compressed rows, each of its two blocks L2-normalised after 1 + log(tf) and idf.
The words come from the plain dictionary, never the plan's, so a plan cannot move the polarity.

Source: Weinberger et al. 2009, ICML, Feature hashing for large scale multitask learning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from nlp.reading import plain

CHAR_BITS = 21
WORD_BITS = 20
SIZE = (1 << CHAR_BITS) + (1 << WORD_BITS)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_SKIP = np.uint64(0xD6E8FEB86659FD93)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_EDGES = "\x02{}\x03"

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """Rows in compressed form: row i has `columns[starts[i]:starts[i + 1]]` with `values`."""

    starts: Ints
    columns: Ints
    values: Floats

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def rows(self) -> Ints:
        """The row of each entry; every head asks for it."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    @cached_property
    def wide(self) -> NDArray[np.float64]:
        """The values in double precision, in which rows are added up."""
        return self.values.astype(np.float64)


def featurise(texts: Sequence[str], idf: Floats | None = None) -> Batch:
    """Features of `texts`, in order; without `idf` every feature weighs the same."""
    read = [plain(text) for text in texts]
    keys = np.concatenate([_characters(read), _words(read)])
    keys, counts = np.unique(keys, return_counts=True)
    rows, columns = keys // SIZE, keys % SIZE
    values = (1.0 + np.log(counts)).astype(np.float32)
    if idf is not None:
        values *= idf[columns]
    block = rows * 2 + (columns >= (1 << CHAR_BITS))
    square = np.bincount(block, weights=values * values, minlength=2 * len(read))
    values /= np.sqrt(np.maximum(square, 1e-12))[block].astype(np.float32)
    starts = np.searchsorted(rows, np.arange(len(read) + 1))
    return Batch(starts.astype(np.int64), columns, values.astype(np.float32))


def _characters(texts: Sequence[str]) -> Ints:
    """Key row * SIZE + bucket of each run of 1-3 characters."""
    marked = [_EDGES.format(text) for text in texts]
    codes = np.frombuffer("".join(marked).encode("utf-32-le", "replace"), np.uint32)
    codes = codes.astype(np.uint64)
    rows = np.repeat(np.arange(len(texts)), [len(text) for text in marked])
    hashed, keys = codes + np.uint64(1), []
    for length in (1, 2, 3):
        if length > 1:
            hashed = hashed[:-1] * _STEP + codes[length - 1 :]
        same = rows[: len(hashed)] == rows[length - 1 :]
        if length == 1:
            same &= codes > 3
        keys.append(_bucket(hashed[same], CHAR_BITS) + rows[: len(hashed)][same] * SIZE)
    return np.concatenate(keys)


def _words(texts: Sequence[str]) -> Ints:
    cut = [_cut(text) for text in texts]
    rows = np.repeat(np.arange(len(texts)), [len(words) for words in cut])
    hashed = np.array([_word_hash(word) for words in cut for word in words], np.uint64)
    keys = [_bucket(hashed, WORD_BITS) + rows * SIZE]
    for apart, salt in ((1, _STEP), (2, _SKIP)):  # 不 好用; 不 太 好用
        pairs = hashed[:-apart] * salt + hashed[apart:]
        same = rows[:-apart] == rows[apart:]
        keys.append(_bucket(pairs[same], WORD_BITS) + rows[:-apart][same] * SIZE)
    return np.concatenate(keys) + (1 << CHAR_BITS)


def word_columns(words: Sequence[str]) -> Ints:
    """Columns of single words, for a look at their idf."""
    hashed = np.array([_word_hash(word) for word in words], np.uint64)
    return _bucket(hashed, WORD_BITS) + (1 << CHAR_BITS)


def _bucket(hashed: NDArray[np.uint64], bits: int) -> Ints:
    mixed = (hashed ^ (hashed >> np.uint64(30))) * _MIX
    return (mixed >> np.uint64(64 - bits)).astype(np.int64)


def _cut(text: str) -> list[str]:
    return [word for word in _jieba().cut(text) if not word.isspace()]


@cache
def _word_hash(word: str) -> int:
    return xxhash.xxh64_intdigest(word.encode("utf-8", "replace"))


@cache
def _jieba() -> Any:
    import rjieba

    return rjieba.Jieba()
