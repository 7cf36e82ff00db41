"""Word lists as data: files of lexicons/ in two shapes, read once a process.

In:  a file name. Out: rows of cells; or Entries, one a term, of the files with the five columns
name, value, needs, blocks, terms (`-` is an empty cell, lists stand between blanks). An
installation's own `lexicons/<kind>.tsv` beside keqing.toml adds terms of its trade; a term that
stands in both is read as the own file says.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from keqing import privacy
from keqing.errors import ModelError
from nlp.text import flat

FOLDER = Path(__file__).parent / "lexicons"
COLUMNS = 5
KINDS = ("opinion", "aspects", "intents", "severity", "emotions", "sarcasm")
CLOSED = ("intents", "emotions", "sarcasm")  # kinds whose names the program knows one by one


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
    return tuple(e for cells in rows(f"{kind}.tsv") for e in _entries(FOLDER, kind, cells))


def own(folder: Path) -> tuple[Entry, ...]:
    """Every term of an installation's own lists; none where there is no such folder.

    Raises:
        ModelError: a file or name that no rule reads, or a broken line; says which.
    """
    found: list[Entry] = []
    for path in sorted(folder.glob("*.tsv")):
        if path.stem not in KINDS:
            raise ModelError(f"{path}: no such list; its name must be one of {', '.join(KINDS)}")
        for line in _lines(path):
            if line.strip() and not line.startswith("#"):
                found += _entries(folder, path.stem, tuple(line.split("\t")))
    for entry in found:
        _check(folder, entry)
    return tuple(found)


def words(cell: str) -> tuple[str, ...]:
    """Flat words of a cell."""
    return () if cell == "-" else tuple(flat(word) for word in cell.split())


def version(own_folder: Path | None = None) -> str:
    """Changes when any list changes, shipped or own, or the code that reads them.

    A comment in the code counts too: rather a version too many than two answers under one.
    """
    files = sorted(path for path in FOLDER.iterdir() if path.suffix in (".tsv", ".toml"))
    files += sorted(own_folder.glob("*.tsv")) if own_folder else []
    files += [*sorted(FOLDER.parent.glob("*.py")), Path(privacy.__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()  # Excel writes the mark
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: not UTF-8; save it as UTF-8 text with tabs") from error


def _check(folder: Path, entry: Entry) -> None:
    where = f"{folder.name}/{entry.kind}.tsv: {entry.term}"
    known = {one.name for one in entries(entry.kind)}
    if entry.kind in CLOSED and entry.name not in known:
        names = "、".join(sorted(known))
        raise ModelError(f"{where}: no rule reads the name {entry.name!r}; use one of {names}")
    if entry.kind == "severity" and not 0 <= entry.value <= 1:
        raise ModelError(f"{where}: a confidence lies between 0 and 1, not {entry.value}")


def _entries(folder: Path, kind: str, cells: tuple[str, ...]) -> list[Entry]:
    try:
        name, value, needs, blocks, terms = cells
        number = float(value)
    except ValueError as error:
        shown = " | ".join(cells)[:60]
        raise ModelError(
            f"{folder.name}/{kind}.tsv: {COLUMNS} columns with tabs between them and a number in "
            f"the second are needed: {shown}"
        ) from error
    beside = words(needs), words(blocks)
    return [Entry(kind, name, number, *beside, term) for term in dict.fromkeys(words(terms))]
