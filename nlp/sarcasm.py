"""Praise that is meant as blame: a flag with reasons, which makes the reading less sure.

In:  Signs of a post. Out: reasons, () for none. It never turns a polarity by itself: `doubted`
halves the distance of the two best classes, so that the post goes to the second stage.
"""

from __future__ import annotations

import re

from nlp.rules import Signs

ALONE = 2.0
NEAR = 10  # characters between praise and the face that takes it back
LONG = 60  # a longer sentence is a report, and praises and blames in earnest
PRAISE = ("mock", "thanks")
P = tuple[float, float, float]
_QUOTED = re.compile(r"[“\"「『\u2018]([^”\"」』\u2019]{2,8})[”\"」』\u2019]")
_MOCKED = re.compile(
    r"(?:真|可真|真是|太|好|够|也太|叫|所谓的?|号称|好一个|这就是|美其名曰|管这叫)\s*[“\"「『\u2018]"
)
_TURNS = re.compile(r"但|不过|可惜|虽然|就是|除了|只是|美中不足|然而|唯一")


def sarcasm(signs: Signs) -> tuple[str, ...]:
    """Why a post may be meant the other way round; () at once where it has no sign of it."""
    cues = signs.own("sarcasm")
    quoted = _quoted_praise(signs)
    if not cues and not quoted:
        return ()
    reasons = dict.fromkeys(c.entry.name for c in cues if c.entry.value >= ALONE)
    for cue in cues:
        start, stop = signs.clauses.sentence(signs.clauses.at(cue.start))
        if cue.entry.name == "face" and _praised(signs, cue.start):
            reasons["praise_with_face"] = None
        elif cue.entry.name in PRAISE and _troubled(signs, start, stop):
            reasons["praise_with_trouble"] = None
    if quoted and (_MOCKED.search(signs.text) or _troubled(signs, 0, len(signs.text))):
        reasons["quoted_praise"] = None
    return tuple(reasons)


def _praised(signs: Signs, place: int) -> bool:
    """Praise or thanks right before a face that takes them back."""
    near = [one.start for one in signs.own_opinions if one.weight > 0]
    near += [cue.start for cue in signs.own("sarcasm") if cue.entry.name in PRAISE]
    return any(0 < place - start <= NEAR for start in near)


def _troubled(signs: Signs, start: int, stop: int) -> bool:
    """Trouble in a sentence that does not turn (好喝，但排队久 is no sarcasm)."""
    if stop - start > LONG or _TURNS.search(signs.text, start, stop):
        return False
    inside = [one for one in signs.own_opinions if start <= one.start < stop]
    if any(one.weight < 0 and signs.text[one.start].isalnum() for one in inside):
        return True
    cues = [cue for cue in signs.own("sarcasm") if cue.entry.name == "trouble"]
    return any(start <= cue.start < stop for cue in cues)


def doubted(p: P) -> P:
    """The same best class, with half its lead over the second."""
    order = sorted(range(3), key=lambda n: -p[n])
    moved = round((p[order[0]] - p[order[1]]) / 4, 4)
    values = list(p)
    values[order[0]] = round(values[order[0]] - moved, 4)
    values[order[1]] = round(values[order[1]] + moved, 4)
    return values[0], values[1], values[2]


def _quoted_praise(signs: Signs) -> bool:
    """真“贴心”: a word of praise between quotation marks."""
    places = [m.span() for m in _QUOTED.finditer(signs.text)]
    return any(
        start <= one.start < stop and one.weight > 0
        for start, stop in places
        for one in signs.own_opinions
    )
