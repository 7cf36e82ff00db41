"""Events (事件): stories of one brand about one happening, their stars and threads.

In:  a transaction; call it inside the one that records the batch, so that a kill undoes both.
Out: what nlp.events clusters a batch against, in a few statements a batch; whom a page asks for an
event by its id. Times are Unix seconds.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Table, delete, select, update

from keqing.workflow import event_history
from keqing.workflow.db import Tx
from keqing.workflow.event_tables import EVENTS, LIKENESS, MEMBERS, NAMES, STARS, THREADS
from keqing.workflow.many import parts

BESIDE_S = 7 * 86400  # between events that may be one
Key = tuple[str, str]  # brand, story or thread


@dataclass
class Star:
    """A story that stands for its event; `terms` are its telling words with weights of norm 1."""

    story: str
    post_id: str
    terms: dict[str, float]
    vector: bytes | None = None
    joined: int = 1


@dataclass
class Event:
    """One happening of one brand."""

    id: str
    brand: str
    name: str
    first_story: str
    first_at_s: int
    last_at_s: int
    stories: int = 0
    stars: list[Star] = field(default_factory=list)
    named: bool = False  # by staff: its words change its name no more


@dataclass(frozen=True)
class Member:
    """A story in an event, by which star, how alike (0 = it opened the event)."""

    brand: str
    story: str
    event: str
    star: str
    similarity: float


def active(
    tx: Tx, brands: Collection[str], since_s: int, until_s: int, scored_since_s: int
) -> list[Event]:
    """Events of these brands that were talked of between two moments, oldest first, with stars."""
    found: dict[str, Event] = {}
    query = select(EVENTS).where(
        EVENTS.c.brand.in_(sorted(brands)),
        EVENTS.c.last_at_s >= since_s,
        EVENTS.c.first_at_s <= until_s,
        EVENTS.c.scored_at_s >= scored_since_s,
    )
    for row in tx.execute(query.order_by(EVENTS.c.first_at_s, EVENTS.c.id)):
        found[row.id] = _event(row)
    for part in parts(list(found)):
        stars = select(STARS).where(STARS.c.event.in_(part)).order_by(STARS.c.event, STARS.c.story)
        for row in tx.execute(stars):
            found[row.event].stars.append(_star(row))
    _called(tx, found)
    for event in found.values():  # the first story's star leads: others are split from it
        event.stars.sort(key=lambda star: (star.story != event.first_story, star.story))
    return list(found.values())


def of_stories(tx: Tx, keys: Collection[Key]) -> dict[Key, str]:
    """Events of the stories that have one."""
    return _looked_up(tx, MEMBERS, "story", keys)


def of_threads(tx: Tx, keys: Collection[Key]) -> dict[Key, str]:
    """Events of the threads that have one."""
    return _looked_up(tx, THREADS, "thread", keys)


def save(tx: Tx, events: Sequence[Event], scored_at_s: int) -> None:
    """Write changed and new events with their stars."""
    for part in parts([event.id for event in events]):
        tx.execute(delete(STARS).where(STARS.c.event.in_(part)))
        tx.execute(delete(EVENTS).where(EVENTS.c.id.in_(part)))
    rows = [
        {"id": e.id, "brand": e.brand, "name": e.name, "first_story": e.first_story,
         "first_at_s": e.first_at_s, "last_at_s": e.last_at_s, "stories": e.stories,
         "scored_at_s": scored_at_s}
        for e in events
    ]  # fmt: skip
    stars = [
        {"event": e.id, "story": s.story, "post_id": s.post_id, "vector": s.vector,
         "joined": s.joined, "terms": json.dumps(s.terms, ensure_ascii=False)}
        for e in events for s in e.stars
    ]  # fmt: skip
    if rows:
        tx.execute(EVENTS.insert(), rows)
    if stars:
        tx.execute(STARS.insert(), stars)


def add_members(tx: Tx, members: Sequence[Member], threads: Mapping[Key, str]) -> None:
    """Write new stories and new threads with their events."""
    if members:
        tx.execute(MEMBERS.insert(), [vars(member) for member in members])
    rows = [{"brand": b, "thread": t, "event": event} for (b, t), event in threads.items()]
    if rows:
        tx.execute(THREADS.insert(), rows)


def likeness(tx: Tx, events: Collection[str]) -> set[tuple[str, str]]:
    """Pairs of these events that looked alike before: (elder, younger)."""
    found: set[tuple[str, str]] = set()
    for part in parts(sorted(events)):
        rows = tx.execute(select(LIKENESS).where(LIKENESS.c.elder.in_(part)))
        found |= {(row.elder, row.younger) for row in rows}
    return found


def set_likeness(tx: Tx, events: Collection[str], pairs: Collection[tuple[str, str]]) -> None:
    """Replace what is known of these events' likeness."""
    for part in parts(sorted(events)):
        tx.execute(delete(LIKENESS).where(LIKENESS.c.elder.in_(part)))
    if pairs:
        rows = [{"elder": elder, "younger": younger} for elder, younger in sorted(pairs)]
        tx.execute(LIKENESS.insert(), rows)


