"""A SQLite workflow database moves to PostgreSQL: every table copied, then compared row by row.

In:  the engine of the file, the engine of an empty database on the server. Out: a MoveReport with what was
copied and the checksums of both. The file is read under its writer's turn, so nothing moves meanwhile, and it
stays what it is. A kill is followed by a run that goes on behind the last batch that the server has.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    inspect,
    select,
    tuple_,
    update,
)

from keqing.errors import UsageError, WorkflowError
from keqing.records import utc_text
from keqing.settings import Settings
from keqing.workflow import db, leases, postgres
from keqing.workflow.db import Engine, Tx, begin, read
from keqing.workflow.migrations import COPYING, STEPS, STEPS_TAKEN, make, newest
from keqing.workflow.postgres import Address, cleaned
from keqing.workflow.schema import whole

BATCH = 1_000
PROGRESS = Table(  # in the target only, while it is being filled
    "workflow_copying",
    MetaData(),
    Column("name", String, primary_key=True),
    Column("last", Text, nullable=False),
    Column("rows", Integer, nullable=False),
)
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class MoveReport:
    """Rows by table, how many were there from an earlier run, tables that are not equal."""

    tables: Mapping[str, int]
    rows: int
    resumed: int
    checksum: str
    server_checksum: str
    different: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether the server holds exactly what the file does."""
        return not self.different


def move(source: Engine, target: Engine, now: datetime, progress: Progress) -> MoveReport:
    """Copy all tables and compare them; a copy that is whole already is only compared.

    Raises:
        UsageError: a stage or `keqing up` is at work, or the target holds something else.
    """
    with begin(source) as here:
        _nobody_at_work(here, now)
        name = f"copy of {source.url.database} at step {newest()}"
        resumed = _ready(target, name)
        if resumed is None:
            return _finished(here, target)
        _copy(here, target, progress)
        report = _compared(here, target, resumed)
        if report.different and resumed:  # the file moved on since the run that was killed
            _start_over(target, name)
            _copy(here, target, progress)
            report = _compared(here, target, 0)
        if report.equal:
            _finish(target)
    return report


def migrate(
    settings: Settings, url: str, now: datetime, progress: Progress
) -> tuple[MoveReport, Address]:
    """Move the installation's file to the database at `url`; the address says how it was reached.

    Raises:
        UsageError: the workflow database is on a server already, or the url is none.
    """
    if at := postgres.address(settings):
        raise UsageError(f"the workflow database is at {at.shown} already; nothing to move")
    plan = settings.plan.workflow
    try:
        checked = type(plan).model_validate({**plan.model_dump(), "url": url})
    except ValidationError as error:
        raise UsageError("; ".join(e["msg"] for e in error.errors())) from None
    target = postgres.parsed(url, checked, settings.root)
    report = move(db.open_workflow(settings), postgres.connect(target), now, progress)
    return report, target


def checksums(tx: Tx) -> dict[str, tuple[int, str]]:
    """Rows and checksum of every table: the same on both dialects for the same content."""
    return {table.name: _checksum(tx, table) for table in _tables()}


def _tables() -> list[Table]:
    """What is copied, what others refer to first."""
    return [table for table in whole().sorted_tables if table is not STEPS_TAKEN]


def _nobody_at_work(here: Tx, now: datetime) -> None:
    if held := leases.alive(here, now):
        raise UsageError(f"{', '.join(held)} is at work; stop keqing first, then move")


def _ready(target: Engine, name: str) -> int | None:
    """Rows that an earlier run has copied; 0 for an empty database, None for a whole one."""
    with begin(target) as tx:
        there = set(inspect(tx).get_table_names())
        if not there & whole().tables.keys():
            make(tx)
            _mark(tx, name)
            return 0
        taken = {}
        if STEPS_TAKEN.name in there:
            taken = {number: said for number, said in tx.execute(select(STEPS_TAKEN))}
        if COPYING in taken:
            return _earlier(tx, taken[COPYING], name)
        if max(taken, default=-1) != newest():
            raise UsageError("the target has tables of ours from another version; empty it first")
        if any(_count(tx, table) for table in _tables()):
            return None
        _mark(tx, name)
        return 0


def _earlier(tx: Tx, found: str, name: str) -> int:
    if found != name:
        raise UsageError(f"the target is an unfinished {found}, this is a {name}; empty it first")
    return int(tx.execute(select(func.coalesce(func.sum(PROGRESS.c.rows), 0))).scalar_one())


