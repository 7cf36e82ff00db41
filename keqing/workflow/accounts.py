"""Accounts: who may sign in, what they may do, their sessions, and the audit trail.

In:  a transaction, names, passwords, session tokens, `now`.
Out: Users; rows of three tables. Passwords are kept as Argon2id hashes and session tokens as
SHA-256, so that a copy of the database opens no session. The audit trail only grows, hash-chained.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Integer,
    String,
    Table,
    Text,
    delete,
    func,
    select,
    update,
)

from keqing.errors import UsageError, WorkflowError
from keqing.records import utc_text
from keqing.workflow.db import METADATA, Tx, UtcTime
from keqing.workflow.postgres import clean
from keqing.workflow.schema import append_only

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=1)
MOST_SESSIONS = 5
PASSWORD_LENGTH = (12, 128)
ALL_BRANDS = ("*",)
# 94 ms on two cores; the library's default of 64 MiB and four lanes would be a denial-of-service lever.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("brands", JSON, nullable=False),
    Column("password", Text, nullable=False),
    Column("one_time", Boolean, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)
SESSIONS = Table(
    "account_sessions",
    METADATA,
    Column("token_hash", String(64), primary_key=True),
    Column("name", String(64), nullable=False, index=True),
    Column("address", String(64), nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
)
AUDIT = Table(
    "audit_log",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("who", String(64), nullable=False),
    Column("what", String(64), nullable=False),
    Column("object", String(256), nullable=False),
    Column("address", String(64), nullable=False),
    Column("result", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
append_only(AUDIT)


class Role(StrEnum):
    """What a user may do; each role includes the ones before it."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    RESPONDER = "responder"
    LEAD = "lead"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """0 for viewer … 4 for admin."""
        return list(Role).index(self)


@dataclass(frozen=True)
class User:
    """Somebody who is known; `one_time` until they chose a password of their own."""

    name: str
    role: Role
    brands: tuple[str, ...]
    one_time: bool

    def may(self, role: Role) -> bool:
        """Whether the user's role includes `role`."""
        return self.role.rank >= role.rank

    def sees(self, brand: str) -> bool:
        """Whether a brand is within the user's scope; an empty scope sees nothing."""
        return self.brands == ALL_BRANDS or brand in self.brands


@dataclass(frozen=True)
class Credential:
    """A user with the hash that their password must fit."""

    user: User
    password: str


@dataclass(frozen=True)
class AuditRow:
    """Who did what to which object, from where, with which result."""

    at: datetime
    who: str
    what: str
    object: str
    address: str
    result: str


def create_first_admin(tx: Tx, now: datetime) -> tuple[str, str] | None:
    """Make the administrator of a new installation: name and one-time password, shown once.

    None when any account exists, so that every start may call it.
    """
    if tx.execute(select(func.count()).select_from(ACCOUNTS)).scalar_one():
        return None
    return "admin", add_user(tx, "admin", Role.ADMIN, ALL_BRANDS, now)


def add_user(tx: Tx, name: str, role: Role, brands: Sequence[str], now: datetime) -> str:
    """Make an account; gives its one-time password.

    Raises:
        UsageError: the name is taken or empty.
    """
    if not name.strip() or credential(tx, name) is not None:
        raise UsageError(f"account {name!r} is empty or taken; choose another name")
    password = secrets.token_urlsafe(15)
    tx.execute(
        ACCOUNTS.insert().values(
            name=name,
            role=role.value,
            brands=list(brands),
            password=_HASHER.hash(password),
            one_time=True,
            active=True,
            created_at=now,
        )
    )
    return password


def reset_password(tx: Tx, name: str) -> str:
    """A new one-time password for an active account; all its sessions end.

    Raises:
        UsageError: no such account.
    """
    if credential(tx, name) is None:
        raise UsageError(f"account {name!r} does not exist; `keqing account list` names them")
    password = secrets.token_urlsafe(15)
    values = {"password": _HASHER.hash(password), "one_time": True}
    tx.execute(update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(values))
    tx.execute(delete(SESSIONS).where(SESSIONS.c.name == name))
    return password


def users(tx: Tx) -> list[User]:
    """All active accounts, by name."""
    rows = tx.execute(select(ACCOUNTS).where(ACCOUNTS.c.active).order_by(ACCOUNTS.c.name))
    return [User(r.name, Role(r.role), tuple(r.brands), r.one_time) for r in rows]


def any_account(tx: Tx) -> bool:
    """Whether anybody can sign in at all."""
    return tx.execute(select(ACCOUNTS.c.name).limit(1)).first() is not None


