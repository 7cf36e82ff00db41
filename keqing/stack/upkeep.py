"""Nightly upkeep: is the landing's chain whole, and a copy of what cannot be collected again.

In:  settings, the workflow database, now. Out: var/backup/<day>/ with both databases and the heads of
the landing's chains; a report. A workflow database on a server is copied where pg_dump is installed, else
the report says that its own backup must do. Days older than KEEP are removed, then months of the index that [index]
retention_months leaves out, raw pages and logs that lie too long.
"""

from __future__ import annotations

import json
import os
import shutil
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from index.engine import snapshot as snapshot_index
from index.engine import tidy as tidy_index
from keqing.landing import Landing
from keqing.settings import Settings
from keqing.stack.retention import drop_old
from keqing.workflow import backup
from keqing.workflow.db import Engine

KEEP = 7
NOT_COPIED = "left to the server's own backup: no pg_dump here"


class UpkeepReport(BaseModel):
    """What was verified, where the copy lies, which old ones went."""

    entries: int
    rows: int
    backup: str
    bytes: int
    workflow: str = "copied"
    removed: list[str]
    expired: int = 0
    raw_dropped: int = 0
    logs_dropped: int = 0


def upkeep(settings: Settings, engine: Engine, now: datetime) -> UpkeepReport:
    """Verify, then copy; a second run on one day replaces its copy.

    Raises:
        ChainBroken: the landing does not agree with its manifest; nothing is copied over a good copy.
    """
    landing = Landing(settings.var / "landing")
    whole = landing.verify()
    folder = settings.var / "backup" / f"{now:%Y%m%d}"
    copied = _copy(settings, engine, landing, folder)
    size = sum(path.stat().st_size for path in folder.iterdir())
    expired = tidy_index(settings, now)
    dropped = drop_old(settings, now)
    return UpkeepReport(
        expired=expired,
        raw_dropped=dropped.raw,
        logs_dropped=dropped.logs,
        entries=whole.entries,
        rows=whole.rows,
        workflow="copied" if copied else NOT_COPIED,
        backup=str(folder.relative_to(settings.root)),
        bytes=size,
        removed=_forget(folder.parent),
    )


def _copy(settings: Settings, engine: Engine, landing: Landing, folder: Path) -> bool:
    """Whether the workflow database is in the copy."""
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    aside.mkdir(parents=True, mode=0o700)
    try:
        copied = backup.snapshot(settings, engine, aside) is not None
        snapshot_index(settings, aside)
        heads = json.dumps(landing.heads(), indent=1, sort_keys=True)
        (aside / "heads.json").write_text(heads, encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        aside.replace(folder)
        return copied
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _forget(folder: Path) -> list[str]:
    days = sorted(path for path in folder.iterdir() if path.name.isdigit())
    for path in days[:-KEEP]:
        shutil.rmtree(path)
    return [path.name for path in days[:-KEEP]]
