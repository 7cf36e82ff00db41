"""Which engine answers: the embedded one, unless the plan names a server.

In:  settings. Out: an IndexEngine.
"""

from __future__ import annotations

from pathlib import Path

from index.answers import IndexEngine
from index.schema import INDEX_VERSION
from index.sqlite import SqliteEngine
from keqing.errors import BadConfig
from keqing.settings import Settings


def open_index(settings: Settings) -> IndexEngine:
    """Open the index of this installation.

    Raises:
        BadConfig: a server is named; only the embedded engine is built so far.
    """
    return _embedded(settings)


def snapshot(settings: Settings, folder: Path) -> Path:
    """Copy the embedded index into a folder; gives the file."""
    engine = _embedded(settings)
    path = folder / engine.path.name
    engine.snapshot(path)
    return path


def _embedded(settings: Settings) -> SqliteEngine:
    if settings.plan.index.url:
        raise BadConfig("[index] url: no server engine in this version; remove the line")
    return SqliteEngine(settings.var / f"mentions-{INDEX_VERSION}.db")