def merge(tx: Tx, elder: str, younger: str, at_s: int) -> None:
    """Give the younger event's stories and threads to the elder; its id stays as an alias."""
    for table in (MEMBERS, THREADS):
        tx.execute(update(table).where(table.c.event == younger).values(event=elder))
    tx.execute(delete(STARS).where(STARS.c.event == younger))
    tx.execute(delete(EVENTS).where(EVENTS.c.id == younger))
    if _name_of(tx, elder) is None:
        tx.execute(update(NAMES).where(NAMES.c.event == younger).values(event=elder))
    tx.execute(delete(NAMES).where(NAMES.c.event == younger))
    event_history.note(tx, "merge", elder, younger, at_s)


def split(tx: Tx, event: str, star: str, other: str, at_s: int) -> int:
    """Move the stories that joined by one star to another event; gives their number."""
    part = (MEMBERS.c.star == star) | (MEMBERS.c.story == star)
    moved = tx.execute(
        update(MEMBERS).where(MEMBERS.c.event == event, part).values(event=other)
    ).rowcount
    event_history.note(tx, "split", event, other, at_s)
    return int(moved)


def part(
    tx: Tx, brand: str, stories: Collection[str], event: str, other: str, star: str, at_s: int
) -> None:
    """Move named stories, and the threads that they began, from one event to another."""
    for some in parts(sorted(stories)):
        mine = (MEMBERS.c.brand == brand) & MEMBERS.c.story.in_(some)
        tx.execute(update(MEMBERS).where(mine).values(event=other, star=star))
        begun = (THREADS.c.brand == brand) & THREADS.c.thread.in_(some)
        tx.execute(update(THREADS).where(begun).values(event=other))
    event_history.note(tx, "split", event, other, at_s)


def call(tx: Tx, event: str, name: str) -> None:
    """Give an event staff's name; an empty one takes it away."""
    tx.execute(delete(NAMES).where(NAMES.c.event == event))
    if name:
        tx.execute(NAMES.insert().values(event=event, name=name))


def members(tx: Tx, event: str) -> list[Member]:
    """Stories of an event, in the order of their names."""
    rows = tx.execute(select(MEMBERS).where(MEMBERS.c.event == event).order_by(MEMBERS.c.story))
    return [Member(row.brand, row.story, row.event, row.star, row.similarity) for row in rows]


def forget_posts(tx: Tx, post_ids: Collection[str]) -> int:
    """Remove the words and vectors of posts that stand for events; the events go on without them."""
    gone = 0
    for part in parts(sorted(post_ids)):
        gone += tx.execute(delete(STARS).where(STARS.c.post_id.in_(part))).rowcount
    return gone


def get(tx: Tx, ids: Collection[str]) -> dict[str, Event]:
    """Events with their stars, for pages; ids that live no more are left out."""
    found: dict[str, Event] = {}
    for part in parts(sorted(ids)):
        for row in tx.execute(select(EVENTS).where(EVENTS.c.id.in_(part))):
            found[row.id] = _event(row)
        order = STARS.c.event, STARS.c.joined.desc(), STARS.c.story
        for row in tx.execute(select(STARS).where(STARS.c.event.in_(part)).order_by(*order)):
            found[row.event].stars.append(_star(row))
    _called(tx, found)
    return found


def beside(tx: Tx, event: Event, most: int) -> list[Event]:
    """Events of the same brand and days, those of most stories first, without stars."""
    near = (
        (EVENTS.c.brand == event.brand)
        & (EVENTS.c.id != event.id)
        & (EVENTS.c.first_at_s <= event.last_at_s + BESIDE_S)
        & (EVENTS.c.last_at_s >= event.first_at_s - BESIDE_S)
    )
    rows = tx.execute(
        select(EVENTS).where(near).order_by(EVENTS.c.stories.desc(), EVENTS.c.id).limit(most)
    )
    found = {row.id: _event(row) for row in rows}
    _called(tx, found)
    return list(found.values())


def _name_of(tx: Tx, event: str) -> str | None:
    return tx.execute(select(NAMES.c.name).where(NAMES.c.event == event)).scalar()


def _called(tx: Tx, found: Mapping[str, Event]) -> None:
    """Staff's names in the place of those by words."""
    for part_ in parts(list(found)):
        for row in tx.execute(select(NAMES).where(NAMES.c.event.in_(part_))):
            found[row.event].name, found[row.event].named = row.name, True


def _event(row: Row[Any]) -> Event:
    return Event(
        row.id, row.brand, row.name, row.first_story, row.first_at_s, row.last_at_s, row.stories
    )


def _star(row: Row[Any]) -> Star:
    return Star(row.story, row.post_id, json.loads(row.terms), row.vector, row.joined)


def _looked_up(tx: Tx, table: Table, name: str, keys: Collection[Key]) -> dict[Key, str]:
    wanted, found = set(keys), {}
    for part in parts(sorted({key for _, key in wanted})):
        for row in tx.execute(select(table).where(table.c[name].in_(part))):
            key = row.brand, getattr(row, name)
            if key in wanted:
                found[key] = row.event
    return found
