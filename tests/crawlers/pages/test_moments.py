"""Any past moment, written in any of the forms, is read back at that form's precision."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from crawlers.pages.times import parse_time

CST = ZoneInfo("Asia/Shanghai")
DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
Write = Callable[[datetime, datetime], str]
WORDS = ("今天", "昨天", "前天")
NAMED = {f"day {n}": n for n in range(3)}
MINUTE, DAY, YEAR = timedelta(minutes=1), timedelta(days=1), timedelta(days=365)


def days_before(at: datetime, anchor: datetime) -> str:
    return f"{WORDS[(anchor.date() - at.date()).days]} {at:%H:%M}"


def back(name: str, anchor: datetime, share: float, span: timedelta) -> datetime:
    """A moment of the past; of a form that names a day, a moment of that day."""
    if name not in NAMED:
        return anchor - share * span
    start = (anchor - NAMED[name] * DAY).replace(hour=0, minute=0, second=0)
    return start + share * (min(anchor, start + DAY - timedelta(seconds=1)) - start)


def ago(unit: str, step: timedelta, most: int) -> Write:
    def write(at: datetime, anchor: datetime) -> str:
        n = (anchor - at) // step
        assume(0 < n < most)
        return f"{n}{unit}前"

    return write


def within_a_year(pattern: Callable[[datetime], str]) -> Write:
    def write(at: datetime, anchor: datetime) -> str:
        assume(MINUTE < anchor - at < YEAR - 11 * MINUTE)  # clocks may differ by ten minutes
        return pattern(at)

    return write


def always(pattern: Callable[[datetime], str]) -> Write:
    return lambda at, anchor: pattern(at)


# name: how it is written, precision, how far the moment may lie back, what is cut off
FORMS: dict[str, tuple[Write, str, timedelta, Callable[[datetime, datetime], datetime]]] = {}


def minutes(at: datetime, anchor: datetime) -> datetime:
    return at.replace(second=0)


def seconds(at: datetime, anchor: datetime) -> datetime:
    return at


def midnight(at: datetime, anchor: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0)


def counted(step: timedelta) -> Callable[[datetime, datetime], datetime]:
    return lambda at, anchor: anchor - (anchor - at) // step * step


FORMS |= {name: (days_before, "minute", DAY, minutes) for name in NAMED}
FORMS |= {
    "minutes ago": (ago("分钟", MINUTE, 60), "minute", 60 * MINUTE, counted(MINUTE)),
    "hours ago": (ago("小时", 60 * MINUTE, 24), "hour", DAY, counted(60 * MINUTE)),
    "month and day": (within_a_year(lambda t: f"{t:%m-%d %H:%M}"), "minute", YEAR, minutes),
    "月日": (within_a_year(lambda t: f"{t.month}月{t.day}日 {t:%H:%M}"), "minute", YEAR, minutes),
    "unpadded": (always(lambda t: f"{t.year}-{t.month}-{t.day} {t:%H:%M:%S}"), "second", 5 * YEAR, seconds),
    "发表于": (always(lambda t: f"发表于 {t:%Y/%m/%d %H:%M}"), "minute", 5 * YEAR, minutes),
    "年月日": (always(lambda t: f"{t.year}年{t.month}月{t.day}日"), "day", 5 * YEAR, midnight),
    "weibo": (
        always(lambda t: f"{DAYS[t.weekday()]} {MONTHS[t.month - 1]} {t:%d %H:%M:%S %z} {t.year}"),
        "second", 5 * YEAR, seconds,
    ),
    "iso": (always(lambda t: t.isoformat()), "second", 5 * YEAR, seconds),
    "mail": (always(format_datetime), "second", 5 * YEAR, seconds),
    "epoch": (always(lambda t: str(int(t.timestamp()))), "second", 5 * YEAR, seconds),
    "epoch ms": (always(lambda t: str(int(t.timestamp()) * 1000)), "second", 5 * YEAR, seconds),
}  # fmt: skip
ANCHORS = st.integers(1_262_304_000, 3_786_912_000).map(lambda s: datetime.fromtimestamp(s, CST))
NEW_YEAR = datetime(2027, 1, 1, 0, 3, tzinfo=CST)
LEAP_DAY = datetime(2028, 2, 29, 23, 59, 59, tzinfo=CST)


@pytest.mark.parametrize("name", FORMS)
@given(anchor=ANCHORS, share=st.floats(0, 1))
@example(anchor=NEW_YEAR, share=0.01)
@example(anchor=NEW_YEAR, share=0.5)
@example(anchor=LEAP_DAY, share=0.0)
@example(anchor=LEAP_DAY + timedelta(days=1), share=0.02)
def test_a_moment_comes_back(name: str, anchor: datetime, share: float) -> None:
    """Across midnight, New Year and 29 February; nothing is guessed beyond what the form says."""
    write, precision, span, cut = FORMS[name]
    at = back(name, anchor, share, span).replace(microsecond=0)
    found = parse_time(write(at, anchor), anchor, "Asia/Shanghai")
    assert found.precision == precision
    assert found.at == cut(at, anchor)
