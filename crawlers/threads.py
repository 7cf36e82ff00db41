"""Threads of a list: which of them moved, and how reading one ends.

In:  a Job, marks of the list's rows. Out: rows of `crawl_threads`, todo before they are read and
done, blocked or gone after, so that listed = done + blocked + gone at the end of a whole crawl.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urljoin

from crawlers.pages.walls import Answer
from crawlers.site import Refused
from crawlers.walk import Job
from keqing.errors import SourceChanged, UnreadablePage
from keqing.workflow import targets
from keqing.workflow.db import begin, read
from keqing.workflow.targets import ThreadRow

KIND = "thread"
STATES = {
    Answer.GONE: "gone",
    Answer.NO_PERMISSION: "blocked",
    Answer.LOGIN_WALL: "blocked",
}
SHOWN = 5
MOST_CHANGED = 3  # threads of one crawl; more of them are another site, not broken threads


@dataclass(frozen=True)
class Listed:
    """A row of a list: `mark` changes when the thread does."""

    tid: str
    mark: str
    url: str
    pinned: bool = False


def moved(job: Job, rows: Sequence[Listed]) -> list[ThreadRow]:
    """Threads that are new, moved or unfinished; written down before they are read."""
    todo = []
    with begin(job.engine) as tx:
        for listed in rows:
            known = job.thread(tx, KIND, listed.tid)
            if known is not None and known.state != "todo" and known.mark == listed.mark:
                continue
            url = known.url if known else listed.url
            row = ThreadRow(job.card.name, KIND, listed.tid, "todo", listed.mark, url, job.clock())
            job.put_thread(tx, row)
            todo.append(row)
    return todo


async def read_thread(
    job: Job, row: ThreadRow, pages: Callable[[ThreadRow], Awaitable[str]]
) -> None:
    """Read one thread; `pages` lands its posts and gives the address to go on from next time.

    A thread that is gone or closed to guests is noted, one with a page that cannot be read is read
    again next time (and once in this crawl); neither holds back the others.

    Raises:
        SourceChanged: too many threads of this crawl cannot be read.
    """
    tally = job.keeper.tally
    if row.tid in job.broken:
        return
    try:
        ended = replace(row, state="done", url=await pages(row))
    except (SourceChanged, UnreadablePage) as error:
        job.broken.add(row.tid)
        if len(job.broken) >= MOST_CHANGED:
            raise
        tally.changed.append(str(error))
        return
    except Refused as error:
        if error.answer not in STATES:
            raise
        tally.notes[f"thread_{error.answer}"] += 1
        ended = replace(row, state=STATES[error.answer])
    with begin(job.engine) as tx:
        job.put_thread(tx, ended)


async def read_left(job: Job, pages: Callable[[ThreadRow], Awaitable[str]]) -> None:
    """Read what an earlier crawl listed and could not read: a known list is not walked to its end."""
    with read(job.engine) as tx:
        left = targets.open_threads(tx, job.card.name)
    for row in left:
        url = urljoin(job.card.base_url, row.url)
        await read_thread(job, replace(row, url=url), pages)


def count_left(job: Job) -> None:
    """Tell which listed threads this crawl did not come to read."""
    with read(job.engine) as tx:
        left = targets.open_threads(tx, job.card.name)
    if left:
        ids = ", ".join(row.tid for row in left[:SHOWN])
        job.keeper.tally.gaps.append(f"{len(left)} 个主题待读: {ids}")
