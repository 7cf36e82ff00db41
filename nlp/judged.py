"""What staff's corrections say of the models: before, as the model said then, and as it says now.

In:  standing corrections of the judging half, the Mentions of their posts, a Reader.
Out: Figures a field: rows, share right then and now, which posts changed sides. A post that nobody
looked at says nothing, so these shares are of corrected and confirmed posts, not of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from keqing.records import Mention, Polarity
from keqing.workflow.corrections import NONE, Correction
from nlp.said import Reading
from nlp.understand import Reader

AT_ONCE = 500


@dataclass
class Figures:
    """One field; `gained` are posts that are right now and were wrong, `lost` the other way."""

    name: str
    rows: int
    before: float
    after: float
    macro_f1_before: float | None = None  # of polarity alone
    macro_f1_after: float | None = None
    gained: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def judged(
    rows: Sequence[Correction], mentions: Mapping[str, Mention], reader: Reader
) -> list[Figures]:
    """Figures of every field that somebody corrected, by name; posts without a Mention are left out."""
    known = [row for row in rows if row.half == "judge" and row.post in mentions]
    readings = _readings({row.post for row in known}, mentions, reader)
    by_field: dict[str, list[Correction]] = {}
    for row in known:
        by_field.setdefault(row.field, []).append(row)
    return [_figures(name, by_field[name], readings) for name in sorted(by_field)]


def value_of(said: Reading, name: str) -> str:
    """A field of a Reading, as a correction writes it."""
    if name.startswith("brand:"):
        return "yes" if any(hit.brand == name[6:] for hit in said.matches.hits) else "no"
    if name == "severity":
        surest = sorted(said.severity, key=lambda hit: (-hit.confidence, hit.name))
        return surest[0].name if surest else NONE
    return str(getattr(said, name) or NONE)


def macro_f1(truth: Sequence[str], said: Sequence[str]) -> float:
    """Mean of the F1 of the polarities that occur in the truth."""
    scores = []
    for one in map(str, Polarity):
        true = sum(t == one for t in truth)
        right = sum(t == s == one for t, s in zip(truth, said, strict=True))
        if true:
            scores.append(2 * right / (true + sum(s == one for s in said)))
    return sum(scores) / len(scores)


def _readings(
    posts: set[str], mentions: Mapping[str, Mention], reader: Reader
) -> dict[str, Reading]:
    found: dict[str, Reading] = {}
    ordered = sorted(posts)
    for at in range(0, len(ordered), AT_ONCE):
        part = ordered[at : at + AT_ONCE]
        asked = [mentions[id_].post for id_ in part]
        said = reader.read(
            [p.text or "" for p in asked], [p.title or "" for p in asked], [p.source for p in asked]
        )
        found |= dict(zip(part, said, strict=True))
    return found


def _figures(name: str, rows: Sequence[Correction], readings: Mapping[str, Reading]) -> Figures:
    truth, before = [row.to for row in rows], [row.was for row in rows]
    after = [value_of(readings[row.post], name) for row in rows]
    sides = list(zip(rows, truth, before, after, strict=True))
    figures = Figures(
        name, len(rows),
        round(sum(t == b for _, t, b, _ in sides) / len(rows), 4),
        round(sum(t == a for _, t, _, a in sides) / len(rows), 4),
        gained=[row.post for row, t, b, a in sides if t == a != b],
        lost=[row.post for row, t, b, a in sides if t == b != a],
    )  # fmt: skip
    if name == "polarity":
        figures.macro_f1_before = round(macro_f1(truth, before), 4)
        figures.macro_f1_after = round(macro_f1(truth, after), 4)
    return figures
