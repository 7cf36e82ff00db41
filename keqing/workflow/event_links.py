"""What staff say of events: two are one, a part is another, its name. Every later run obeys (nlp.linked).

In:  the one writer's transaction; an event's id, what is said of it, who and when. Out: rows that only
grow and name events by their stories, so that they hold for a replay from nothing too, where they are
obeyed after as many batches as had been scored when they were said; which rows were obeyed, and how.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, String, Table, Text, func, select

from keqing.errors import UsageError
from keqing.workflow import event_history, events
from keqing.workflow.batches import BATCHES
from keqing.workflow.db import METADATA, Tx, UtcTime
from keqing.workflow.events import Event
from keqing.workflow.schema import append_only

LONGEST_NAME = 40
MERGE, SPLIT, RENAME = "merge", "split", "rename"

LINKS = Table(
    "nlp_event_links",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(8), nullable=False),
    Column("brand", String(128), nullable=False),
    Column("story", String(512), nullable=False),  # of the event that stays
    Column("others", Text, nullable=False),  # merge: a story of the other; split: those that leave
    Column("name", Text, nullable=False),  # of a new part or a renamed event; "" = by its words
    Column("by", String(128), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("after", Integer, nullable=False),  # batches that had been scored
)
append_only(LINKS)
OBEYED = Table(
    "nlp_event_obeyed",
    METADATA,
    Column("link", Integer, primary_key=True, autoincrement=False),
    Column("event", String(32), nullable=False, index=True),
    Column("other", String(32), nullable=False, index=True),  # "" of a new name
)


class Refused(UsageError):
    """Staff asked for what cannot be; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(f"refused: {code}")
        self.code = code


@dataclass(frozen=True)
class Link:
    """One row: `story` is of the event that stays, `others` are of the other event or leave for it."""

    seq: int
    kind: str
    brand: str
    story: str
    others: tuple[str, ...]
    name: str
    by: str
    at: datetime
    after: int


@dataclass(frozen=True)
class Obeyed:
    """A link and the events that it meant: `other` went into `event`, or came from it; "" of a name."""

    link: Link
    event: str
    other: str


def merge(tx: Tx, event: str, into: str, *, by: str, now: datetime) -> Link:
    """Say that an event is the same as another one.

    Raises:
        Refused: unknown, merged (it lives under another id), itself, other_brand.
    """
    one, other = _living(tx, event), _living(tx, into)
    if one.id == other.id:
        raise Refused("itself")
    if one.brand != other.brand:
        raise Refused("other_brand")
    return _add(tx, MERGE, one.brand, other.first_story, (one.first_story,), "", by, now)


def split(
    tx: Tx, event: str, stories: Collection[str], name: str, *, by: str, now: datetime
) -> Link:
    """Say that some stories of an event are another event.

    Raises:
        Refused: unknown, merged, no_stories, strange_stories (not of this event), first_story (the
            event is named by it), name.
    """
    found = _living(tx, event)
    if not stories:
        raise Refused("no_stories")
    held = events.of_stories(tx, {(found.brand, story) for story in stories})
    if {held.get((found.brand, story)) for story in stories} != {found.id}:
        raise Refused("strange_stories")
    if found.first_story in stories:
        raise Refused("first_story")
    parted = tuple(sorted(set(stories)))
    return _add(tx, SPLIT, found.brand, found.first_story, parted, _named(name), by, now)


def rename(tx: Tx, event: str, name: str, *, by: str, now: datetime) -> Link:
    """Give an event a name that its words no longer change; an empty one gives it back to them.

    Raises:
        Refused: unknown, merged, name.
    """
    found = _living(tx, event)
    given = _named(name) if name.strip() else ""
    return _add(tx, RENAME, found.brand, found.first_story, (), given, by, now)


def every(tx: Tx) -> list[Link]:
    """All rows, oldest first: what a replay takes over."""
    return [_link(row) for row in tx.execute(select(LINKS).order_by(LINKS.c.seq))]


