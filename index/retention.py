"""Which months are kept.

In:  now, a number of months. Out: the first moment that is kept, a month's begin in Beijing.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))


def kept_since(now: datetime, months: int) -> datetime:
    """Begin of the month that lies `months` before this one: what is older is wholly outside.

    Args:
        months: at least 1.
    """
    local = now.astimezone(CHINA)
    count = local.year * 12 + local.month - 1 - months
    return datetime(count // 12, count % 12 + 1, 1, tzinfo=CHINA)
