"""What is remembered of authors: their last posts, who told the same within a minute, marks.

In:  a transaction; call it inside the one that records the batch, so that a kill undoes both.
Out: what nlp.speakers folds a batch against, in a few statements a batch. Pseudonyms, hashes and
counts only, no words. Times are Unix seconds. Rows come from recorded batches alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    String,
    Table,
    Text,
    delete,
    func,
    select,
)

from keqing.workflow.batches import BATCHES
from keqing.workflow.db import METADATA, Tx
from keqing.workflow.many import among, parts

AUTHORS = Table(
    "nlp_authors",
    METADATA,
    Column("author", String(128), primary_key=True),
    Column("first_at_s", BigInteger, nullable=False),
    Column("last_at_s", BigInteger, nullable=False, index=True),
    Column("posts", Text, nullable=False),  # the last ones, oldest first
)
TELLINGS = Table(  # posts on us by story, for a week
    "nlp_author_tellings",
    METADATA,
    Column("post_id", String(512), primary_key=True),
    Column("story", String(512), nullable=False),
    Column("author", String(128), nullable=False, index=True),
    Column("at_s", BigInteger, nullable=False, index=True),
    Column("linked", Boolean, nullable=False),
    Column("exact", Boolean, nullable=False),
    Column("new", Boolean, nullable=False),
    Index("nlp_author_tellings_story", "story", "at_s"),
)
COMPANY = Table(  # who told the same story within a minute of an author
    "nlp_author_company",
    METADATA,
    Column("author", String(128), primary_key=True),
    Column("story", String(512), primary_key=True),
    Column("linked", Boolean, nullable=False),
    Column("at_s", BigInteger, nullable=False, index=True),
    Column("others", Text, nullable=False),
)
MARKS = Table(
    "nlp_author_marks",
    METADATA,
    Column("author", String(128), primary_key=True),
    Column("code", String(32), primary_key=True),
    Column("at_s", BigInteger, nullable=False, index=True),
)
CALLS = Table(  # posts that ask for copies: lotteries
    "nlp_author_calls",
    METADATA,
    Column("post_id", String(512), primary_key=True),
    Column("at_s", BigInteger, nullable=False, index=True),
)
Mark = tuple[str, str]  # author, code


@dataclass(frozen=True)
class Seen:
    """A post of an author as it was last seen.

    Attributes:
        exact: `at_s` is right to the minute.
        interactions: likes, comments and reposts together; None if no counter is known.
        how: own, copy, linked (repost) or called (a lottery asked for it); "" if not about us.
        lived: it tells of the author's own purchase.
    """

    post: str
    at_s: int
    exact: bool
    interactions: int | None
    how: str
    story: str
    lived: bool


@dataclass(frozen=True)
class Author:
    """An author's first moment that we know of and last posts, oldest first."""

    author: str
    first_at_s: int
    posts: tuple[Seen, ...]


@dataclass(frozen=True)
class Telling:
    """One post on us as a part of its story; `new`: its author had been known for less than a day."""

    post_id: str
    story: str
    author: str
    at_s: int
    linked: bool
    exact: bool
    new: bool


@dataclass(frozen=True)
class Company:
    """Others who told a story within a minute of an author."""

    author: str
    story: str
    linked: bool
    at_s: int
    others: tuple[str, ...]


def watching_since_s(tx: Tx) -> int | None:
    """When the first batch was scored; None before it."""
    first = tx.execute(select(func.min(BATCHES.c.scored_at))).scalar()
    return None if first is None else int(first.timestamp())


def authors(tx: Tx, wanted: Collection[str]) -> dict[str, Author]:
    """Those of these authors that are known."""
    return {
        row.author: Author(
            row.author, row.first_at_s, tuple(Seen(*seen) for seen in json.loads(row.posts))
        )
        for row in _rows(tx, AUTHORS, "author", wanted)
    }


def tellings(tx: Tx, stories: Collection[str], since_s: int, until_s: int) -> list[Telling]:
    """Posts on us of these stories between two moments, both included."""
    between = TELLINGS.c.at_s.between(since_s, until_s)
    return [Telling(**row._mapping) for row in _rows(tx, TELLINGS, "story", stories, between)]


