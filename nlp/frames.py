"""Comparison frames: A比B好, A不如B, 还是B好 … read before any classifier.

In:  a flat text and the brands named in it ("" = a rival the plan does not name), by place.
Out: per brand 1 praised, -1 blamed, 0 neither; brands that no frame settles are left out.
The frames are data (lexicons/frames.toml); brands become single marks, so that a pattern can tell
any brand from other words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from nlp.lexicon import FOLDER, entries, words

FIRST, UNNAMED = 0xE100, "\ue1ff"
MOST = 0xFE  # brands of one text that get a mark of their own
STOP = "。！？!?；;\\n\ue100-\ue1ff"
TIGHT = f"{STOP}，,"
Place = tuple[int, int, str]  # start, end, brand


@dataclass(frozen=True)
class Frame:
    """A pattern over marked text and what it says of the brands in it."""

    pattern: re.Pattern[str]
    says: tuple[tuple[str, int], ...]  # group name, verdict
    alone: bool


def verdicts(text: str, places: Sequence[Place]) -> dict[str, int]:
    """Verdict per brand; the first frame that matches settles it."""
    brands = list(dict.fromkeys(brand for _, _, brand in places if brand))[:MOST]
    if not brands:
        return {}
    several = len({brand for _, _, brand in places}) > 1
    marked = mark(text, places, brands)
    answer: dict[str, int] = {}
    for frame in _frames():
        if several or frame.alone:
            for found in frame.pattern.finditer(marked):
                _settle(answer, frame, found)
    return {brands[ord(m) - FIRST]: v for m, v in answer.items() if m != UNNAMED}


def _settle(answer: dict[str, int], frame: Frame, found: re.Match[str]) -> None:
    """Add what a frame says; a brand is not compared with itself."""
    marks = found.groupdict()
    if marks.get("A") != marks.get("B"):
        for group, value in frame.says:
            answer.setdefault(found[group], value)


def mark(text: str, places: Sequence[Place], brands: Sequence[str]) -> str:
    """The text with one mark for each named brand."""
    parts, at = [], 0
    for start, end, brand in places:
        known = brand in brands
        parts += [text[at:start], chr(FIRST + brands.index(brand)) if known else UNNAMED]
        at = end
    return "".join([*parts, text[at:]])


@cache
def others() -> re.Pattern[str]:
    """A rival without a name."""
    return _either(_book()["others"])


@cache
def _book() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "frames.toml").read_text(encoding="utf-8"))


def _either(cell: str) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(words(cell), key=len, reverse=True))))


@cache
def _frames() -> tuple[Frame, ...]:
    book = _book()
    held = entries("opinion")
    good = [e.term for e in held if e.value > 0 and e.name in ("good", "great")]
    bad = [e.term for e in held if e.value < 0 and e.name in ("bad", "awful")]
    macros = {
        "{A}": f"(?P<A>[\ue100-\ue1ff])(?:(?:家|店)?的[^{TIGHT}]{{1,8}}?)?",
        "{B}": f"(?P<B>[\ue100-\ue1ff])(?:(?:家|店)?的[^{TIGHT}]{{1,8}}?)?",
        "{O}": f"(?P<O>{UNNAMED})",
        "{G}": f"(?:{_longest(good, book['good'])})",
        "{X}": f"(?:{_longest(bad, book['bad'])})",
        "{n}": f"[^{TIGHT}]{{0,4}}?",
        "{g}": f"[^{TIGHT}]{{0,10}}?",
        "{h}": f"[^{STOP}]{{0,16}}?",
        "{stop}": TIGHT,
    }
    return tuple(_frame(row, macros) for row in book["frame"])


def _longest(terms: Sequence[str], more: str) -> str:
    """Either of these words, not negated right before."""
    either = "|".join(map(re.escape, sorted({*terms, *words(more)}, key=len, reverse=True)))
    return f"(?<![不没])(?:{either})"


def _frame(row: dict[str, Any], macros: dict[str, str]) -> Frame:
    pattern = row["pattern"]
    for macro, meaning in macros.items():
        pattern = pattern.replace(macro, meaning)
    says = tuple((group, int(row[group])) for group in ("A", "B") if group in row)
    return Frame(re.compile(pattern), says, bool(row.get("alone", False)))
