"""Stage `rebuild`: all scored batches into a new build of the index, then the swap.

In:  settings, the workflow database with the batch log, Mention files. Out: a RebuildReport. A kill at
any moment is followed by a run that goes on; loads may run beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pydantic import BaseModel

from index.answers import Build, LoadReport
from index.engine import open_index
from index.run import mentions_of
from keqing.settings import Settings
from keqing.workflow import batches
from keqing.workflow.db import Engine, begin
from keqing.workflow.overlay import shown

Progress = Callable[[int, int], None]


class RebuildReport(BaseModel):
    """Batches of this run, those an earlier run had done, what became of the posts."""

    batches: int
    before: int
    received: int
    rejected: int


def rebuild(
    settings: Settings, engine: Engine, now: datetime, progress: Progress = lambda done, of: None
) -> RebuildReport:
    """Fill a new build with every batch and put it behind all questions.

    Args:
        progress: told batches done and batches in all, after each.

    Raises:
        IndexFault: a Mention file is gone, the server refuses, or the new build lacks documents of
            the old one; questions are answered as before.
    """
    index = open_index(settings)
    try:
        build = index.building(now)
        before, total = len(build.done), LoadReport()
        while (part := _catch_up(settings, engine, build, now, progress)).received:
            total = total + part
        build.swap(now)
        # A load that began before the rebuild did knows of the old edition only: once more.
        total = total + _catch_up(settings, engine, build, now, progress)
        index.refresh()
    finally:
        index.close()
    return RebuildReport(
        batches=len(build.done) - before,
        before=before,
        received=total.received,
        rejected=len(total.rejected),
    )


def _catch_up(
    settings: Settings, engine: Engine, build: Build, now: datetime, progress: Progress
) -> LoadReport:
    """Add the batches that are not done."""
    with begin(engine) as tx:
        log = batches.every(tx)
    total = LoadReport()
    for batch in log:
        if batch.batch_id not in build.done:
            found = list(mentions_of(settings.var / "mentions" / batch.mention_file))
            total = total + build.add(batch.batch_id, shown(engine, found), now)
            progress(len(build.done), len(log))
    return total
