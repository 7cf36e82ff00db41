"""Administrative names of China in a text, with their GB/T 2260 codes.

In:  flat text. Out: Spots, leftmost and longest first, each with the places it may mean. Whether a
spot says where something happened is nlp.region's work. The names are lexicons/places.tsv.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import ahocorasick

from keqing.errors import ModelError
from nlp import lexicon
from nlp.text import flat

FILE = "places.tsv"
NO_PLACE = "-"
CODE = re.compile(r"\d{6}")


@dataclass(frozen=True, order=True)
class Place:
    """A province (code xx0000), city (xxxx00) or county; `name` as the register writes it."""

    code: str
    name: str

    @property
    def depth(self) -> int:
        """0 for a province, 1 for a city, 2 for a county."""
        return 0 if self.code.endswith("0000") else 1 if self.code.endswith("00") else 2

    @property
    def province(self) -> str:
        """Short name of its province, as IP属地 writes it: 山东, 内蒙古, 香港."""
        return provinces()[self.code[:2]]

    @property
    def whole(self) -> str:
        """Province and name, e.g. 山东青岛市; a province alone is not said twice."""
        return self.province + self.name if self.depth else self.province


@dataclass(frozen=True)
class Spot:
    """A writing at `start:stop` and what it may mean; `weak` writings are words of their own too."""

    start: int
    stop: int
    places: tuple[Place, ...]
    full: bool
    weak: bool


def spots(plain: str) -> Iterator[Spot]:
    """Names in a flat text; where two overlap the one that begins first, of those the longest."""
    found = [
        (last + 1 - size, -size, hit) for last, (size, hit) in _automaton().iter(plain) if plain
    ]
    end = 0
    for start, minus, hit in sorted(found, key=lambda row: row[:2]):
        if start < end:
            continue
        end = start - minus
        if hit[0]:
            yield Spot(start, end, *hit)


def named(words: str) -> Place | None:
    """The one place that these words write, e.g. 山东青岛, 青岛市, 中国香港; None if unsure."""
    found = [spot for spot in spots(flat(words)) if spot.places]
    sure = {place.code[:2] for spot in found if len(spot.places) == 1 for place in spot.places}
    fitting = [p for spot in found for p in spot.places if len(sure) != 1 or p.code[:2] in sure]
    if not fitting or len({place.code[:2] for place in fitting}) > 1:
        return None
    return max(fitting, key=lambda place: (place.depth, place.code))


@cache
def provinces() -> dict[str, str]:
    """Short name by the first two digits of a code."""
    return {code[:2]: short for code, _, short in _rows() if code.endswith("0000")}


def _rows() -> Iterator[tuple[str, str, str]]:
    for cells in lexicon.rows(FILE):
        if len(cells) != 3 or not (cells[0] == NO_PLACE or CODE.fullmatch(cells[0])):
            raise ModelError(
                f"lexicons/{FILE}: a code of six digits or -, a name and its writings are needed, "
                f"with tabs between: {' | '.join(cells)[:60]}"
            )
        yield cells[0], cells[1], cells[2]


def _short(known: Mapping[str, object]) -> dict[str, list[Place]]:
    """Districts without their last character, where nothing else is written so."""
    found: dict[str, list[Place]] = {}
    for code, name, writings in _rows():
        short = flat(name[:-1])
        if code != NO_PLACE and name.endswith("区") and len(short) == 2 and writings == NO_PLACE:
            if short not in known:
                found.setdefault(short, []).append(Place(code, name))
    return found


@cache
def _automaton() -> Any:
    """Payload of a writing: its length and (places, full name, weak); phrases have no places."""
    of: dict[str, dict[Place, tuple[bool, bool]]] = {}
    for code, name, writings in _rows():
        if code == NO_PLACE:
            of |= {flat(phrase): {} for phrase in writings.split()}
            continue
        place = Place(code, name)
        of.setdefault(flat(name), {})[place] = (True, False)
        for writing in writings.split() if writings != NO_PLACE else ():
            of.setdefault(flat(writing.lstrip("?")), {})[place] = (False, writing[0] == "?")
    for short, places in _short(of).items():  # 广州天河: only with a sign, or behind its city
        of[short] = dict.fromkeys(places, (False, True))
    machine: Any = ahocorasick.Automaton()
    for word, meant in of.items():
        full = all(whole for whole, _ in meant.values())
        weak = any(doubtful for _, doubtful in meant.values())
        machine.add_word(word, (len(word), (tuple(sorted(meant)), full, weak)))
    machine.make_automaton()
    return machine
