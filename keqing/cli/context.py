"""What verbs share: settings, stores, the clock, and how a report is printed."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TextIO

from pydantic import BaseModel

from keqing.errors import UsageError
from keqing.settings import Settings, load_settings
from keqing.workflow import db, runs

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from index.answers import IndexEngine


AddVerb = Callable[[str, Callable[[argparse.Namespace], int], str, str], argparse.ArgumentParser]


def now() -> datetime:
    """The clock; the only place of the command line that reads it."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Context:
    """Settings and the stores they name, opened when first used."""

    settings: Settings

    @cached_property
    def engine(self) -> Engine:
        """The workflow database."""
        return db.open_workflow(self.settings)

    @cached_property
    def index(self) -> IndexEngine:
        """The index of mentions."""
        from index.engine import open_index

        return open_index(self.settings)


def context(args: argparse.Namespace) -> Context:
    """Settings of `--root`, checked."""
    return Context(load_settings(args.root.resolve()))


@dataclass
class Entry:
    """A run of the ledger while it lasts: what the block puts here is written at its end."""

    run_id: str
    report: dict[str, Any] = field(default_factory=dict)
    outcome: str = "ok"
    detail: str = ""


@contextmanager
def ledger(ctx: Context, stage: str, source: str | None = None) -> Iterator[Entry]:
    """Write a run's start and end; an error makes its outcome `failed`."""
    with db.begin(ctx.engine) as tx:
        entry = Entry(runs.start(tx, stage, source, now()))
    outcome, detail = "failed", "ended by a signal or an unforeseen error"
    try:
        yield entry
        outcome, detail = entry.outcome, entry.detail
    except Exception as error:
        detail = f"{type(error).__name__}: {error}"
        raise
    finally:
        counts = dict(_numbers(entry.report))
        with db.begin(ctx.engine) as tx:
            runs.finish(tx, entry.run_id, outcome, counts, now(), detail)


def _numbers(report: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Counts of a report by name; counts by reason as `refused.unreadable`; of fields, how many."""
    for name, value in report.items():
        if isinstance(value, int) and not isinstance(value, bool):
            yield name, value
        elif isinstance(value, Mapping):
            yield from ((f"{name}.{k}", n) for k, n in _numbers(value))
        elif name in ("unknown_fields", "gaps") and value:
            yield name, len(value)


def opened(path: str, mode: Literal["r", "w"]) -> TextIO:
    """A text file of the caller, UTF-8.

    Raises:
        UsageError: it cannot be opened; says why.
    """
    try:
        return open(path, mode, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def plain(report: object) -> dict[str, Any]:
    """A report (pydantic or dataclass) as JSON values."""
    if isinstance(report, BaseModel):
        return report.model_dump(mode="json")
    if dataclasses.is_dataclass(report) and not isinstance(report, type):
        return dict(json.loads(json.dumps(dataclasses.asdict(report), default=str)))
    if isinstance(report, Mapping):
        return dict(report)
    raise TypeError(f"no report: {report!r}")


def show(args: argparse.Namespace, report: object) -> None:
    """Print a report: one JSON line, or `name: value` lines for people."""
    values = plain(report)
    if args.json:
        print(json.dumps(values, ensure_ascii=False))
        return
    for name, value in values.items():
        if value not in (None, [], {}, ""):
            print(f"{name}: {value}")
