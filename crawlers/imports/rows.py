"""One row of a file → Post: cells to text, time, counts; what cannot be believed is counted.

In:  a Row, which column means what, the file's channel. Out: a Post, or a Bad row with its reason. A
cell that is no time, count or rating costs its row only that field, and is counted in `notes`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from crawlers.imports.table import Bad, Row
from keqing.privacy import author_key, pseudonym
from keqing.records import Author, Channel, Engagement, Kind, Post, Precision
from keqing.settings import Settings

ZONE = ZoneInfo("Asia/Shanghai")
BACKFILL_AGE_S = 86400
EARLIEST = 1990  # an older date in a file of posts is a broken cell
AHEAD = timedelta(days=1)  # offices write their local day
KINDS = {Channel.CALL_CENTRE: Kind.TICKET, Channel.PORTAL: Kind.FORM, Channel.SMS: Kind.SMS}
BEST, WORST = 5, 1
_TIME = re.compile(
    r"(\d{4})[-/年.](\d{1,2})[-/月.](\d{1,2})日?(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?$"
)
_COUNT = re.compile(r"\d{1,15}(?:\.0)?", re.ASCII)
_KEPT_CONTROLS = "\n\t"


class Maker:
    """Makes Posts of one file; `notes` counts what its cells could not give, by reason."""

    def __init__(
        self, settings: Settings, path: Path, channel: Channel, columns: dict[str, str],
        now: datetime, run_id: str,
    ) -> None:  # fmt: skip
        stem = re.sub(r"[^\w\-]", "-", path.name.split(".")[0]) or "file"
        self.source = f"import-{stem}"
        self.notes: Counter[str] = Counter()
        self._key = author_key(settings)
        self._channel, self._columns, self._now = channel, columns, now
        self.run_id = run_id

    def post(self, row: Row) -> Post | Bad:
        """The row's Post, or why it is none."""
        text = self._cell(row, "text")
        if not text:
            return Bad(row.number, str(row.cells), "no_text")
        try:
            return self._post(row, text)
        except ValueError as error:  # a record that no Post can hold costs its own row only
            return Bad(row.number, str(row.cells), f"invalid: {type(error).__name__}")

    def _post(self, row: Row, text: str) -> Post:
        raw = self._cell(row, "published_at")
        at, precision = self._time(raw)
        author = self._cell(row, "author")
        native = self._cell(row, "id")
        content = "\0".join((self._channel, raw, author, text))
        platform = f"import:{self._channel}"
        return Post(
            id=_id(platform, native or hashlib.sha256(content.encode()).hexdigest()[:16]),
            platform=platform,
            source=self.source,
            channel=self._channel,
            kind=KINDS.get(self._channel, Kind.POST),
            url=self._cell(row, "url") or None,
            author=Author(id=pseudonym(platform, author, self._key)),
            text=text,
            title=self._cell(row, "title") or None,
            rating=self._rating(self._cell(row, "rating")),
            region=self._cell(row, "region") or None,
            engagement=Engagement(
                likes=self._count(self._cell(row, "likes")),
                comments=self._count(self._cell(row, "comments")),
                reposts=self._count(self._cell(row, "reposts")),
            ),
            published_at=at,
            published_precision=precision,
            published_raw=raw or None,
            first_seen_at=self._now,
            collected_at=self._now,
            backfill=at is None or (self._now - at).total_seconds() > BACKFILL_AGE_S,
            run_id=self.run_id,
        )

    def _cell(self, row: Row, field: str) -> str:
        return clean(row.cells.get(self._columns.get(field, ""), "")).strip()

    def _time(self, raw: str) -> tuple[datetime | None, Precision]:
        at, precision = read_time(raw)
        if raw and at is None:
            self.notes["unreadable_time"] += 1
        if at is not None and at > self._now + AHEAD:
            self.notes["future_time"] += 1
            return None, Precision.UNKNOWN
        return at, precision

    def _rating(self, raw: str) -> float | None:
        try:
            value = float(raw) if raw else None
        except ValueError:
            value = 0.0
        if value is not None and not WORST <= value <= BEST:
            self.notes["unreadable_rating"] += 1
            return None
        return value

    def _count(self, raw: str) -> int | None:
        if raw and not _COUNT.fullmatch(raw):
            self.notes["unreadable_count"] += 1
            return None
        return int(float(raw)) if raw else None


def read_time(raw: str) -> tuple[datetime | None, Precision]:
    """A written local time; (None, unknown) if it is none. Beijing unless it names an offset."""
    if found := _TIME.match(raw.strip()):
        parts = [int(part) for part in found.groups() if part is not None]
        precision = {3: Precision.DAY, 5: Precision.MINUTE}.get(len(parts), Precision.SECOND)
        return _believed(_moment(parts), precision)
    try:
        moment = datetime.fromisoformat(raw.strip())
        at = moment.replace(tzinfo=moment.tzinfo or ZONE).astimezone(UTC)
    except (ValueError, OverflowError):
        return None, Precision.UNKNOWN
    return _believed(at, Precision.SECOND)


def clean(text: str) -> str:
    """The text without control characters and bidi overrides; nothing else is changed."""
    return "".join(
        char for char in text
        if char in _KEPT_CONTROLS or (unicodedata.category(char) not in ("Cc", "Cs")
        and char not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    )  # fmt: skip


def _believed(at: datetime | None, precision: Precision) -> tuple[datetime | None, Precision]:
    if at is None or at.year < EARLIEST:
        return None, Precision.UNKNOWN
    return at, precision


def _moment(parts: Sequence[int]) -> datetime | None:
    try:
        return datetime(*parts, tzinfo=ZONE).astimezone(UTC)  # type: ignore[arg-type,misc]
    except (ValueError, OverflowError):
        return None


def _id(platform: str, native: str) -> str:
    named = f"{platform}:{native}"
    if len(named) > 512:  # cut, two long numbers would be one post
        named = f"{platform}:{hashlib.sha256(native.encode()).hexdigest()}"
    return named