def _mark(tx: Tx, name: str) -> None:
    """Nothing else opens the database until the copy is whole."""
    tx.execute(delete(STEPS_TAKEN))
    tx.execute(STEPS_TAKEN.insert().values(number=COPYING, name=name))
    PROGRESS.create(tx)


def _start_over(target: Engine, name: str) -> None:
    with begin(target) as tx:
        PROGRESS.drop(tx)
        whole().drop_all(tx)
        make(tx)
        _mark(tx, name)


def _copy(here: Tx, target: Engine, progress: Progress) -> None:
    with read(target) as tx:
        last = {row.name: json.loads(row.last) for row in tx.execute(select(PROGRESS))}
        done = int(tx.execute(select(func.coalesce(func.sum(PROGRESS.c.rows), 0))).scalar_one())
    total = sum(_count(here, table) for table in _tables())
    progress(done, total)
    for table in _tables():
        for rows in _batches(here, table, last.get(table.name)):
            with begin(target) as tx:
                tx.execute(table.insert(), [dict(row._mapping) for row in rows])
                _note(tx, table, rows)
            done += len(rows)
            progress(done, total)


def _note(tx: Tx, table: Table, rows: list[Row[Any]]) -> None:
    last = json.dumps([rows[-1]._mapping[column] for column in table.primary_key.columns])
    mine = PROGRESS.c.name == table.name
    more = update(PROGRESS).where(mine).values(last=last, rows=PROGRESS.c.rows + len(rows))
    if tx.execute(more).rowcount == 0:
        tx.execute(PROGRESS.insert().values(name=table.name, last=last, rows=len(rows)))


def _batches(tx: Tx, table: Table, last: list[Any] | None = None) -> Iterator[list[Row[Any]]]:
    """All rows behind a primary key, in the order of the primary key."""
    key = list(table.primary_key.columns)
    while True:
        query = select(table).order_by(*key).limit(BATCH)
        if last is not None:
            query = query.where(tuple_(*key) > tuple_(*last))
        rows = list(tx.execute(query))
        if not rows:
            return
        yield rows
        last = [rows[-1]._mapping[column] for column in key]


def _finished(here: Tx, target: Engine) -> MoveReport:
    """A database that is whole: ours already, or something else."""
    report = _compared(here, target, 0)
    if report.different:
        raise UsageError(
            f"the target holds other data than the file (in {', '.join(report.different[:5])}); "
            "name an empty database"
        )
    return report


def _compared(here: Tx, target: Engine, resumed: int) -> MoveReport:
    ours = checksums(here)
    with read(target) as tx:
        theirs = checksums(tx)
    return MoveReport(
        tables={name: rows for name, (rows, _) in ours.items() if rows},
        rows=sum(rows for rows, _ in ours.values()),
        resumed=resumed,
        checksum=_sum(ours),
        server_checksum=_sum(theirs),
        different=tuple(sorted(name for name in ours if ours[name] != theirs[name])),
    )


def _finish(target: Engine) -> None:
    """Numbers go on behind the copied ones, and the database may be opened."""
    with begin(target) as tx:
        for table in _tables():
            column = table.autoincrement_column
            if column is not None and (highest := tx.execute(select(func.max(column))).scalar()):
                sequence = func.pg_get_serial_sequence(table.name, column.name)
                tx.execute(select(func.setval(sequence, highest)))
        PROGRESS.drop(tx)
        tx.execute(delete(STEPS_TAKEN))
        rows = [{"number": step.number, "name": step.name} for step in STEPS]
        tx.execute(STEPS_TAKEN.insert(), rows)


def _count(tx: Tx, table: Table) -> int:
    return int(tx.execute(select(func.count()).select_from(table)).scalar_one())


def _checksum(tx: Tx, table: Table) -> tuple[int, str]:
    rows, found = 0, hashlib.sha256()
    for batch in _batches(tx, table):
        rows += len(batch)
        for row in batch:
            line = json.dumps([_plain(value) for value in row], sort_keys=True, ensure_ascii=False)
            found.update(f"{line}\n".encode("utf-8", "surrogatepass"))
    return rows, found.hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, bool | int | float | list | dict | None):
        return value
    raise WorkflowError(f"a value of type {type(value).__name__} cannot be compared")


def _sum(found: Mapping[str, tuple[int, str]]) -> str:
    lines = "".join(f"{name} {n} {digest}\n" for name, (n, digest) in sorted(found.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
