"""Walks of one crawl: a list from its newest page down to what is known, gaps closed later.

In:  a Job (card, due targets, keeper, workflow database) and a reader of one kind of list.
Out: landed posts; the progress of each target. A walk that is killed is walked again: progress is
written last, so that a crash repeats work and never skips it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from crawlers.keeper import Keeper
from crawlers.pages.page import Parsed
from keqing.settings import SourceCard, Target
from keqing.workflow import targets
from keqing.workflow.db import Engine, Tx, begin, read
from keqing.workflow.targets import TargetRow, ThreadRow

EMPTY = "empty"


@dataclass(frozen=True)
class Found:
    """One page of a list: how many rows, whether all was known by `until`, where it goes on."""

    rows: int
    covered: bool
    next_url: str | None
    empty: bool = False


@dataclass
class Job:
    """One crawl of one card."""

    card: SourceCard
    targets: Sequence[Target]
    keeper: Keeper
    engine: Engine
    clock: Callable[[], datetime]
    fault: BaseException | None = None
    walked: bool = False  # every target was visited, or left out for a reason that is told
    ended: str = ""  # Scrapy's reason; "" while it runs
    broken: set[str] = field(default_factory=set)  # threads that this crawl could not read

    def row(self, target: Target) -> TargetRow:
        """Progress on a target."""
        with read(self.engine) as tx:
            row = targets.target(tx, self.card.name, target.kind, target.key)
        return replace(
            row, gap_url=urljoin(self.card.base_url, row.gap_url) if row.gap_url else None
        )

    def save(self, row: TargetRow) -> None:
        """Write the progress on a target, tried now."""
        gap = kept_address(self.card.base_url, row.gap_url) if row.gap_url else None
        with begin(self.engine) as tx:
            targets.put_target(tx, replace(row, gap_url=gap, tried_at=self.clock()))

    def thread(self, tx: Tx, kind: str, tid: str) -> ThreadRow | None:
        """Progress on a thread, None if it was never listed."""
        row = targets.thread(tx, self.card.name, kind, tid)
        return replace(row, url=urljoin(self.card.base_url, row.url)) if row else None

    def put_thread(self, tx: Tx, row: ThreadRow) -> None:
        """Write the progress on a thread."""
        targets.put_thread(tx, replace(row, url=kept_address(self.card.base_url, row.url)))


def kept_address(base_url: str, url: str) -> str:
    """An address without its host, so that progress outlives a move of the site.

    Inside the card's folder it is relative to it (`./`, or a colon in it would make a scheme),
    elsewhere a path from the root.
    """
    folder = urlsplit(base_url).path.rpartition("/")[0] + "/"
    parts = urlsplit(url)
    inside = parts.path.startswith(folder)
    path = f"./{parts.path.removeprefix(folder)}" if inside else parts.path
    return f"{path}?{parts.query}" if parts.query else path


class Reader(Protocol):
    """Reads and keeps one page of a list."""

    async def __call__(self, url: str, until: datetime | None) -> Found:
        """Rows first seen after `until` are not yet covered; None = nothing is."""


def due(card: SourceCard, target: Target, row: TargetRow, now: datetime) -> float:
    """How overdue a target is: 1.0 = due now, 2.0 = one interval late; never tried = infinite."""
    if row.wait_until and row.wait_until > now:
        return 0.0
    if row.tried_at is None:
        return float("inf")
    interval = timedelta(minutes=getattr(card.schedule, target.priority))
    return (now - row.tried_at) / interval


async def newest_first(job: Job, target: Target, first: str, read: Reader) -> None:
    """Walk a list whose newest rows stand on its first page.

    From the top to what the last walk saw, then, if that one ran out of budget, on from its gap.
    """
    row = job.row(target)
    url: str | None = first
    gap, until = row.gap_url, row.gap_seen_at if row.gap_url else row.covered_at
    rows = pages = 0
    empty = False
    while url:
        if pages >= job.card.pace.max_pages_per_target:
            _leave_gap(job, row, url, rows)
            return
        found = await read(url, until)
        pages, rows, empty, url = pages + 1, rows + found.rows, found.empty, found.next_url
        if found.covered:
            url, gap, until = gap, None, row.covered_at
    _count_silence(job, target, row, rows, empty)
    job.save(
        replace(
            row,
            covered_at=job.clock(),
            gap_url=None,
            gap_seen_at=None,
            wait_until=None,
            had_posts=max(row.had_posts, rows),
        )
    )


def is_covered(seen: Sequence[datetime | None], until: datetime | None) -> bool:
    """Whether every row was seen by the end of the last whole walk; a page without rows is not."""
    return bool(seen) and until is not None and all(at is not None and at <= until for at in seen)


def said_empty(parsed: Parsed) -> bool:
    """Whether the page itself says that nothing is there."""
    return EMPTY in parsed.skipped


def _leave_gap(job: Job, row: TargetRow, url: str, rows: int) -> None:
    job.keeper.tally.gaps.append(f"{row.kind} {row.key}: {url} 之后留待下次")
    job.save(replace(row, gap_url=url, gap_seen_at=job.clock(), had_posts=max(row.had_posts, rows)))


def _count_silence(job: Job, target: Target, row: TargetRow, rows: int, empty: bool) -> None:
    tally = job.keeper.tally
    if rows:
        tally.speaking_targets += 1
    elif empty or not row.had_posts:
        tally.empty_targets += 1
    else:
        tally.silent.append(f"{target.kind} {target.key}")
