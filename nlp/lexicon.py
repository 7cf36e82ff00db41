"""Word lists as data: files of lexicons/ in two shapes, read once a process.

In:  a file name. Out: rows of cells; or Entries, one a term, of the files with the five columns
name, value, needs, blocks, terms (`-` is an empty cell, lists stand between blanks).
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from keqing.errors import ModelError
from nlp.text import flat

FOLDER = Path(__file__).parent / "lexicons"
COLUMNS = 5


class Entry(NamedTuple):
    """One term, flat, and what it says; `needs` and `blocks` are words beside it."""

    kind: str
    name: str
    value: float
    needs: tuple[str, ...]
    blocks: tuple[str, ...]
    term: str


@cache
def rows(name: str) -> tuple[tuple[str, ...], ...]:
    """Cells of each line that is no comment."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return tuple(tuple(line.split("\t")) for line in lines if line and not line.startswith("#"))


@cache
def entries(kind: str) -> tuple[Entry, ...]:
    """Every term of `lexicons/<kind>.tsv`.

    Raises:
        ModelError: a line has other columns or a value that is no number; names file and line.
    """
    return tuple(entry for cells in rows(f"{kind}.tsv") for entry in _entries(kind, cells))


def words(cell: str) -> tuple[str, ...]:
    """Flat words of a cell."""
    return () if cell == "-" else tuple(flat(word) for word in cell.split())


@cache
def version() -> str:
    """Changes when any list changes."""
    files = sorted(path for path in FOLDER.iterdir() if path.suffix in (".tsv", ".toml"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def _entries(kind: str, cells: tuple[str, ...]) -> list[Entry]:
    try:
        name, value, needs, blocks, terms = cells
        number = float(value)
    except ValueError as error:
        shown = " | ".join(cells)[:60]
        raise ModelError(
            f"lexicons/{kind}.tsv: {COLUMNS} columns with a number second are needed: {shown}"
        ) from error
    beside = words(needs), words(blocks)
    return [Entry(kind, name, number, *beside, term) for term in dict.fromkeys(words(terms))]
