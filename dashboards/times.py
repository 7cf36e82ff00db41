"""Times as staff read them: Beijing time, absolute and relative. Without the machine's time zone.

In:  aware times. Out: text; and working hours for the clocks of 黄 and 蓝.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")
WORK_FROM, WORK_TO, WORK_DAYS = 9, 18, 5


def absolute(moment: datetime) -> str:
    """`2026-11-21 12:00`, 北京时间."""
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


def short(moment: datetime, now: datetime) -> str:
    """`12:00` today, `11-20 12:00` otherwise."""
    local, today = moment.astimezone(BEIJING), now.astimezone(BEIJING)
    return local.strftime("%H:%M" if local.date() == today.date() else "%m-%d %H:%M")


def distance(seconds: float) -> tuple[int, str]:
    """A span as a number and its unit: s, min, h, d."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return int(seconds // size), unit
    return max(0, int(seconds)), "s"


def clock(seconds: float) -> str:
    """`04:12` or `16:28:00`: minutes and seconds, with hours when there are any."""
    whole = int(abs(seconds))
    hours, minutes = whole // 3600, whole % 3600 // 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes:02}:{whole % 60:02}"


def add_working(start: datetime, span: timedelta) -> datetime:
    """The moment when `span` of working time (Monday to Friday, 09 to 18) has passed."""
    at, left = start.astimezone(BEIJING), span
    while True:
        opens = at.replace(hour=WORK_FROM, minute=0, second=0, microsecond=0)
        closes = at.replace(hour=WORK_TO, minute=0, second=0, microsecond=0)
        begin = max(at, opens)
        if at.weekday() < WORK_DAYS and begin < closes:
            if begin + left <= closes:
                return (begin + left).astimezone(UTC)
            left -= closes - begin
        at = opens + timedelta(days=1)
