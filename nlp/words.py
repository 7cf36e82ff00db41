"""Words that a person has taken into the dictionary, or turned down: `words.tsv` beside keqing.toml.

In:  the folder of keqing.toml, a word and who decides. Out: the words, a line a decision, newest last.
The segmenter takes accepted words with the plan's, so an accepted word is a new dictionary version.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from keqing.errors import BadConfig, UsageError
from nlp.text import flat

FILE = "words.tsv"
HEAD = (
    "# Words decided by staff: word, accepted or rejected, by, at. Newest line of a word counts.\n"
)
STATES = ("accepted", "rejected")
LONGEST = 20


@dataclass(frozen=True)
class Decision:
    """What a person said of a word."""

    word: str
    state: str
    by: str
    at: str


def decisions(root: Path) -> dict[str, Decision]:
    """The newest decision of each word.

    Raises:
        BadConfig: a line that is no decision; names it.
    """
    path = root / FILE
    if not path.is_file():
        return {}
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line and not line.startswith("#"):
            cells = line.split("\t")
            if len(cells) != 4 or cells[1] not in STATES:
                raise BadConfig(f"{FILE} line {number}: word, {' or '.join(STATES)}, by, at; "
                                f"read: {line[:60]}")  # fmt: skip
            found[cells[0]] = Decision(*cells)
    return found


def accepted(root: Path) -> tuple[str, ...]:
    """Words in the dictionary, sorted."""
    return tuple(sorted(w for w, said in decisions(root).items() if said.state == "accepted"))


def decide(root: Path, words: Iterable[str], state: str, by: str, at: datetime) -> list[Decision]:
    """Write decisions; gives them. The file is replaced whole, so a kill leaves the old one.

    Raises:
        UsageError: no word of 2 to LONGEST characters without blanks.
    """
    said = [Decision(_checked(word), state, by, at.isoformat(timespec="seconds")) for word in words]
    path = root / FILE
    before = path.read_text(encoding="utf-8") if path.is_file() else HEAD
    lines = "".join(f"{one.word}\t{one.state}\t{one.by}\t{one.at}\n" for one in said)
    aside = path.with_name(f".{FILE}.{os.getpid()}")
    aside.write_text(before + lines, encoding="utf-8")
    os.replace(aside, path)
    return said


def _checked(word: str) -> str:
    plain = flat(word.strip())
    if not 2 <= len(plain) <= LONGEST or any(char.isspace() for char in plain):
        raise UsageError(f"{word!r}: a word has 2 to {LONGEST} characters and no blanks")
    return plain
