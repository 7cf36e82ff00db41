"""Which events became one and which parts left one; under which id an event lives now.

In:  a transaction, an event's id, also one that lives no more. Out: rows that only grow, the living id,
every id that led to it. Times are Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from keqing.workflow.db import Tx
from keqing.workflow.event_tables import EVENTS, HISTORY


@dataclass(frozen=True)
class Change:
    """One row of history."""

    kind: str
    event: str
    other: str
    at_s: int


def note(tx: Tx, kind: str, event: str, other: str, at_s: int) -> None:
    """Write that `other` is now `event` (merge), or came from it (split)."""
    tx.execute(HISTORY.insert().values(kind=kind, event=event, other=other, at_s=at_s))


def history(tx: Tx, event: str) -> list[Change]:
    """What happened to an event, oldest first."""
    mine = (HISTORY.c.event == event) | (HISTORY.c.other == event)
    rows = tx.execute(select(HISTORY).where(mine).order_by(HISTORY.c.seq))
    return [Change(row.kind, row.event, row.other, row.at_s) for row in rows]


def living(tx: Tx, event: str) -> str:
    """The id under which an event lives now: follows merges; an id that was split off again lives."""
    query = select(HISTORY.c.event).where(HISTORY.c.kind == "merge").order_by(HISTORY.c.seq.desc())
    seen: set[str] = set()
    while event not in seen and not _lives(tx, event):
        seen.add(event)
        event = tx.execute(query.where(HISTORY.c.other == event)).scalar() or event
    return event


def aliases(tx: Tx, event: str) -> tuple[str, ...]:
    """Every id under which posts of a living event may stand in the index, its own first."""
    found, wave = [event], [event]
    query = select(HISTORY.c.other).where(HISTORY.c.kind == "merge").order_by(HISTORY.c.seq)
    while wave:
        others = tx.execute(query.where(HISTORY.c.event.in_(wave))).scalars().all()
        wave = [o for o in dict.fromkeys(others) if o not in found and not _lives(tx, o)]
        found += wave
    return tuple(found)


def _lives(tx: Tx, event: str) -> bool:
    return tx.execute(select(EVENTS.c.id).where(EVENTS.c.id == event)).first() is not None
