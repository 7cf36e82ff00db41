"""Accounts: who may sign in and what they may do.

In:  a transaction, names, passwords, `now`. Out: Users; rows of a table. Passwords are kept as Argon2id
hashes.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    String,
    Table,
    Text,
    func,
    select,
    update,
)

from keqing.errors import UsageError
from keqing.workflow.db import METADATA, Tx, UtcTime

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
    """A new one-time password for an active account; whoever asks ends its sessions.

    Raises:
        UsageError: no such account.
    """
    if credential(tx, name) is None:
        raise UsageError(f"account {name!r} does not exist; `keqing account list` names them")
    password = secrets.token_urlsafe(15)
    values = {"password": _HASHER.hash(password), "one_time": True}
    tx.execute(update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(values))
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


@cache
def _nobody() -> str:
    """A hash that no password fits, made when first needed: it costs 94 ms."""
    return str(_HASHER.hash(secrets.token_urlsafe(15)))
