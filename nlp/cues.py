"""All words of all lexicons found in one pass over a text.

In:  a flat text (nlp.text.flat). Out: Cues by kind of lexicon, in order of place. A word inside a
longer one that says the same kind of thing is no cue of its own: 不好喝 holds no 好喝.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import ahocorasick

from nlp.lexicon import Entry, entries

KINDS = ("opinion", "aspects", "intents", "severity", "emotions", "sarcasm")
Found = dict[str, list["Cue"]]


class Cue(NamedTuple):
    """One word of a lexicon at its place."""

    start: int
    end: int
    entry: Entry


def scan(text: str) -> Found:
    """Cues of every kind; Latin terms only as whole words."""
    groups: dict[str, list[Cue]] = {}
    for last, held in _automaton().iter(text):
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


@cache
def _automaton() -> Any:
    automaton = ahocorasick.Automaton()
    payloads: dict[str, list[tuple[int, bool, str, Entry]]] = {}
    for kind in KINDS:
        for entry in entries(kind):
            group = kind if kind == "opinion" else f"{kind}:{entry.name}"
            latin = entry.term.isascii() and entry.term.isalnum()
            held = payloads.setdefault(entry.term, [])
            held.append((len(entry.term), latin, group, entry))
    for term, held in payloads.items():
        automaton.add_word(term, held)
    automaton.make_automaton()
    return automaton
