"""Incidents (预警): one open per brand and scope, moved by acts, each act in a hash-chained log.

In:  a transaction, Incidents as alerts sees them now, acts of staff with the revision they saw.
Out: stored Incidents; every change is a row of the log, which can only grow.

Two revisions are kept apart: acts raise `revision` (compare-and-set), new posts only raise
`evidence_count`, or in a live crisis every 签收 would fail.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    select,
    text,
    update,
)

from keqing.errors import Conflict, IllegalMove, WorkflowError
from keqing.records import Evidence, Incident, utc_text
from keqing.workflow import incident_log
from keqing.workflow.db import METADATA, Tx, UtcTime
from keqing.workflow.moves import next_state

LIVE = ("open", "acknowledged", "handling", "watching")
REOPEN_WITHIN = timedelta(hours=72)
SYSTEM = "system"
MOST_EVIDENCE = 20

INCIDENTS = Table(
    "incidents",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("brand", String(64), nullable=False, index=True),
    Column("scope", String(128), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("opened_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", JSON, nullable=False),
)
_IS_LIVE = text("state IN ('open', 'acknowledged', 'handling', 'watching')")
Index(
    "one_live_incident",
    INCIDENTS.c.brand,
    INCIDENTS.c.scope,
    unique=True,
    sqlite_where=_IS_LIVE,
    postgresql_where=_IS_LIVE,
)
POSTS = Table(
    "incident_posts",
    METADATA,
    Column("incident", String(32), ForeignKey("incidents.id"), primary_key=True),
    Column("post_id", String(512), primary_key=True),
)


class Change(StrEnum):
    """What `observe` did with what was seen."""

    OPENED = "opened"
    LEVEL_UP = "level_up"
    JOINED = "joined"  # new posts, same level
    SAME_EVIDENCE = "same_evidence"
    ALREADY_CLOSED = "already_closed"  # this very rise was closed before


def incident_id(brand: str, scope: str, started_at: datetime) -> str:
    """Stable id of a rise; the same landing gives the same ids on replay."""
    key = f"{brand}\n{scope}\n{utc_text(started_at)}"
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def observe(
    tx: Tx, seen: Incident, posts: Collection[str], now: datetime
) -> tuple[Incident, Change]:
    """Open an incident, or let new posts and a higher level join the live one of its scope.

    The level of a live incident only rises here. The same posts at the same level change nothing.

    Args:
        seen: the incident as the detector sees it now; its id counts only when it is new.
        posts: ids of all posts that belong to it.
    """
    live = live_incident(tx, seen.brand, seen.scope)
    if live is None:
        if get_incident(tx, seen.id) is not None:
            return seen, Change.ALREADY_CLOSED
        return _open(tx, seen, posts, now), Change.OPENED
    fresh = set(posts) - known_posts(tx, live.id)
    rises = seen.level.rank > live.level.rank
    if not fresh and not rises:
        return live, Change.SAME_EVIDENCE
    _add_posts(tx, live.id, fresh)
    kept = {
        "id": live.id, "state": live.state, "started_at": live.started_at,
        "opened_at": live.opened_at, "revision": live.revision, "title": live.title,
        "level": seen.level if rises else live.level, "evidence": _more(live, seen),
        "evidence_count": live.evidence_count + len(fresh),
        "notice": live.notice + (1 if rises else 0),
    }  # fmt: skip
    joined = seen.model_copy(update=kept)
    _store(tx, joined, now)
    if rises:
        incident_log.append(tx, live.id, now, SYSTEM, "level_up", seen.level.value, live.revision)
    return joined, Change.LEVEL_UP if rises else Change.JOINED


def act(tx: Tx, id: str, act: str, who: str, reason: str, revision: int, now: datetime) -> Incident:
    """Move an incident by an act of staff.

    Args:
        act: ack, assign, handle, watch, close, reopen or merge.
        reason: needed for close (a close reason code) and merge (id of the target); assign names
            the owner.
        revision: the one the person saw.

    Raises:
        IllegalMove: the state does not allow the act; names what it allows.
        Conflict: somebody acted in between; names who and what.
    """
    found = get_incident(tx, id)
    if found is None:
        raise WorkflowError(f"incident {id!r} does not exist")
    if found.revision != revision:
        raise Conflict(_who_was_first(tx, id, revision))
    state = next_state(found, act, reason, _changed_at(tx, id), now)
    moved = found.model_copy(update={"state": state, "revision": revision + 1})
    if act == "reopen" and live_incident(tx, found.brand, found.scope) is not None:
        raise IllegalMove(f"{id}: another incident of {found.brand} {found.scope} is open")
    done = tx.execute(
        update(INCIDENTS)
        .where(INCIDENTS.c.id == id, INCIDENTS.c.revision == revision)
        .values(_row(moved, now))
    )
    if done.rowcount == 0:
        raise Conflict(_who_was_first(tx, id, revision))
    incident_log.append(tx, id, now, who, act, reason, revision + 1)
    return moved


def recover(tx: Tx, id: str, now: datetime) -> Incident:
    """Close a blindness incident whose source answers again: the system's own act."""
    found = get_incident(tx, id)
    if found is None or not found.scope.startswith("blind:"):
        raise IllegalMove(f"{id}: only a blindness incident recovers by itself")
    update_to = {
        "state": "closed", "revision": found.revision + 1, "notice": found.notice + 1
    }  # fmt: skip
    moved = found.model_copy(update=update_to)
    _store(tx, moved, now)
    incident_log.append(tx, id, now, SYSTEM, "recover", "data_back", moved.revision)
    return moved


