"""Word lists as data: `class<TAB>…terms` with comment lines, read once a process.

In:  a file name under lexicons/. Out: rows of cells.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "lexicons"


@cache
def rows(name: str) -> tuple[tuple[str, ...], ...]:
    """Cells of each line that is no comment."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return tuple(tuple(line.split("\t")) for line in lines if line and not line.startswith("#"))


@cache
def version() -> str:
    """Changes when any list changes."""
    files = sorted(FOLDER.glob("*.tsv"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
