"""Replay: the landing again through score and load, into a folder of its own, and is it the same?

In:  settings, the workflow database with the batch log, an empty folder. Out: the folder's own
workflow database, Mentions and index; which batches are equal to the byte. The order of the batch log
is followed, since a story's first post depends on it; the landing itself is only read.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from index.engine import open_index
from index.query import All
from index.run import load
from keqing.errors import UsageError
from keqing.landing import Landing
from keqing.settings import IndexSettings, Settings
from keqing.workflow import batches, corrections, event_links
from keqing.workflow.batches import LoggedBatch
from keqing.workflow.db import Engine, begin, open_file, read
from nlp.run import ScoreReport, score_batch
from nlp.understand import Reader

CHINA = ZoneInfo("Asia/Shanghai")
PAGE = 500


class ReplayReport(BaseModel):
    """How much was compared; `different` names Mention files that are not equal to the byte.

    `index_equal` is None for a day: later days have moved the index on.
    """

    batches: int
    posts: int
    equal: int
    different: list[str]
    documents: int
    index_equal: bool | None


def replay(
    settings: Settings, engine: Engine, into: Path, now: datetime, day: date | None = None
) -> ReplayReport:
    """Repeat every logged batch into `into` and compare.

    Args:
        day: compare what was scored on this day (Beijing). What came before is repeated as well, as
            stories go on from it; what came after is left out.

    Raises:
        UsageError: the folder is not empty.
    """
    if into.exists() and any(into.iterdir()):
        raise UsageError(f"{into} is not empty; name a new folder")
    again = _embedded(settings, into)
    again.var.mkdir(parents=True, mode=0o700)
    for kept in (
        "landing",
        "relevance",
        "house",
    ):  # what was collected, and what staff's labels taught
        (again.var / kept).symlink_to((settings.var / kept).resolve())
    _beside(settings, into)
    with read(engine) as tx:
        log = [batch for batch in batches.logged(tx) if day is None or _day(batch) <= day]
        by_staff, of_events = corrections.every(tx), event_links.every(tx)
    own = open_file(again.var / "keqing.db")
    with begin(own) as tx:
        corrections.add(tx, by_staff)
        event_links.add(tx, of_events)
    posts = _score(again, own, log)
    load(again, own, now)
    compared = [batch for batch in log if day is None or _day(batch) == day]
    different = [b.mention_file for b in compared if _body(settings, b) != _body(again, b)]
    after = list(_documents(again))
    return ReplayReport(
        batches=len(compared),
        posts=posts,
        equal=len(compared) - len(different),
        different=different,
        documents=len(after),
        index_equal=list(_documents(settings)) == after if day is None else None,
    )


def _beside(settings: Settings, into: Path) -> None:
    """What lies beside keqing.toml and is read while posts are understood."""
    nlp = settings.plan.nlp
    for name in ("lexicons", "words.tsv", nlp.model, nlp.second_stage.model):
        kept = settings.root / name
        if kept.exists() and not Path(name).is_absolute():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            (into / name).symlink_to(kept.resolve())


def _day(batch: LoggedBatch) -> date:
    return batch.scored_at.astimezone(CHINA).date()


def _embedded(settings: Settings, into: Path) -> Settings:
    """The same plan in another folder, with an index of its own there: never on the live server."""
    plan = settings.plan.model_copy(update={"index": IndexSettings()})
    return settings.model_copy(update={"root": into, "plan": plan})


def _score(settings: Settings, engine: Engine, log: list[LoggedBatch]) -> int:
    reader, report = Reader(settings), ScoreReport()
    order = Landing(settings.var / "landing").files()
    for batch in log:
        files = [file for file in order if file in batch.files]
        score_batch(settings, engine, reader, files, batch.scored_at, report)
    return report.scored


def _body(settings: Settings, batch: LoggedBatch) -> bytes:
    """What a file of Mentions holds; a missing or damaged one equals no other."""
    try:
        return gzip.decompress((settings.var / "mentions" / batch.mention_file).read_bytes())
    except (OSError, EOFError, zlib.error):
        return b""


def _documents(settings: Settings) -> Iterator[object]:
    """All documents of an index, newest first."""
    index, cursor = open_index(settings), None
    while True:
        page = index.search(All(), None, size=PAGE, cursor=cursor)
        yield from sorted(page.hits, key=lambda hit: hit.id)
        cursor = page.next_cursor
        if cursor is None:
            return