def get_incident(tx: Tx, id: str) -> Incident | None:
    """The incident as it is now, or None."""
    body = tx.execute(select(INCIDENTS.c.body).where(INCIDENTS.c.id == id)).scalar()
    return None if body is None else Incident.model_validate(body)


def live_incident(tx: Tx, brand: str, scope: str) -> Incident | None:
    """The one live incident of a brand and scope, or None."""
    query = select(INCIDENTS.c.body).where(
        INCIDENTS.c.brand == brand, INCIDENTS.c.scope == scope, INCIDENTS.c.state.in_(LIVE)
    )
    body = tx.execute(query).scalar()
    return None if body is None else Incident.model_validate(body)


def list_incidents(
    tx: Tx, states: Sequence[str] | None = None, brand: str | None = None
) -> list[Incident]:
    """Incidents in some states (all if None), newest first."""
    query = select(INCIDENTS.c.body).order_by(INCIDENTS.c.opened_at.desc(), INCIDENTS.c.id)
    if states is not None:
        query = query.where(INCIDENTS.c.state.in_(list(states)))
    if brand is not None:
        query = query.where(INCIDENTS.c.brand == brand)
    return [Incident.model_validate(body) for body in tx.execute(query).scalars()]


def known_posts(tx: Tx, id: str) -> set[str]:
    """Ids of the posts that joined an incident."""
    return set(tx.execute(select(POSTS.c.post_id).where(POSTS.c.incident == id)).scalars())


def posts_of_scope(tx: Tx, brand: str, scope: str) -> set[str]:
    """Ids of the posts that joined any incident of a brand and scope, closed ones too."""
    query = (
        select(POSTS.c.post_id)
        .join(INCIDENTS, INCIDENTS.c.id == POSTS.c.incident)
        .where(INCIDENTS.c.brand == brand, INCIDENTS.c.scope == scope)
    )
    return set(tx.execute(query).scalars())


def _open(tx: Tx, seen: Incident, posts: Collection[str], now: datetime) -> Incident:
    opened = seen.model_copy(
        update={"state": "open", "revision": 1, "notice": 1, "evidence_count": len(set(posts))}
    )
    tx.execute(INCIDENTS.insert().values(id=opened.id, **_row(opened, now)))
    _add_posts(tx, opened.id, set(posts))
    incident_log.append(tx, opened.id, now, SYSTEM, "opened", opened.reason, 1)
    return opened


def _more(live: Incident, seen: Incident) -> tuple[Evidence, ...]:
    """Frozen evidence stays as it was; new stories are added behind it, up to twenty."""
    stories = {e.story for e in live.evidence}
    added = tuple(e for e in seen.evidence if e.story not in stories)
    return (live.evidence + added)[: max(MOST_EVIDENCE, len(live.evidence))]


def _row(incident: Incident, now: datetime) -> dict[str, object]:
    return {
        "brand": incident.brand,
        "scope": incident.scope,
        "state": incident.state,
        "opened_at": incident.opened_at,
        "changed_at": now,
        "revision": incident.revision,
        "body": incident.model_dump(mode="json"),
    }


def _store(tx: Tx, incident: Incident, now: datetime) -> None:
    tx.execute(update(INCIDENTS).where(INCIDENTS.c.id == incident.id).values(_row(incident, now)))


def _add_posts(tx: Tx, id: str, posts: Collection[str]) -> None:
    if posts:
        tx.execute(POSTS.insert(), [{"incident": id, "post_id": p} for p in sorted(posts)])


def _changed_at(tx: Tx, id: str) -> datetime:
    changed: datetime = tx.execute(
        select(INCIDENTS.c.changed_at).where(INCIDENTS.c.id == id)
    ).scalar_one()
    return changed


def _who_was_first(tx: Tx, id: str, revision: int) -> str:
    rows = [
        row for row in incident_log.log_of(tx, id) if row.revision > revision
    ] or incident_log.log_of(tx, id)
    last = rows[-1]
    return f"{id}: {last.who} did {last.act} at {utc_text(last.at)}; read it again and repeat"
