"""Corrections by staff: what a person says of a post, beside what the model said.

In:  a transaction; the Mention as the model left it, a field, the right value, who and why.
Out: rows that only grow; the newest of a post and field counts, and `model` withdraws it. They are
kept by post, so a re-scored post still shows them. Split once by the story: one half judges models
for ever, the other may train them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Column, Integer, String, Table, Text, delete, select

from keqing.errors import UsageError
from keqing.records import Mention, Polarity
from keqing.words import all_words
from keqing.workflow.db import METADATA, Tx, UtcTime

WITHDRAWN = "model"  # the model's own value counts again
NONE = "none"
AT_ONCE = 500
Half = Literal["judge", "train"]

CORRECTIONS = Table(
    "nlp_corrections",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("post", String(512), nullable=False, index=True),
    Column("field", String(160), nullable=False),
    Column("was", String(64), nullable=False),
    Column("to", String(64), nullable=False),
    Column("by", String(128), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("stamp", String(256), nullable=False),
    Column("story", String(512), nullable=False),
)


@dataclass(frozen=True)
class Correction:
    """One row; `was` is the model's own value, `stamp` what had produced it."""

    post: str
    field: str
    was: str
    to: str
    by: str
    at: datetime
    reason: str
    stamp: str
    story: str

    @property
    def half(self) -> Half:
        """Whether it judges models or may train them."""
        return half(self.story)


def half(story: str) -> Half:
    """The half of a story: of its copies and reposts none trains what another judges."""
    return "judge" if hashlib.sha256(story.encode()).digest()[0] % 2 == 0 else "train"


def correct(
    tx: Tx, mention: Mention, field: str, to: str, *, by: str, reason: str, now: datetime
) -> Correction:
    """Record what a person says of a post; the same value as the model's is a confirmation.

    Args:
        mention: as the model left it, without corrections.
        field: polarity, intent, emotion, severity, or `brand:<key>` (yes, no).
        to: the right value, or `model` to withdraw an earlier correction.

    Raises:
        UsageError: an unknown field or value (names the right ones), or no name or reason.
    """
    _check(field, to, by, reason)
    made = mention.versions
    stamp = f"{made.model} {made.dictionary} {made.rules} {made.plan}"
    row = Correction(
        mention.post.id, field, own_value(mention, field), to, by.strip(), now, reason.strip(),
        stamp[:256], mention.story,
    )  # fmt: skip
    add(tx, [row])
    return row


def add(tx: Tx, rows: Sequence[Correction]) -> None:
    """Write rows as they are: what a replay takes over from the installation it repeats."""
    if rows:
        tx.execute(CORRECTIONS.insert(), [vars(row) for row in rows])


def every(tx: Tx) -> list[Correction]:
    """All rows, oldest first."""
    return [_row(row) for row in tx.execute(select(CORRECTIONS).order_by(CORRECTIONS.c.seq))]


def standing(rows: Iterable[Correction]) -> list[Correction]:
    """The newest of each post and field, without those withdrawn."""
    newest = {(row.post, row.field): row for row in rows}
    return [row for row in newest.values() if row.to != WITHDRAWN]


def of_posts(tx: Tx, posts: Collection[str]) -> dict[str, list[Correction]]:
    """What stands of these posts, by post."""
    rows: list[Correction] = []
    for part in _parts(sorted(posts)):
        query = select(CORRECTIONS).where(CORRECTIONS.c.post.in_(part))
        rows += [_row(row) for row in tx.execute(query.order_by(CORRECTIONS.c.seq))]
    found: dict[str, list[Correction]] = {}
    for row in standing(rows):
        found.setdefault(row.post, []).append(row)
    return found


def forget(tx: Tx, posts: Collection[str]) -> int:
    """Remove all rows of posts that are erased; how many there were."""
    gone = 0
    for part in _parts(sorted(posts)):
        gone += tx.execute(delete(CORRECTIONS).where(CORRECTIONS.c.post.in_(part))).rowcount
    return gone


def own_value(mention: Mention, field: str) -> str:
    """The value of a field in a Mention, as a correction writes it."""
    if field.startswith("brand:"):
        return "yes" if any(hit.brand == field[6:] for hit in mention.brands) else "no"
    if field == "severity":
        surest = sorted(mention.severity, key=lambda hit: (-hit.confidence, hit.name))
        return surest[0].name if surest else NONE
    return str(getattr(mention, field) or NONE)


def values(field: str) -> tuple[str, ...]:
    """Values that a field may have; empty for a field that does not exist."""
    if field.startswith("brand:"):
        return ("yes", "no") if field[6:] else ()
    known = {
        "polarity": tuple(Polarity),
        "intent": (*all_words()["intent"], NONE),
        "emotion": tuple(dict.fromkeys((*all_words()["emotion"], NONE))),
        "severity": (*all_words()["severity"], NONE),
    }
    return tuple(map(str, known.get(field, ())))


def _check(field: str, to: str, by: str, reason: str) -> None:
    allowed = values(field)
    if not allowed:
        raise UsageError(
            f"{field!r}: 没有这个字段 (no such field); "
            "polarity, intent, emotion, severity, brand:<key>"
        )
    if to not in (*allowed, WITHDRAWN):
        raise UsageError(f"{field} {to!r}: 取值只能是 (one of) {', '.join((*allowed, WITHDRAWN))}")
    if not by.strip() or not reason.strip():
        raise UsageError("更正要写明是谁、为什么 (a correction needs who and why)")


def _row(row: Any) -> Correction:
    return Correction(
        row.post, row.field, row.was, row.to, row.by, row.at, row.reason, row.stamp, row.story
    )


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(values), AT_ONCE):
        yield values[at : at + AT_ONCE]
