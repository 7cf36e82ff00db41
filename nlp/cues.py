"""All words of all lexicons found in one pass over a text.

In:  a flat text (nlp.text.flat); terms of an installation's own. Out: Cues by kind of lexicon, in order of place. A word inside a
longer one that says the same kind of thing is no cue of its own: 不好喝 holds no 好喝.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import ahocorasick

from nlp.lexicon import KINDS, Entry, entries

Found = dict[str, list["Cue"]]


class Cue(NamedTuple):
    """One word of a lexicon at its place."""

    start: int
    end: int
    entry: Entry


class Scanner:
    """All terms in one automaton; build it once a process.

    Args:
        own: terms of an installation; they stand in place of shipped ones of the same kind, name
            and writing.
    """

    def __init__(self, own: Iterable[Entry] = ()) -> None:
        shipped = [entry for kind in KINDS for entry in entries(kind)]
        own = list(own)
        replaced = {(e.kind, e.name, e.term) for e in own}
        held = [e for e in shipped if (e.kind, e.name, e.term) not in replaced]
        self._automaton = _automaton([*held, *own])

    def scan(self, text: str) -> Found:
        """Cues of every kind; Latin terms only as whole words."""
        groups: dict[str, list[Cue]] = {}
        for last, held in self._automaton.iter(text):
            end = last + 1
            for size, latin, group, entry in held:
                start = end - size
                if latin and (_latin(text[start - 1 : start]) or _latin(text[end : end + 1])):
                    continue
                kept = groups.get(group)
                if kept is None:
                    groups[group] = [Cue(start, end, entry)]
                elif kept[-1].end <= start:
                    kept.append(Cue(start, end, entry))
                else:
                    _keep(kept, Cue(start, end, entry))
        found: Found = {}
        for cues in groups.values():
            found.setdefault(cues[0].entry.kind, []).extend(cues)
        return found


@cache
def shipped() -> Scanner:
    """The lists that ship."""
    return Scanner()


def scan(text: str) -> Found:
    """Cues of the shipped lists."""
    return shipped().scan(text)


def _keep(cues: list[Cue], new: Cue) -> None:
    """Add `new` unless a kept cue covers it; what it covers goes."""
    while cues and cues[-1].start >= new.start and cues[-1].end < new.end:
        cues.pop()
    if not cues or cues[-1].start > new.start or cues[-1].end < new.end or _same(cues[-1], new):
        cues.append(new)


def _same(one: Cue, other: Cue) -> bool:
    return one.start == other.start and one.end == other.end


def _latin(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _automaton(entries_: Iterable[Entry]) -> Any:
    automaton = ahocorasick.Automaton()
    payloads: dict[str, list[tuple[int, bool, str, Entry]]] = {}
    for entry in entries_:
        group = entry.kind if entry.kind == "opinion" else f"{entry.kind}:{entry.name}"
        latin = entry.term.isascii() and entry.term.isalnum()
        held = payloads.setdefault(entry.term, [])
        held.append((len(entry.term), latin, group, entry))
    for term, held in payloads.items():
        automaton.add_word(term, held)
    automaton.make_automaton()
    return automaton