def company(tx: Tx, wanted: Collection[str]) -> list[Company]:
    """All company of these authors."""
    return [
        Company(row.author, row.story, row.linked, row.at_s, tuple(json.loads(row.others)))
        for row in _rows(tx, COMPANY, "author", wanted)
    ]


def marks(tx: Tx, wanted: Collection[str]) -> set[Mark]:
    """Marks of these authors."""
    return {(row.author, row.code) for row in _rows(tx, MARKS, "author", wanted)}


def calls(tx: Tx, wanted: Collection[str]) -> set[str]:
    """Those of these posts that ask for copies."""
    return {row.post_id for row in _rows(tx, CALLS, "post_id", wanted)}


def save_authors(tx: Tx, changed: Sequence[Author]) -> None:
    """Write changed and new authors."""
    rows = [
        {"author": one.author, "first_at_s": one.first_at_s, "last_at_s": one.posts[-1].at_s,
         "posts": json.dumps([tuple(vars(seen).values()) for seen in one.posts])}
        for one in changed
    ]  # fmt: skip
    _replace(tx, AUTHORS, "author", rows)


def save_tellings(tx: Tx, told: Sequence[Telling]) -> None:
    """Write tellings; a post that is seen again is replaced."""
    _replace(tx, TELLINGS, "post_id", [vars(one) for one in told])


def save_company(tx: Tx, changed: Sequence[Company]) -> None:
    """Write the whole company of these authors."""
    rows = [vars(one) | {"others": json.dumps(one.others)} for one in changed]
    _replace(tx, COMPANY, "author", rows)


def add_marks(tx: Tx, new: Mapping[Mark, int]) -> None:
    """Add marks with the moment of what they stand for."""
    if new:
        tx.execute(
            MARKS.insert(), [{"author": a, "code": c, "at_s": s} for (a, c), s in new.items()]
        )


def add_calls(tx: Tx, new: Mapping[str, int]) -> None:
    """Add posts that ask for copies."""
    if new:
        tx.execute(CALLS.insert(), [{"post_id": post, "at_s": at} for post, at in new.items()])


def forget(tx: Tx, tellings_before_s: int, marks_before_s: int, authors_before_s: int) -> None:
    """Drop what is too old to count."""
    tx.execute(delete(TELLINGS).where(TELLINGS.c.at_s < tellings_before_s))
    for table in (COMPANY, MARKS, CALLS):
        tx.execute(delete(table).where(table.c.at_s < marks_before_s))
    tx.execute(delete(AUTHORS).where(AUTHORS.c.last_at_s < authors_before_s))


def erase(tx: Tx, author: str) -> int:
    """Remove everything kept of one author, also from others' company; gives the rows touched."""
    gone = 0
    for table in (AUTHORS, TELLINGS, COMPANY, MARKS):
        gone += tx.execute(delete(table).where(table.c.author == author)).rowcount
    near = COMPANY.c.others.contains(json.dumps(author), autoescape=True)
    for row in tx.execute(select(COMPANY).where(near)).all():
        others = json.dumps([other for other in json.loads(row.others) if other != author])
        here = (COMPANY.c.author == row.author) & (COMPANY.c.story == row.story)
        gone += tx.execute(COMPANY.update().where(here).values(others=others)).rowcount
    return gone


def _rows(
    tx: Tx, table: Table, key: str, wanted: Collection[str], *also: ColumnElement[bool]
) -> Iterator[Any]:
    """Rows with one of these values, in an order that depends on nothing else."""
    order = [column for column in table.primary_key]
    for part in parts(sorted(set(wanted))):
        query = select(table).where(among(tx, table.c[key], part), *also).order_by(*order)
        yield from tx.execute(query)


def _replace(tx: Tx, table: Table, key: str, rows: Sequence[dict[str, Any]]) -> None:
    for part in parts(sorted({row[key] for row in rows})):
        tx.execute(delete(table).where(among(tx, table.c[key], part)))
    if rows:
        tx.execute(table.insert(), list(rows))
