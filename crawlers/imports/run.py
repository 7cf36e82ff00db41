"""`keqing import`: a file of tickets or posts → landing.

In:  settings, a file, the channel it came by, the time. Out: an ImportReport; good rows land, bad
rows are kept beside the file in `<file>.rejected.csv` with their number and reason.
read = landed + duplicate + rejected: no row vanishes.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path

from crawlers.imports.columns import columns_of
from crawlers.imports.rows import Maker, clean, read_time
from crawlers.imports.table import Bad, Row, read_rows
from keqing.landing import Landing
from keqing.records import Channel, Post, Record
from keqing.settings import Settings
from keqing.workflow import crawl, runs
from keqing.workflow.db import Engine, begin, read

__all__ = ["ImportReport", "clean", "import_file", "read_time"]

AT_ONCE = 1000


class ImportReport(Record):
    """How a file went in.

    `rejected` counts rows and `notes` cells by reason; `unknown_columns` were read by nobody.
    """

    read: int = 0
    landed: int = 0
    duplicate: int = 0
    rejected: dict[str, int] = {}
    rejected_file: str | None = None
    notes: dict[str, int] = {}
    unknown_columns: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass
class _Taken:
    """What became of the rows so far."""

    read: int = 0
    landed: int = 0
    duplicate: int = 0
    bad: list[Bad] = field(default_factory=list)
    unknown: dict[str, None] = field(default_factory=dict)
    files: tuple[str, ...] = ()


def import_file(
    settings: Settings,
    engine: Engine,
    path: Path,
    channel: Channel,
    now: datetime,
    map_file: Path | None = None,
    text_column: str | None = None,
) -> ImportReport:
    """Land the rows of `path` that are new or changed.

    Raises:
        UsageError: the file cannot be read at all, or no column holds a text.
    """
    rows = read_rows(path)
    seen = _Peek(rows)
    head = next((row for row in seen if isinstance(row, Row)), None)
    columns, unknown = columns_of(list(head.cells) if head else [], map_file, text_column)
    with begin(engine) as tx:
        run_id = runs.start(tx, "import", path.name, now)
    taken = _Taken(unknown=dict.fromkeys(unknown))
    outcome = "failed"
    try:
        maker = Maker(settings, path, channel, columns, now, run_id)
        _land(settings, engine, maker, chain(seen.taken, rows), set(columns.values()), now, taken)
        outcome = "part" if taken.bad else "ok"
        return _report(path, taken, maker)
    finally:
        with begin(engine) as tx:
            runs.finish(tx, run_id, outcome, _counts(taken), now)


def _land(
    settings: Settings, engine: Engine, maker: Maker, rows: Iterator[Row | Bad],
    claimed: set[str], now: datetime, taken: _Taken,
) -> None:  # fmt: skip
    with Landing(settings.var / "landing").writer(maker.source, now, maker.run_id) as writer:
        for posts in _chunks(_posts(maker, rows, claimed, taken)):
            fresh = _new(engine, posts)
            taken.duplicate += len(posts) - len(fresh)
            writer.append(fresh)
            taken.landed += len(fresh)
            with begin(engine) as tx:
                crawl.remember(tx, [(p.id, _hash(p), p.first_seen_at) for p in fresh])
        taken.files = tuple(writer.close())


def _posts(
    maker: Maker, rows: Iterator[Row | Bad], claimed: set[str], taken: _Taken
) -> Iterator[Post]:
    for row in rows:
        taken.read += 1
        if isinstance(row, Row):
            taken.unknown |= dict.fromkeys(name for name in row.cells if name not in claimed)
        made = maker.post(row) if isinstance(row, Row) else row
        if isinstance(made, Bad):
            taken.bad.append(made)
        else:
            yield made


def _report(path: Path, taken: _Taken, maker: Maker) -> ImportReport:
    return ImportReport(
        read=taken.read,
        landed=taken.landed,
        duplicate=taken.duplicate,
        rejected=_by_reason(taken.bad),
        rejected_file=_keep(path, taken.bad),
        notes=dict(maker.notes),
        unknown_columns=tuple(taken.unknown),
        files=taken.files,
    )


def _counts(taken: _Taken) -> dict[str, int]:
    counts = {"read": taken.read, "landed": taken.landed, "duplicate": taken.duplicate}
    reasons = {f"rejected.{reason}": n for reason, n in _by_reason(taken.bad).items()}
    return counts | {"rejected": len(taken.bad)} | reasons


def _by_reason(bad: Sequence[Bad]) -> dict[str, int]:
    return dict(Counter(row.reason.split(":")[0] for row in bad))


class _Peek:
    """Iterates while remembering what it gave."""

    def __init__(self, rows: Iterator[Row | Bad]) -> None:
        self._rows, self.taken = rows, list[Row | Bad]()

    def __iter__(self) -> Iterator[Row | Bad]:
        for row in self._rows:
            self.taken.append(row)
            yield row


def _hash(post: Post) -> str:
    return hashlib.sha256(f"{post.title}\0{post.text}".encode()).hexdigest()


def _new(engine: Engine, posts: Sequence[Post]) -> list[Post]:
    with read(engine) as tx:
        known = crawl.known(tx, [post.id for post in posts])
    fresh: dict[str, Post] = {}
    for post in posts:
        old = known.get(post.id)
        if old is None or old[0] != _hash(post):
            seen_at = old[1] if old else post.first_seen_at
            fresh[post.id] = post.model_copy(update={"first_seen_at": seen_at})
    return list(fresh.values())


def _chunks(posts: Iterator[Post]) -> Iterator[list[Post]]:
    chunk: list[Post] = []
    for post in posts:
        chunk.append(post)
        if len(chunk) == AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _keep(path: Path, bad: Sequence[Bad]) -> str | None:
    if not bad:
        return None
    kept = path.with_name(f"{path.name}.rejected.csv")
    with open(kept, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "reason", "raw"])
        writer.writerows((row.number, row.reason, row.raw) for row in bad)
    return str(kept)
