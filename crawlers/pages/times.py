"""Written times of Chinese and other sites → an aware moment and how exact it is.

In:  the raw words, an anchor (when the page was fetched) and the site's zone.
Out: a When. Without anchor a relative form has no moment, without zone a local one has none:
     nothing is guessed. UnreadableTime for words that fit no known form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crawlers.pages.page import Page
from keqing.errors import UnreadableTime

CHINA = "Asia/Shanghai"
AHEAD = timedelta(minutes=10)
CLOCK_SLACK = timedelta(minutes=5)
EARLIEST, LATEST = 1990, 2100
MONTHS = {m: i + 1 for i, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())}
DAYS_AGO = {"今天": 0, "今日": 0, "昨天": 1, "昨日": 1, "前天": 2}


@dataclass(frozen=True)
class When:
    """A moment (None = not to be known), its precision, and a flag such as future_time."""

    at: datetime | None
    precision: str = "unknown"
    flag: str | None = None


NOTHING = When(None)


def anchor_of(page: Page) -> datetime | None:
    """Moment that relative times of a page count from.

    The answer's Date header where it lies within five minutes of our fetch time (the site's own
    clock wrote the page), else our fetch time.
    """
    fetched = page.fetched_at
    if fetched is None:
        return None
    try:
        told = parsedate_to_datetime(page.header("date"))
    except (TypeError, ValueError):
        return fetched
    told = told if told.tzinfo else told.replace(tzinfo=UTC)
    return told if abs(told - fetched) <= CLOCK_SLACK else fetched


def zone_of(page: Page, default: str | None = None) -> str | None:
    """The card's zone, else the platform's default."""
    return page.zone or default


def parse_time(raw: object, anchor: datetime | None = None, zone: str | None = None) -> When:
    """Read a written time.

    Args:
        raw: words or epoch number of the page; None and "" give a When without moment.
        anchor: aware moment that 3分钟前 and 11-21 count from; None = not known.
        zone: IANA zone of times written without offset; None = not known.

    Raises:
        UnreadableTime: the words fit no known form or name no real date.
    """
    if raw is None or isinstance(raw, bool):
        return NOTHING
    words = _plain(str(raw))
    if not words:
        return NOTHING
    tz = _tz(zone)
    for pattern, read in _FORMS:
        found = pattern.fullmatch(words)
        if found:
            try:
                return _checked(read(found, anchor, tz), anchor)
            except (ValueError, OverflowError) as error:
                raise UnreadableTime(f"时间 {str(raw)[:60]!r} 不存在: {error}") from error
    return _mail(words, raw, anchor)


def _plain(raw: str) -> str:
    words = unicodedata.normalize("NFKC", raw).replace("\u200b", "")
    words = re.sub(r"^\s*(?:发表于|编辑于|发布于|创建于|回复于|最后回复)\s*[:：]?\s*", "", words)
    return re.sub(r"\s+", " ", words).strip()


def _tz(zone: str | None) -> tzinfo | None:
    if not zone:
        return None
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UnreadableTime(f"时区 {zone!r} 不存在。请写 IANA 名, 如 Asia/Shanghai。") from error


def _checked(when: When, anchor: datetime | None) -> When:
    if when.at is None:
        return when
    if not EARLIEST <= when.at.year <= LATEST:
        raise ValueError(f"年份 {when.at.year} 不合理")
    if anchor is not None and when.at > anchor + AHEAD:
        return When(None, "unknown", "future_time")
    return when


_Read = Callable[["re.Match[str]", datetime | None, tzinfo | None], When]


def _just_now(m: re.Match[str], anchor: datetime | None, tz: tzinfo | None) -> When:
    return When(anchor, "minute") if anchor else NOTHING


def _ago(m: re.Match[str], anchor: datetime | None, tz: tzinfo | None) -> When:
    if anchor is None:
        return NOTHING
    if m["half"]:
        return When(anchor - timedelta(minutes=30), "hour")
    n, unit = int(m["n"]), m["unit"]
    if unit.startswith("秒"):
        return When(anchor - timedelta(seconds=n), "minute")
    if unit.startswith("分"):
        return When(anchor - timedelta(minutes=n), "minute")
    if "时" in unit:
        return When(anchor - timedelta(hours=n), "hour")
    days = n * 7 if unit in {"周", "星期"} else n
    return _local_day(anchor, tz, days)


def _local_day(anchor: datetime, tz: tzinfo | None, days: int) -> When:
    if tz is None:
        return NOTHING
    day = anchor.astimezone(tz).date() - timedelta(days=days)
    return When(datetime.combine(day, time(), tz), "day")


def _named_day(m: re.Match[str], anchor: datetime | None, tz: tzinfo | None) -> When:
    clock = _clock(m)
    if anchor is None or tz is None:
        return NOTHING
    start = _local_day(anchor, tz, DAYS_AGO[m["day"]])
    if start.at is None or m["h"] is None:
        return start
    return When(datetime.combine(start.at.date(), clock, tz), _fineness(m))


def _clock_alone(m: re.Match[str], anchor: datetime | None, tz: tzinfo | None) -> When:
    clock = _clock(m)
    if anchor is None or tz is None:
        return NOTHING
    at = datetime.combine(anchor.astimezone(tz).date(), clock, tz)
    if at > anchor + CLOCK_SLACK:
        at = datetime.combine(at.date() - timedelta(days=1), clock, tz)
    return When(at, _fineness(m))


def _month_day(m: re.Match[str], anchor: datetime | None, tz: tzinfo | None) -> When:
    month, day, clock = int(m["mo"]), int(m["d"]), _clock(m)
    date(2024, month, day)  # 02-29 is a day, 13-01 is none
    if anchor is None or tz is None:
        return NOTHING
    for year in range(anchor.astimezone(tz).year, anchor.year - 9, -1):
        try:
            at = datetime(year, month, day, clock.hour, clock.minute, clock.second, tzinfo=tz)
        except ValueError:
            continue
        # A date without clock may be today; with one it may run ahead as far as clocks differ.
        if at <= anchor + AHEAD:
            return When(at, _fineness(m))
    return NOTHING


def _full_date(m: re.Match[str], anchor: datetime | None, tz: tzinfo | None) -> When:
    day = date(int(m["y"]), int(m["mo"]), int(m["d"]))
    clock = _clock(m)
    if tz is None:
        return NOTHING
    return When(datetime.combine(day, clock, tz), _fineness(m))


def _year_month(m: re.Match[str], anchor: datetime | None, tz: tzinfo | None) -> When:
    day = date(int(m["y"]), int(m["mo"]), 1)
    return When(datetime.combine(day, time(), tz), "month") if tz else NOTHING


def _ctime(m: re.Match[str], anchor: datetime | None, tz: tzinfo | None) -> When:
    month = MONTHS.get(m["mon"].lower()[:3])
    if month is None:
        raise ValueError(f"月份 {m['mon']}")
    here = _offset(m["off"]) if m["off"] else tz
    clock = _clock(m)
    at = datetime.combine(date(int(m["y"]), month, int(m["d"])), clock)
    return When(at.replace(tzinfo=here), "second") if here else NOTHING


def _epoch(m: re.Match[str], anchor: datetime | None, tz: tzinfo | None) -> When:
    seconds = int(m[0]) / (1000 if len(m[0]) == 13 else 1)
    return When(datetime.fromtimestamp(seconds, tz or UTC), "second")


def _iso(m: re.Match[str], anchor: datetime | None, tz: tzinfo | None) -> When:
    at = datetime.combine(date(int(m["y"]), int(m["mo"]), int(m["d"])), _clock(m))
    if m["frac"]:
        at = at.replace(microsecond=int(m["frac"][:6].ljust(6, "0")))
    here = _offset(m["off"]) if m["off"] else tz
    return When(at.replace(tzinfo=here), _fineness(m)) if here else NOTHING


def _offset(words: str) -> tzinfo:
    if words in {"Z", "z", "GMT", "UTC"}:
        return UTC
    digits = words[1:].replace(":", "").ljust(4, "0")
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]))
    return timezone(-span if words[0] == "-" else span)


def _clock(m: re.Match[str]) -> time:
    if m["h"] is None:
        return time()
    return time(int(m["h"]), int(m["mi"]), int(m["s"] or 0))


def _fineness(m: re.Match[str]) -> str:
    if m["h"] is None:
        return "day"
    return "second" if m["s"] else "minute"


def _mail(words: str, raw: object, anchor: datetime | None) -> When:
    try:
        at = parsedate_to_datetime(words)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return _checked(When(at, "second"), anchor)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise UnreadableTime(f"时间 {str(raw)[:60]!r} 不是已知写法。") from error


_HMS = r"(?P<h>\d{1,2}):(?P<mi>\d{2})(?::(?P<s>\d{2}))?"
_FORMS: tuple[tuple[re.Pattern[str], _Read], ...] = (
    (re.compile(r"刚刚|刚才"), _just_now),
    (
        re.compile(
            r"(?:(?P<half>半) ?(?:个)?小时|(?P<n>\d{1,6}) ?"
            r"(?P<unit>秒钟?|分钟?|(?:个)?小时|天|日|周|星期)) ?(?:之)?前"
        ),
        _ago,
    ),
    (re.compile(rf"(?P<day>今天|今日|昨天|昨日|前天) ?(?:{_HMS})?"), _named_day),
    (re.compile(_HMS), _clock_alone),
    (re.compile(rf"(?P<mo>\d{{1,2}})[-/.](?P<d>\d{{1,2}})(?: {_HMS})?"), _month_day),
    (re.compile(rf"(?P<mo>\d{{1,2}})月(?P<d>\d{{1,2}})[日号](?: ?{_HMS})?"), _month_day),
    (re.compile(r"(?P<y>\d{4})[-/.](?P<mo>\d{1,2})"), _year_month),
    (re.compile(r"(?P<y>\d{4})年(?P<mo>\d{1,2})月"), _year_month),
    (
        re.compile(rf"(?P<y>\d{{4}})[-/.](?P<mo>\d{{1,2}})[-/.](?P<d>\d{{1,2}})(?: {_HMS})?"),
        _full_date,
    ),
    (
        re.compile(rf"(?P<y>\d{{4}})年(?P<mo>\d{{1,2}})月(?P<d>\d{{1,2}})[日号](?: ?{_HMS})?"),
        _full_date,
    ),
    (
        re.compile(
            rf"[A-Za-z]{{3,9}},? (?P<mon>[A-Za-z]{{3,9}}) (?P<d>\d{{1,2}}) {_HMS}"
            r"(?: (?P<off>[+-]\d{4}|GMT|UTC))? (?P<y>\d{4})"
        ),
        _ctime,
    ),
    (re.compile(r"\d{13}|\d{10}"), _epoch),
    (
        re.compile(
            rf"(?P<y>\d{{4}})-(?P<mo>\d{{1,2}})-(?P<d>\d{{1,2}})[Tt ]{_HMS}"
            r"(?:[.,](?P<frac>\d+))? ?(?P<off>[Zz]|GMT|UTC|[+-]\d{2}:?\d{0,2})?"
        ),
        _iso,
    ),
)