def add(tx: Tx, links: Sequence[Link]) -> None:
    """Write rows as they are, in a replay's own database."""
    if links:
        rows = [vars(one) | {"others": _packed(one.others)} for one in links]
        tx.execute(LINKS.insert(), rows)


def due(tx: Tx, brands: Collection[str]) -> list[Link]:
    """Rows of these brands that were not obeyed yet and whose time has come, oldest first."""
    scored = int(tx.execute(select(func.count()).select_from(BATCHES)).scalar_one())
    query = select(LINKS).where(
        LINKS.c.brand.in_(sorted(brands)),
        LINKS.c.after <= scored,
        LINKS.c.seq.not_in(select(OBEYED.c.link)),
    )
    return [_link(row) for row in tx.execute(query.order_by(LINKS.c.seq))]


def note(tx: Tx, link: Link, event: str, other: str = "") -> None:
    """Write down that a row was obeyed."""
    tx.execute(OBEYED.insert().values(link=link.seq, event=event, other=other))


def obeyed(tx: Tx, kinds: Iterable[str], brands: Collection[str] | None = None) -> list[Obeyed]:
    """Rows of these kinds that were obeyed, oldest first."""
    joined = OBEYED.join(LINKS, LINKS.c.seq == OBEYED.c.link)
    query = select(LINKS, OBEYED.c.event, OBEYED.c.other).select_from(joined)
    query = query.where(LINKS.c.kind.in_(sorted(kinds))).order_by(LINKS.c.seq)
    if brands is not None:
        query = query.where(LINKS.c.brand.in_(sorted(brands)))
    return [Obeyed(_link(row), row.event, row.other) for row in tx.execute(query)]


def of_event(tx: Tx, ids: Collection[str]) -> list[Obeyed]:
    """What staff said of an event under any of its ids, oldest first."""
    joined = OBEYED.join(LINKS, LINKS.c.seq == OBEYED.c.link)
    mine = OBEYED.c.event.in_(sorted(ids)) | OBEYED.c.other.in_(sorted(ids))
    query = select(LINKS, OBEYED.c.event, OBEYED.c.other).select_from(joined).where(mine)
    return [
        Obeyed(_link(row), row.event, row.other) for row in tx.execute(query.order_by(LINKS.c.seq))
    ]


def parted(tx: Tx) -> dict[str, str]:
    """Stories that staff took out of an event, and the event in which each is now."""
    stories = {(one.link.brand, story) for one in obeyed(tx, (SPLIT,)) for story in one.link.others}
    return {story: event for (_, story), event in events.of_stories(tx, stories).items()}


def _add(
    tx: Tx, kind: str, brand: str, story: str, others: tuple[str, ...], name: str, by: str,
    now: datetime,
) -> Link:  # fmt: skip
    after = int(tx.execute(select(func.count()).select_from(BATCHES)).scalar_one())
    row = {"kind": kind, "brand": brand, "story": story, "others": _packed(others), "name": name,
           "by": by, "at": now, "after": after}  # fmt: skip
    seq = tx.execute(LINKS.insert().values(row).returning(LINKS.c.seq)).scalar_one()
    return Link(int(seq), kind, brand, story, others, name, by, now, after)


def _living(tx: Tx, id_: str) -> Event:
    found = events.get(tx, [id_]).get(id_)
    if found is not None:
        return found
    raise Refused("unknown" if event_history.living(tx, id_) == id_ else "merged")


def _named(name: str) -> str:
    plain = " ".join(name.split())
    if not 1 <= len(plain) <= LONGEST_NAME:
        raise Refused("name")
    return plain


def _packed(stories: Iterable[str]) -> str:
    return json.dumps(list(stories), ensure_ascii=False)


def _link(row: object) -> Link:
    held = {name: getattr(row, name) for name in Link.__dataclass_fields__}
    return Link(**held | {"others": tuple(json.loads(held["others"]))})
