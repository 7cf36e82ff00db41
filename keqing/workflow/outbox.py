"""Outbox: notifications that were decided, and how far their sending got.

In:  Notifications, queued in the transaction that changed the incident; outcomes of sending.
Out: leased rows for a worker. The id is the primary key: a notice is queued once, whatever is
repeated. A row whose worker died is leased again after 60 s, so each receiver gets at least one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import JSON, Column, Integer, String, Table, Text, func, or_, select, update

from keqing.records import Notification
from keqing.workflow.db import METADATA, Tx, UtcTime

LEASE = timedelta(seconds=60)
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 600.0
CHANNEL_PAUSE_S = 300.0
GIVE_UP = timedelta(hours=24)

NOTIFICATIONS = Table(
    "notifications",
    METADATA,
    Column("id", String(256), primary_key=True),
    Column("incident", String(32), nullable=False, index=True),
    Column("receiver", String(64), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("lease_until", UtcTime),
    Column("next_try_at", UtcTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error_class", String(16), nullable=False),
    Column("error_code", String(64), nullable=False),
    Column("sent_by", String(16), nullable=False),
    Column("accepted_at", UtcTime),
)
ATTEMPTS = Table(
    "notification_attempts",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("notification", String(256), nullable=False, index=True),
    Column("at", UtcTime, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("code", String(64), nullable=False),
    Column("detail", Text, nullable=False),
)


@dataclass(frozen=True)
class OutboxRow:
    """Where one notification stands."""

    notification: Notification
    state: str
    attempts: int
    error_class: str
    error_code: str
    accepted_at: datetime | None


def queue(tx: Tx, notice: Notification) -> bool:
    """Queue a notification; False when this id, or this content for this receiver, is there."""
    same = select(NOTIFICATIONS.c.id).where(
        or_(
            NOTIFICATIONS.c.id == notice.id,
            (NOTIFICATIONS.c.receiver == notice.receiver)
            & (NOTIFICATIONS.c.content_hash == notice.content_hash),
        )
    )
    if tx.execute(same).first() is not None:
        return False
    tx.execute(
        NOTIFICATIONS.insert().values(
            **notice.model_dump(exclude={"payload"}),
            payload=notice.model_dump(mode="json")["payload"],
            state="queued",
            next_try_at=notice.created_at,
            attempts=0,
            error_class="",
            error_code="",
            sent_by="",
        )
    )
    return True


def claim(tx: Tx, now: datetime) -> Notification | None:
    """Lease the oldest notification that is due, for 60 s; None when nothing is."""
    table = NOTIFICATIONS.c
    due = (
        select(table.id)
        .where(
            or_(
                (table.state == "queued") & (table.next_try_at <= now),
                (table.state == "leased") & (table.lease_until <= now),
            )
        )
        .order_by(table.created_at, table.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    id = tx.execute(due).scalar()
    if id is None:
        return None
    tx.execute(
        update(NOTIFICATIONS)
        .where(table.id == id)
        .values(state="leased", lease_until=now + LEASE, attempts=table.attempts + 1)
    )
    return _notice(tx.execute(select(NOTIFICATIONS).where(table.id == id)).one())


def settle(tx: Tx, id: str, kind: str, code: str, detail: str, sent_by: str, now: datetime) -> str:
    """Write how a try ended; gives the row's new state.

    Args:
        kind: ok, retry, recipient or channel. `retry` waits 5 s, doubling to 10 minutes, and is
            dead after 24 h; `recipient` is dead at once; `channel` is tried every 5 minutes, and
            never given up, because the fault is ours.
        sent_by: channel that took it; an e-mail without a mail server goes by `spool`.
    """
    row = tx.execute(select(NOTIFICATIONS).where(NOTIFICATIONS.c.id == id)).one()
    tx.execute(
        ATTEMPTS.insert().values(notification=id, at=now, kind=kind, code=code, detail=detail)
    )
    values: dict[str, object] = {"error_class": kind, "error_code": code, "lease_until": None}
    if kind == "ok":
        values |= {"state": "sent", "accepted_at": now, "sent_by": sent_by}
    elif kind == "recipient" or (kind == "retry" and now - row.created_at >= GIVE_UP):
        values |= {"state": "dead"}
    else:
        pause = CHANNEL_PAUSE_S if kind == "channel" else _pause(row.attempts)
        values |= {"state": "queued", "next_try_at": now + timedelta(seconds=pause)}
    tx.execute(update(NOTIFICATIONS).where(NOTIFICATIONS.c.id == id).values(values))
    return str(values["state"])


def notices_of(tx: Tx, incident: str) -> list[OutboxRow]:
    """All notifications of an incident, oldest first."""
    query = (
        select(NOTIFICATIONS)
        .where(NOTIFICATIONS.c.incident == incident)
        .order_by(NOTIFICATIONS.c.created_at, NOTIFICATIONS.c.id)
    )
    return [
        OutboxRow(_notice(r), r.state, r.attempts, r.error_class, r.error_code, r.accepted_at)
        for r in tx.execute(query)
    ]


def tally(tx: Tx) -> dict[str, int]:
    """How many notifications are in each state."""
    query = select(NOTIFICATIONS.c.state, func.count()).group_by(NOTIFICATIONS.c.state)
    return {state: n for state, n in tx.execute(query)}


def _pause(attempts: int) -> float:
    return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(attempts - 1, 10)))


def _notice(row: object) -> Notification:
    fields = {name: getattr(row, name) for name in Notification.model_fields}
    return Notification.model_validate(fields)