def credential(tx: Tx, name: str) -> Credential | None:
    """The active account of this name, or None."""
    where = ACCOUNTS.c.name == name, ACCOUNTS.c.active
    row = tx.execute(select(ACCOUNTS).where(*where)).first()
    if row is None:
        return None
    return Credential(User(row.name, Role(row.role), tuple(row.brands), row.one_time), row.password)


def verify(found: Credential | None, password: str) -> bool:
    """Whether the password fits. An unknown account costs the same time; call it outside of `tx`."""
    stored = found.password if found else _nobody()
    try:
        _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
    return found is not None


def weakness(name: str, password: str) -> str:
    """Code of what is wrong with a new password; "" when it will do."""
    shortest, longest = PASSWORD_LENGTH
    if not shortest <= len(password) <= longest:
        return "length"
    plain = password.lower()
    if any(word in plain for word in ("keqing", "客情", "password", name.lower())):
        return "guessable"
    return "repeats" if len(set(plain)) < 5 else ""


def set_password(tx: Tx, name: str, password: str) -> None:
    """Store a password of the user's own.

    Raises:
        UsageError: it is weak; names the code of `weakness`.
    """
    if code := weakness(name, password):
        raise UsageError(f"password refused: {code}")
    values = {"password": _HASHER.hash(password), "one_time": False}
    tx.execute(update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(values))


def open_session(tx: Tx, name: str, address: str, now: datetime) -> str:
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


def session_user(tx: Tx, token: str, now: datetime) -> tuple[User, bool] | None:
    """Whose session this is, and whether it should be touched; reads only.

    None when it is unknown, idle for 30 minutes or 12 hours old.
    """
    row = tx.execute(select(SESSIONS).where(SESSIONS.c.token_hash == _digest(token))).first()
    if row is None or now - row.seen_at > IDLE or now - row.opened_at > LONGEST:
        return None
    found = credential(tx, row.name)
    return (found.user, now - row.seen_at > TOUCH_EVERY) if found else None


def touch_session(tx: Tx, token: str, now: datetime) -> None:
    """Write that a session is in use, which keeps it alive."""
    where = SESSIONS.c.token_hash == _digest(token)
    tx.execute(update(SESSIONS).where(where).values(seen_at=now))


def end_session(tx: Tx, token: str) -> None:
    """Sign out."""
    tx.execute(delete(SESSIONS).where(SESSIONS.c.token_hash == _digest(token)))


def end_other_sessions(tx: Tx, name: str, token: str) -> None:
    """End all sessions of a user but this one."""
    where = SESSIONS.c.name == name, SESSIONS.c.token_hash != _digest(token)
    tx.execute(delete(SESSIONS).where(*where))


def audit(
    tx: Tx, who: str, what: str, object: str, address: str, result: str, now: datetime
) -> None:
    """Write one row of the trail; never a post's text or a secret."""
    last = tx.execute(select(AUDIT.c.hash).order_by(AUDIT.c.seq.desc()).limit(1)).scalar()
    # before they are hashed: not every database keeps NUL
    previous, facts = last or "", tuple(map(clean, (who, what, object, address, result)))
    row = dict(zip(("who", "what", "object", "address", "result"), facts, strict=True))
    chained = {"previous": previous, "hash": _hash(previous, now, *facts)}
    tx.execute(AUDIT.insert().values(at=now, **row, **chained))


def audit_rows(tx: Tx, limit: int = 100) -> list[AuditRow]:
    """The newest rows of the trail, newest first."""
    rows = tx.execute(select(AUDIT).order_by(AUDIT.c.seq.desc()).limit(limit))
    return [AuditRow(r.at, r.who, r.what, r.object, r.address, r.result) for r in rows]


def verify_audit(tx: Tx) -> int:
    """Number of rows, after recomputing the chain.

    Raises:
        WorkflowError: a row does not agree with its hash; names its seq.
    """
    previous, n = "", 0
    for r in tx.execute(select(AUDIT).order_by(AUDIT.c.seq)):
        expected = _hash(previous, r.at, r.who, r.what, r.object, r.address, r.result)
        if r.previous != previous or r.hash != expected:
            raise WorkflowError(f"audit_log: row {r.seq} does not agree with the chain")
        previous, n = r.hash, n + 1
    return n


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _hash(previous: str, at: datetime, *facts: str) -> str:
    line = json.dumps([previous, utc_text(at), *facts], ensure_ascii=False)
    return hashlib.sha256(line.encode()).hexdigest()


@cache
def _nobody() -> str:
    """A hash that no password fits, made when first needed: it costs 94 ms."""
    return str(_HASHER.hash(secrets.token_urlsafe(15)))
