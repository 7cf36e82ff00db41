"""The embedded engine: one SQLite file with FTS5, many readers, writers one after another.

In:  a path, Mentions, questions. Out: answers of `index.answers`. The rooms behind it: sqlite_file
(connections, errors), sqlite_write, sqlite_questions, sqlite_hits, sqlite_upkeep.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from index import sqlite_hits, sqlite_memory, sqlite_questions, sqlite_upkeep
from index.answers import (
    Bucket,
    Count,
    Hit,
    Keyword,
    LoadReport,
    SearchPage,
    Series,
    Similar,
    Sort,
    Window,
)
from index.ast import All, Node
from index.fields import check_counted
from index.sqlite_batch import batches
from index.sqlite_body import Squeezer, squeezer
from index.sqlite_file import File
from index.sqlite_rows import rows
from index.sqlite_similar import nearest
from index.sqlite_write import Writer
from keqing.cycles import without_gc
from keqing.records import Mention


class SqliteEngine:
    """IndexEngine on `path`; connections are one per thread."""

    def __init__(self, path: Path, deadline_s: float = 30.0) -> None:
        sqlite_memory.keep()
        self.path = path
        self._file = File(path, deadline_s)
        self.reading = self._file.reading
        with self.reading() as db:
            self.squeezer: Squeezer = squeezer(db)
        self._local = threading.local()

    def upsert(self, mentions: Sequence[Mention], now: datetime) -> LoadReport:
        """Store mentions in transactions of 500; a refused one is reported, the others go in."""
        total = LoadReport()
        writer = self._writer()
        with without_gc():
            for batch in batches(mentions):
                try:
                    with self._file.writing() as db:
                        report = writer.write(db, batch)
                except BaseException:
                    writer.codes.forget()
                    raise
                total = total + report
        return total

    def refresh(self) -> None:
        """Nothing to do: a committed row is visible at once."""

    def snapshot(self, folder: Path) -> Path:
        """Write a whole copy to a new file of the same name, beside running writers."""
        path = folder / self.path.name
        self._file.alone("VACUUM INTO ?", str(path))
        return path

    def close(self) -> None:
        """Close this thread's connection."""
        self._file.close()

    def search(
        self,
        node: Node,
        window: Window | None,
        sort: Sort = "time",
        size: int = 20,
        cursor: str | None = None,
        fold: bool = False,
    ) -> SearchPage:
        """One page; `fold` shows of a story its first post, `detail["similar"]` counts the copies."""
        with self.reading() as db:
            return sqlite_hits.page(db, self.squeezer, node, window, sort, size, cursor, fold)

    def export(self, node: Node, window: Window | None, as_of: datetime) -> Iterator[Hit]:
        """Every match first seen before `as_of`, newest first; no transaction lasts over a page."""
        return sqlite_hits.every(self._file, self.squeezer, node, window, as_of)

    def count(self, node: Node, window: Window | None) -> Count:
        """Posts, distinct stories, and distinct (author, story) voices."""
        with self.reading() as db:
            return sqlite_questions.counted(rows(db, node, window, sqlite_questions.VOICES))

    def counts(
        self, brands: Sequence[str], window: Window, step_s: int, source: str | None = None
    ) -> dict[str, Series]:
        """Dense series per brand, steps aligned to +08:00."""
        with self.reading() as db:
            return sqlite_questions.counts(db, brands, window, step_s, source)

    def counts_by(self, field: str, node: Node, window: Window | None) -> list[Bucket]:
        """Posts per value of a tag field, most first."""
        check_counted(field)
        with self.reading() as db:
            return sqlite_questions.counts_by(db, field, node, window)

    def keywords(
        self, node: Node, window: Window | None, background: Window, size: int = 20
    ) -> list[Keyword]:
        """Words by JLH score: (share − background share) × share / background share."""
        with self.reading() as db:
            return sqlite_questions.keywords(db, node, window, background, size)

    def examples(self, node: Node, window: Window | None, n: int = 5) -> list[Hit]:
        """The riskiest posts of distinct stories."""
        return list(self.search(node, window, sort="risk", size=n, fold=True).hits)

    def similar(self, post_id: str, window: Window | None, size: int = 10) -> list[Similar]:
        """Posts of other stories about the same brand, likest first."""
        with self.reading() as db:
            found = nearest(db, self.squeezer, post_id, window, size)
            hits = sqlite_hits.of_rows(db, self.squeezer, [row for row, _ in found], All(), {})
        return [Similar(hit, cosine) for hit, (_, cosine) in zip(hits, found, strict=True)]

    def document_alarms(self, window: Window, min_confidence: float) -> list[Hit]:
        """Posts about a brand with an asserted severity class, oldest first."""
        with self.reading() as db:
            numbers = sqlite_hits.alarms(db, window, min_confidence)
            return sqlite_hits.of_rows(db, self.squeezer, numbers, All(), {})

    def latest(self) -> datetime | None:
        """Newest first sight."""
        with self.reading() as db:
            return sqlite_hits.latest(db)

    def generation(self) -> int:
        """Moves with every load that changed something."""
        with self.reading() as db:
            moved = db.execute("SELECT value FROM meta WHERE name = 'generation'").fetchone()
        return int(moved[0])

    def get(self, ids: Sequence[str]) -> list[Hit]:
        """Documents by id, in the order asked."""
        with self.reading() as db:
            return sqlite_hits.of_ids(db, self.squeezer, ids)

    def find(self, field: Literal["author", "url"], value: str) -> list[str]:
        """Ids of the posts of an author (pseudonymous id) or at an address."""
        with self.reading() as db:
            return sqlite_upkeep.find(db, self.squeezer, field, value)

    def tidy(self, now: datetime, months: int | None) -> int:
        """Drop posts of the months outside the last `months`, and pack the file's indices."""
        return sqlite_upkeep.tidy(self._file, self._writer(), now, months)

    def building(self, now: datetime) -> InPlace:
        """A rebuild of this file: what is missing is added, what is there stays."""
        return InPlace(self)

    def erase_ids(self, ids: Sequence[str]) -> int:
        """Remove documents and overwrite their bytes."""
        return sqlite_upkeep.erase(self._file, self._writer(), ids)

    def health(self) -> dict[str, Any]:
        """Documents, bytes, and whether the file is sound."""
        return sqlite_upkeep.health(self._file)

    def _writer(self) -> Writer:
        """This thread's writer."""
        writer: Writer | None = getattr(self._local, "writer", None)
        if writer is None:
            writer = self._local.writer = Writer(self.squeezer)
        return writer


class InPlace:
    """A rebuild of the embedded file. A new version of keqing has a new file, which this fills."""

    def __init__(self, engine: SqliteEngine) -> None:
        self.engine = engine
        self.done: set[str] = set()

    def add(self, batch_id: str, mentions: Sequence[Mention], now: datetime) -> LoadReport:
        """Store a batch; what is there already is known as unchanged."""
        self.done.add(batch_id)
        return self.engine.upsert(mentions, now)

    def swap(self, now: datetime) -> None:
        """Nothing to do: what is stored is answered."""
