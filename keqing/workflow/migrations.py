"""Numbered steps that bring an older workflow database to the present, forward only.

In:  the one writer's transaction. Out: every table as this program declares it; the steps that were
taken stand in table `workflow_steps`. A new database is made whole and has taken all of them.

To change a table: change its declaration, add a step that does the same to a database which has it
already, and record the new shape (tests/workflow/test_migrations.py says how).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Column, Integer, String, Table, func, inspect, select, text

from keqing.errors import WorkflowOutdated
from keqing.workflow.db import METADATA, Tx
from keqing.workflow.schema import whole

STEPS_TAKEN = Table(
    "workflow_steps",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", String(128), nullable=False),
)
COPYING = 0  # the number that stands in a database while it is being filled from another


@dataclass(frozen=True)
class Step:
    """One change of shape; `take` may be called on a database that has a part of it."""

    number: int
    name: str
    take: Callable[[Tx], None]


def is_behind(tx: Tx) -> bool:
    """Whether steps are to be taken.

    Raises:
        WorkflowOutdated: a newer program wrote it, or it is an unfinished copy.
    """
    return version(tx) < newest()


def newest() -> int:
    """Number of the last step that this program knows."""
    return STEPS[-1].number


def version(tx: Tx) -> int:
    """Number of the last step that was taken; -1 for a database without numbers.

    Raises:
        WorkflowOutdated: a newer program wrote it, or it is an unfinished copy.
    """
    if not inspect(tx).has_table(STEPS_TAKEN.name):
        return -1
    lowest, highest = tx.execute(
        select(func.min(STEPS_TAKEN.c.number), func.max(STEPS_TAKEN.c.number))
    ).one()
    if lowest == COPYING:
        raise WorkflowOutdated(
            "the workflow database is an unfinished copy; run keqing migrate --workflow again"
        )
    if highest is not None and highest > newest():
        raise WorkflowOutdated(
            f"the workflow database has taken step {highest}, this program knows {newest()}: "
            "update keqing, or restore the backup that was made before"
        )
    return -1 if highest is None else int(highest)


def bring(tx: Tx) -> None:
    """Take the steps that are missing; call it in one transaction that writes."""
    had = version(tx)  # again: another process may have been first
    if had == newest():
        return
    if not set(inspect(tx).get_table_names()) & whole().tables.keys():
        make(tx)
        return
    STEPS_TAKEN.create(tx, checkfirst=True)
    for step in STEPS:
        if step.number > had:
            step.take(tx)
            tx.execute(STEPS_TAKEN.insert().values(number=step.number, name=step.name))


def make(tx: Tx) -> None:
    """Make all tables in an empty database."""
    whole().create_all(tx, checkfirst=False)
    tx.execute(STEPS_TAKEN.insert(), [{"number": step.number, "name": step.name} for step in STEPS])


def _story_seconds(tx: Tx) -> None:
    """Two tables of stories held times as texts for some hours; they are Unix seconds since."""
    for name, times in (
        ("nlp_story_texts", ("scored_at", "at")),
        ("nlp_story_keys", ("scored_at",)),
    ):
        if not inspect(tx).has_table(name):
            continue
        had = [column["name"] for column in inspect(tx).get_columns(name)]
        if "scored_at" not in had:
            continue
        rows = [dict(row) for row in tx.execute(text(f"SELECT * FROM {name}")).mappings()]
        tx.execute(text(f"DROP TABLE {name}"))  # its indices go with it
        table = whole().tables[name]
        table.create(tx)
        for row in rows:
            for time in times:
                row[f"{time}_s"] = _seconds(row.pop(time))
        if rows:
            tx.execute(table.insert(), rows)


def _missing_tables(tx: Tx) -> None:
    """Before there were numbers, a program made what it missed when it opened the database."""
    whole().create_all(tx)


def _story_platforms(tx: Tx) -> None:
    """Where stories were seen; of stories from before it there are no rows."""
    whole().tables["nlp_story_platforms"].create(tx, checkfirst=True)


def _event_links(tx: Tx) -> None:
    """What events are compared by, and what staff said of them; events from before go by words."""
    for name in ("sums", "brands", "vectors", "links", "obeyed", "names"):
        whole().tables[f"nlp_event_{name}"].create(tx, checkfirst=True)


def _other_vectors(tx: Tx) -> None:
    """The embedder learned anew: sums of its former vectors say nothing beside those of today.

    Events that go on are found by words until stories with new vectors join them.
    """
    for name in ("sums", "brands", "vectors"):
        tx.execute(whole().tables[f"nlp_event_{name}"].delete())
    tx.execute(whole().tables["nlp_event_stars"].update().values(vector=None))


def _seconds(stored: str) -> int:
    return int(datetime.fromisoformat(stored).replace(tzinfo=UTC).timestamp())


STEPS = (
    Step(1, "story times are Unix seconds", _story_seconds),
    Step(2, "every table up to corrections", _missing_tables),
    Step(3, "where stories were seen", _story_platforms),
    Step(4, "sums of events, and what staff said of them", _event_links),
    Step(5, "vectors of the former embedder are gone", _other_vectors),
)
