"""Which engine answers: the embedded one, unless the plan names a server.

In:  settings. Out: an IndexEngine.
"""

from __future__ import annotations

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
    if settings.plan.index.url:
        raise BadConfig("[index] url: no server engine in this version; remove the line")
    return SqliteEngine(settings.var / f"mentions-{INDEX_VERSION}.db")
