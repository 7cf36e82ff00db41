"""Which engine answers: the embedded one, unless the plan names a server.

In:  settings. Out: an IndexEngine; a copy or a record of it for the nightly backup.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from index.answers import IndexEngine
from index.schema import INDEX_VERSION
from index.sqlite import SqliteEngine
from keqing.settings import Settings

if TYPE_CHECKING:
    from index.elastic import ElasticEngine


def open_index(settings: Settings, env: Mapping[str, str] | None = None) -> IndexEngine:
    """Open the index of this installation; a server is asked at the first question, not here.

    Raises:
        BadConfig: [index] names a secret or a file that is not there.
    """
    if settings.plan.index.url is None:
        return SqliteEngine(embedded(settings))
    return _on_server(settings, env)


def _on_server(settings: Settings, env: Mapping[str, str] | None) -> ElasticEngine:
    # The client takes a third of a second to import; the embedded engine need not pay it.
    from index.elastic import ElasticEngine
    from index.elastic_client import Server

    plan = settings.plan.index
    ca = None if plan.ca is None else settings.root / plan.ca
    return ElasticEngine(Server(plan.model_copy(update={"ca": ca}), env))


def embedded(settings: Settings) -> Path:
    """The file of the embedded engine, whether it is used or not."""
    return settings.var / f"mentions-{INDEX_VERSION}.db"


def outdated(settings: Settings) -> list[Path]:
    """Files of the embedded engine that an older version of this program filled."""
    if settings.plan.index.url is not None:
        return []
    found = settings.var.glob("mentions-*.db")
    numbers = {path: path.stem.removeprefix("mentions-") for path in found}
    return sorted(p for p, n in numbers.items() if n.isdecimal() and int(n) < INDEX_VERSION)


def snapshot(settings: Settings, folder: Path) -> Path:
    """Put a copy of the index into a folder, or the record of a server's snapshot; gives the file."""
    engine = open_index(settings)
    try:
        return engine.snapshot(folder)
    finally:
        engine.close()


def tidy(settings: Settings, now: datetime) -> int:
    """Drop what the plan does not keep; how many documents went."""
    engine = open_index(settings)
    try:
        gone = engine.tidy(now, settings.plan.index.retention_months)
    finally:
        engine.close()
    publish(settings)
    return gone


def publish(settings: Settings, most: int | None = None) -> None:
    """Bring the copy for Kibana and Grafana up to date, where [index] public asks for one.

    Args:
        most: documents after which it ends; the next call goes on.
    """
    plan = settings.plan.index
    if plan.url is None or not plan.public:
        return
    from index.elastic_public import Public

    engine = _on_server(settings, None)
    try:
        Public(engine.server).publish(most)
    finally:
        engine.close()
