"""Sessions of signed-in users: opened, kept alive, ended.

In:  a transaction, session tokens, `now`. Out: Users; rows of a table. Tokens are kept as SHA-256, so that a
copy of the database opens no session.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import Column, String, Table, delete, select, update

from keqing.workflow.accounts import User, credential
from keqing.workflow.db import METADATA, Tx, UtcTime

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=1)
MOST_SESSIONS = 5

SESSIONS = Table(
    "account_sessions",
    METADATA,
    Column("token_hash", String(64), primary_key=True),
    Column("name", String(64), nullable=False, index=True),
    Column("address", String(64), nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
)


def start(tx: Tx, name: str, address: str, now: datetime) -> str:
    """Start a session; gives its token. The oldest ones over five of a user end."""
    token = secrets.token_urlsafe(32)
    tx.execute(
        SESSIONS.insert().values(
            token_hash=_digest(token), name=name, address=address, opened_at=now, seen_at=now
        )
    )
    rows = select(SESSIONS.c.token_hash).where(SESSIONS.c.name == name)
    newest = rows.order_by(SESSIONS.c.opened_at.desc(), SESSIONS.c.seen_at.desc())
    for old in list(tx.execute(newest).scalars())[MOST_SESSIONS:]:
        tx.execute(delete(SESSIONS).where(SESSIONS.c.token_hash == old))
    return token


def user_of(tx: Tx, token: str, now: datetime) -> tuple[User, bool] | None:
    """Whose session this is, and whether it should be touched; reads only.

    None when it is unknown, idle for 30 minutes or 12 hours old.
    """
    row = tx.execute(select(SESSIONS).where(SESSIONS.c.token_hash == _digest(token))).first()
    if row is None or now - row.seen_at > IDLE or now - row.opened_at > LONGEST:
        return None
    found = credential(tx, row.name)
    return (found.user, now - row.seen_at > TOUCH_EVERY) if found else None


def touch(tx: Tx, token: str, now: datetime) -> None:
    """Write that a session is in use, which keeps it alive."""
    where = SESSIONS.c.token_hash == _digest(token)
    tx.execute(update(SESSIONS).where(where).values(seen_at=now))


def end(tx: Tx, token: str) -> None:
    """Sign out."""
    tx.execute(delete(SESSIONS).where(SESSIONS.c.token_hash == _digest(token)))


def end_others(tx: Tx, name: str, token: str) -> None:
    """End all sessions of a user but this one."""
    where = SESSIONS.c.name == name, SESSIONS.c.token_hash != _digest(token)
    tx.execute(delete(SESSIONS).where(*where))


def end_all(tx: Tx, name: str) -> None:
    """End all sessions of a user."""
    tx.execute(delete(SESSIONS).where(SESSIONS.c.name == name))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
