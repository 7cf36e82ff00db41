"""`keqing import`: a file of tickets or posts → landing.

In:  settings, a file, the channel it came by, the time. Out: an ImportReport; good rows land, bad
rows are kept beside the file in `<file>.rejected.csv` with their number and reason.
"""

from __future__ import annotations

import csv
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

from crawlers.imports.columns import columns_of
from crawlers.imports.table import Bad, Row, read_rows
from keqing.landing import Landing
from keqing.privacy import author_key, pseudonym
from keqing.records import Author, Channel, Engagement, Kind, Post, Precision, Record
from keqing.settings import Settings
from keqing.workflow import crawl, runs
from keqing.workflow.db import Engine, begin, read

ZONE = ZoneInfo("Asia/Shanghai")
BACKFILL_AGE_S = 86400
AT_ONCE = 1000
KINDS = {Channel.CALL_CENTRE: Kind.TICKET, Channel.PORTAL: Kind.FORM, Channel.SMS: Kind.SMS}
_TIME = re.compile(
    r"(\d{4})[-/年.](\d{1,2})[-/月.](\d{1,2})日?(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?$"
)
_KEPT_CONTROLS = "\n\t"


class ImportReport(Record):
    """How a file went in; `unknown_columns` were read by nobody."""

    read: int = 0
    landed: int = 0
    duplicate: int = 0
    rejected: dict[str, int] = {}
    rejected_file: str | None = None
    unreadable_times: int = 0
    unknown_columns: tuple[str, ...] = ()
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
    maker = _Maker(settings, path, channel, columns, now, run_id)
    bad: list[Bad] = []
    counts: Counter[str] = Counter()
    with Landing(settings.var / "landing").writer(maker.source, now, run_id) as writer:
        for posts in _chunks(maker.posts(chain(seen.taken, rows), bad, counts)):
            fresh = _new(engine, posts)
            counts["duplicate"] += len(posts) - len(fresh)
            writer.append(fresh)
            counts["landed"] += len(fresh)
            with begin(engine) as tx:
                crawl.remember(tx, [(p.id, _hash(p), p.first_seen_at) for p in fresh])
        files = writer.close()
    report = ImportReport(
        read=counts["read"],
        landed=counts["landed"],
        duplicate=counts["duplicate"],
        rejected=dict(Counter(row.reason.split(":")[0] for row in bad)),
        rejected_file=_keep(path, bad),
        unreadable_times=counts["unreadable_time"],
        unknown_columns=tuple(unknown),
        files=tuple(files),
    )
    with begin(engine) as tx:
        done = {"read": report.read, "landed": report.landed, "duplicate": report.duplicate}
        runs.finish(tx, run_id, "part" if bad else "ok", done | {"rejected": len(bad)}, now)
    return report


class _Peek:
    """Iterates while remembering what it gave."""

    def __init__(self, rows: Iterator[Row | Bad]) -> None:
        self._rows, self.taken = rows, list[Row | Bad]()

    def __iter__(self) -> Iterator[Row | Bad]:
        for row in self._rows:
            self.taken.append(row)
            yield row


class _Maker:
    """Row → Post, with everything that is the same for all rows of a file."""

    def __init__(
        self, settings: Settings, path: Path, channel: Channel, columns: dict[str, str],
        now: datetime, run_id: str,
    ) -> None:  # fmt: skip
        stem = re.sub(r"[^\w\-]", "-", path.name.split(".")[0]) or "file"
        self.source = f"import-{stem}"
        self.key = author_key(settings)
        self.channel, self.columns, self.now, self.run_id = channel, columns, now, run_id

    def posts(
        self, rows: Iterator[Row | Bad], bad: list[Bad], counts: Counter[str]
    ) -> Iterator[Post]:
        for row in rows:
            counts["read"] += 1
            if isinstance(row, Bad):
                bad.append(row)
                continue
            text = clean(self._cell(row, "text"))
            if not text.strip():
                bad.append(Bad(row.number, str(row.cells), "no_text"))
                continue
            yield self._post(row, text, counts)

    def _post(self, row: Row, text: str, counts: Counter[str]) -> Post:
        raw = self._cell(row, "published_at")
        at, precision = read_time(raw)
        counts["unreadable_time"] += bool(raw) and at is None
        author = self._cell(row, "author")
        native = self._cell(row, "id")
        content = "\0".join((self.channel, raw, author, text))
        platform = f"import:{self.channel}"
        native = native or hashlib.sha256(content.encode()).hexdigest()[:16]
        return Post(
            id=f"{platform}:{native}"[:512],
            platform=platform,
            source=self.source,
            channel=self.channel,
            kind=KINDS.get(self.channel, Kind.POST),
            url=self._cell(row, "url") or None,
            author=Author(id=pseudonym(platform, author, self.key)),
            text=text,
            title=clean(self._cell(row, "title")) or None,
            rating=_rating(self._cell(row, "rating")),
            region=self._cell(row, "region") or None,
            engagement=Engagement(
                likes=_count(self._cell(row, "likes")),
                comments=_count(self._cell(row, "comments")),
                reposts=_count(self._cell(row, "reposts")),
            ),
            published_at=at,
            published_precision=precision,
            published_raw=raw or None,
            first_seen_at=self.now,
            collected_at=self.now,
            backfill=at is None or (self.now - at).total_seconds() > BACKFILL_AGE_S,
            run_id=self.run_id,
        )

    def _cell(self, row: Row, field: str) -> str:
        return row.cells.get(self.columns.get(field, ""), "").strip()


def read_time(raw: str) -> tuple[datetime | None, Precision]:
    """A written local time; (None, unknown) if it is none. Beijing unless it names an offset."""
    if found := _TIME.match(raw.strip()):
        parts = [int(part) for part in found.groups() if part is not None]
        precision = {3: Precision.DAY, 5: Precision.MINUTE}.get(len(parts), Precision.SECOND)
        return _moment(parts), precision if _moment(parts) else Precision.UNKNOWN
    try:
        moment = datetime.fromisoformat(raw.strip())
    except ValueError:
        return None, Precision.UNKNOWN
    return moment.replace(tzinfo=moment.tzinfo or ZONE).astimezone(UTC), Precision.SECOND


def clean(text: str) -> str:
    """The text without control characters and bidi overrides; nothing else is changed."""
    return "".join(
        char for char in text
        if char in _KEPT_CONTROLS or (unicodedata.category(char) not in ("Cc", "Cs")
        and char not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    )  # fmt: skip


def _moment(parts: Sequence[int]) -> datetime | None:
    try:
        return datetime(*parts, tzinfo=ZONE).astimezone(UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return None


def _rating(raw: str) -> float | None:
    try:
        value = float(raw)
    except ValueError:
        return None
    return value if 1 <= value <= 5 else None


def _count(raw: str) -> int | None:
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 16 else None


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
