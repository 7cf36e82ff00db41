"""What lies too long goes: raw page bodies and logs; posts and the index have rules of their own.

In:  settings, now. Out: how many files went. A post keeps the hash of its page (`evidence`), so that a
copy that somebody kept can still be recognised.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import BaseModel

from keqing.settings import Settings

RAW = timedelta(days=30)  # a page holds more than we need: other people's posts, names, pictures
LOGS = timedelta(days=30)


class Dropped(BaseModel):
    """Files that were removed."""

    raw: int
    logs: int


def drop_old(settings: Settings, now: datetime) -> Dropped:
    """Remove raw bodies and logs whose last change is older than their time."""
    raw, logs = settings.var / "landing" / "raw", settings.var / "logs"
    return Dropped(
        raw=_remove(raw.glob("*/*.gz"), now - RAW),
        logs=_remove((path for path in logs.rglob("*") if path.is_file()), now - LOGS),
    )


def _remove(files: Iterable[Path], before: datetime) -> int:
    old = [path for path in files if path.lstat().st_mtime < before.timestamp()]
    for path in old:
        path.unlink()
    return len(old)
