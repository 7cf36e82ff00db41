"""The embedded engine: one SQLite file with FTS5, many readers, writers one after another.

In:  a path, Mentions, questions. Out: answers of `index.answers`. Foreign errors are translated
here, once: a lock is IndexBusy, a passed deadline IndexTimeout, anything else IndexUnavailable.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from index.admit import admit
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
from index.document import COUNTERS, Document, to_hit
from index.fields import check_counted
from index.highlight import spans
from index.retention import kept_since
from index.schema import DDL, INDEX_VERSION
from index.score import jlh
from index.series import Grid
from index.sqlite_query import where
from index.sqlite_similar import nearest
from index.sqlite_write import TIE_BITS, upsert
from keqing.errors import (
    IndexBusy,
    IndexOutdated,
    IndexRejected,
    IndexTimeout,
    IndexUnavailable,
    UsageError,
)
from keqing.records import Mention

CHUNK = 500
FROM = "FROM mentions m LEFT JOIN seen s ON s.rowid = m.rowid"
KEYS = {
    "time": "m.published_at",
    "risk": "m.risk",
    "interactions": "coalesce(s.likes,0) + coalesce(s.comments,0) + coalesce(s.reposts,0)",
}
MOVED = "UPDATE meta SET value = value + 1 WHERE name = 'generation'"
CST_S = 8 * 3600


class SqliteEngine:
    """IndexEngine on `path`; connections are one per thread."""

    def __init__(self, path: Path, deadline_s: float = 30.0) -> None:
        self.path, self._deadline_s = path, deadline_s
        self._local = threading.local()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._translated():
            self._db().executescript(DDL)
        if (found := self._one("SELECT value FROM meta WHERE name = 'version'")) != INDEX_VERSION:
            raise IndexOutdated(f"{path.name} has version {found}, needed is {INDEX_VERSION}")

    def upsert(self, mentions: Sequence[Mention], now: datetime) -> LoadReport:
        """Store mentions in transactions of 500; a refused one is reported, the others go in."""
        documents, refused = admit(mentions)
        total = LoadReport(received=len(refused), rejected=tuple(refused))
        for at in range(0, len(documents), CHUNK):
            total = total + self._chunk(documents[at : at + CHUNK])
        return total

    def refresh(self) -> None:
        """Nothing to do: a committed row is visible at once."""

    def snapshot(self, folder: Path) -> Path:
        """Write a whole copy to a new file of the same name, beside running writers."""
        path = folder / self.path.name
        with self._translated():
            self._db().execute("VACUUM INTO ?", (str(path),))
        return path

    def close(self) -> None:
        """Close this thread's connection."""
        if (db := getattr(self._local, "db", None)) is not None:
            db.close()
            self._local.db = None

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
        sql, params = where(node, window)
        key = KEYS.get(sort, "count(*) OVER (PARTITION BY m.story)")
        first = f"{KEYS[sort]} DESC, m.rowid DESC" if sort in KEYS else "m.rowid DESC"
        inner = (
            f"SELECT m.rowid AS r, {key} AS k, count(*) OVER (PARTITION BY m.story) AS same, "
            f"row_number() OVER (PARTITION BY m.story ORDER BY {first}) AS nth {FROM} "
            f"WHERE {sql}"
        )
        after, bound = _after(cursor)
        rows = self._all(
            f"SELECT r, k, same FROM ({inner}) WHERE (nth = 1 OR ?) {after} "
            "ORDER BY k DESC, r DESC LIMIT ?",
            [*params, not fold, *bound, size + 1],
        )
        shown = rows[:size]
        hits = self._hits([row[0] for row in shown], node, {row[0]: row[2] for row in shown})
        more = json.dumps([shown[-1][1], shown[-1][0]]) if len(rows) > size else None
        return SearchPage(tuple(hits), self.count(node, window), more, self._as_of())

    def count(self, node: Node, window: Window | None) -> Count:
        """Posts, distinct stories, and distinct (author, story) voices."""
        sql, params = where(node, window)
        row = self._all(
            "SELECT count(*), count(DISTINCT m.story), count(DISTINCT m.author || ' ' || m.story) "
            f"{FROM} WHERE {sql}",
            params,
        )[0]
        return Count(*row)

    def counts(
        self, brands: Sequence[str], window: Window, step_s: int, source: str | None = None
    ) -> dict[str, Series]:
        """Dense series per brand, steps aligned to +08:00."""
        clock = "published_at" if window.clock == "published" else "first_seen_at"
        return {brand: self._series(brand, window, step_s, source, clock) for brand in brands}

    def counts_by(self, field: str, node: Node, window: Window | None) -> list[Bucket]:
        """Posts per value of a tag field, most first."""
        check_counted(field)
        sql, params = where(node, window)
        totals: dict[str, list[int]] = {}
        for tags, negative in self._all(
            f"SELECT m.tags, m.polarity = 'negative' {FROM} WHERE {sql}", params
        ):
            for tag in tags.split():
                name, _, value = tag.partition(":")
                if name == field:
                    pair = totals.setdefault(value, [0, 0])
                    pair[0], pair[1] = pair[0] + 1, pair[1] + negative
        buckets = [Bucket(value, posts, negative) for value, (posts, negative) in totals.items()]
        return sorted(buckets, key=lambda b: (-b.posts, b.value))

    def keywords(
        self, node: Node, window: Window | None, background: Window, size: int = 20
    ) -> list[Keyword]:
        """Words by JLH score: (share − background share) × share / background share."""
        here, n = self._words(node, window)
        there, m = self._words(All(), background)
        found = [
            Keyword(word, count, there.get(word, 0), jlh(count, n, there.get(word, 0), m))
            for word, count in here.items()
        ]
        return sorted(found, key=lambda k: (-k.score, -k.count, k.word))[:size]

    def examples(self, node: Node, window: Window | None, n: int = 5) -> list[Hit]:
        """The riskiest posts of distinct stories."""
        return list(self.search(node, window, sort="risk", size=n, fold=True).hits)

    def similar(self, post_id: str, window: Window | None, size: int = 10) -> list[Similar]:
        """Posts of other stories about the same brand, likest first."""
        found = nearest(self._all, post_id, window, size)
        hits = self._hits([rowid for rowid, _ in found], All(), {})
        return [Similar(hit, cosine) for hit, (_, cosine) in zip(hits, found, strict=True)]

    def document_alarms(self, window: Window, min_confidence: float) -> list[Hit]:
        """Posts about a brand with an asserted severity class, oldest first."""
        sql, params = where(All(), window)
        rows = self._all(
            f"SELECT m.rowid {FROM} WHERE {sql} AND m.severity >= ? AND m.severity > 0 AND m.timed "
            "AND m.rowid IN (SELECT rowid_ FROM facts) ORDER BY m.first_seen_at, m.rowid",
            [*params, min_confidence],
        )
        return self._hits([row[0] for row in rows], All(), {})

    def latest(self) -> datetime | None:
        """Newest first sight."""
        newest = self._one("SELECT max(first_seen_at) FROM mentions")
        return None if newest is None else datetime.fromtimestamp(newest, UTC)

    def generation(self) -> int:
        """Moves with every load that changed something."""
        return int(self._one("SELECT value FROM meta WHERE name = 'generation'"))

    def get(self, ids: Sequence[str]) -> list[Hit]:
        """Documents by id, in the order asked."""
        rows = [self._one("SELECT rowid FROM mentions WHERE id = ?", [id_]) for id_ in ids]
        return self._hits([row for row in rows if row is not None], All(), {})

    def find(self, field: Literal["author", "url"], value: str) -> list[str]:
        """Ids of the posts of an author (pseudonymous id) or at an address."""
        rows = self._all(
            f"SELECT id FROM mentions WHERE doc ->> '{field}' = ? ORDER BY id", [value]
        )
        return [row[0] for row in rows]

    def tidy(self, now: datetime, months: int | None) -> int:
        """Drop posts of the months outside the last `months`, and pack the file's indices."""
        gone = 0
        with self._writing() as db:
            if months is not None:
                since = int(kept_since(now, months).timestamp())
                gone = db.execute(
                    "DELETE FROM mentions WHERE rowid < ?", (since << TIE_BITS,)
                ).rowcount
            if gone:
                db.execute(MOVED)
            db.execute("INSERT INTO fts (fts) VALUES ('optimize')")
        with self._translated():
            self._db().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def building(self, now: datetime) -> InPlace:
        """A rebuild of this file: what is missing is added, what is there stays."""
        return InPlace(self)

    def erase_ids(self, ids: Sequence[str]) -> int:
        """Remove documents and overwrite their bytes."""
        with self._writing() as db:
            gone = sum(db.execute("DELETE FROM mentions WHERE id = ?", (i,)).rowcount for i in ids)
            if gone:
                db.execute(MOVED)
            db.execute("INSERT INTO fts (fts) VALUES ('optimize')")
        with self._translated():
            self._db().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def health(self) -> dict[str, Any]:
        """Documents, bytes, and whether the file is sound."""
        check = self._one("PRAGMA quick_check")
        documents = self._one("SELECT count(*) FROM mentions")
        size = self.path.stat().st_size
        return {"ok": check == "ok", "documents": documents, "bytes": size, "check": check}

    def _chunk(self, documents: Sequence[Document]) -> LoadReport:
        fates: list[str] = []
        rejected: list[tuple[str, str]] = []
        with self._writing() as db:
            for document in documents:
                try:
                    fates.append(upsert(db, document))
                except IndexRejected as error:
                    rejected.append((document.id, str(error)))
            if "created" in fates or "changed" in fates:
                db.execute(MOVED)
        return LoadReport(
            received=len(documents),
            created=fates.count("created"),
            changed=fates.count("changed"),
            unchanged=fates.count("unchanged"),
            stale=fates.count("stale"),
            rejected=tuple(rejected),
        )

    def _series(
        self, brand: str, window: Window, step_s: int, source: str | None, clock: str
    ) -> Series:
        grid = Grid.over(window, step_s)
        rows = self._all(
            f"SELECT ({clock} + {CST_S}) / ?, count(*), sum(negative), sum(voice), "
            "sum(negative AND voice), sum(positive) FROM facts WHERE brand = ? AND timed "
            f"AND {clock} >= ? AND {clock} < ? AND (? IS NULL OR source = ?) GROUP BY 1",
            [step_s, brand, *grid.bounds, source, source],
        )
        return grid.filled({row[0]: row[1:] for row in rows})

    def _words(self, node: Node, window: Window | None) -> tuple[dict[str, int], int]:
        sql, params = where(node, window)
        rows = self._all(
            f"SELECT w.value, count(*) {FROM}, json_each(m.keywords) w WHERE {sql} GROUP BY 1",
            params,
        )
        total = self._one(f"SELECT count(*) {FROM} WHERE {sql}", params)
        return dict(rows), int(total)

    def _hits(self, rowids: Sequence[int], node: Node, same: dict[int, int]) -> list[Hit]:
        hits = []
        for rowid in rowids:
            row = self._all(
                f"SELECT m.doc, m.tokens, {', '.join('s.' + c for c in COUNTERS)} {FROM} "
                "WHERE m.rowid = ?",
                [rowid],
            )[0]
            shown = json.loads(row[0])
            shown["detail"]["similar"] = same.get(rowid, 1)
            marks = spans(node, row[1].split(), shown["text"] or "")
            hits.append(to_hit(shown, dict(zip(COUNTERS, row[2:], strict=True)), marks))
        return hits

    def _as_of(self) -> datetime:
        return self.latest() or datetime.fromtimestamp(0, UTC)

    def _all(self, sql: str, params: Sequence[object] = ()) -> list[Any]:
        end = time.monotonic() + self._deadline_s
        with self._translated():
            db = self._db()
            db.set_progress_handler(lambda: int(time.monotonic() > end), 10_000)
            return db.execute(sql, tuple(params)).fetchall()

    def _one(self, sql: str, params: Sequence[object] = ()) -> Any:
        rows = self._all(sql, params)
        return rows[0][0] if rows else None

    def _db(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = sqlite3.connect(self.path, isolation_level=None, timeout=30)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON",
                           "cache_size=-65536", "temp_store=MEMORY"):  # fmt: skip
                db.execute(f"PRAGMA {pragma}")
            self._local.db = db
        return db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._translated():
            db = self._db()
            db.set_progress_handler(None, 0)
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                db.execute("ROLLBACK")
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise IndexBusy(f"{self.path.name} is locked; try again later") from error
            if "interrupted" in str(error):
                raise IndexTimeout("the question took too long; narrow it") from error
            raise IndexUnavailable(f"{self.path.name}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise IndexUnavailable(f"{self.path.name}: {error}; run keqing replay") from error


def _after(cursor: str | None) -> tuple[str, list[object]]:
    if cursor is None:
        return "", []
    try:
        key, rowid = json.loads(cursor)
    except (ValueError, TypeError) as error:
        raise UsageError(f"cursor {cursor!r} is none of ours; start at the first page") from error
    return "AND (k, r) < (?, ?)", [key, rowid]


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
