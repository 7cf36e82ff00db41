"""An embedded index moves to a server: filled from the Mention files, then compared to the document.

In:  settings of the embedded installation, the workflow database, the server's [index]. Out: a
MigrateReport with the checksums of both. A kill is followed by a run that goes on; the embedded index
stays what it is, and answers until the plan names the server.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel, ValidationError

from index.answers import Hit, IndexEngine
from index.ast import All
from index.engine import open_index
from index.rebuild import Progress, rebuild
from keqing.errors import UsageError
from keqing.settings import Settings
from keqing.workflow.db import Engine

PAGE = 1_000


class MigrateReport(BaseModel):
    """Documents on both sides and the checksum of all their content; `different` names some."""

    documents: int
    on_server: int
    checksum: str
    server_checksum: str
    different: list[str]

    @property
    def equal(self) -> bool:
        """Whether the server holds exactly what the embedded index does."""
        return self.checksum == self.server_checksum


def migrate(
    settings: Settings, engine: Engine, url: str, now: datetime, progress: Progress
) -> MigrateReport:
    """Fill the server at `url` and compare every document.

    Raises:
        UsageError: the installation is on a server already.
    """
    if settings.plan.index.url is not None:
        raise UsageError(f"the index is on {settings.plan.index.url} already; nothing to move")
    target = on_server(settings, url)
    rebuild(target, engine, now, progress)
    here, there = digests(open_index(settings)), digests(open_index(target))
    keys = here.keys() | there.keys()
    different = sorted(key for key in keys if here.get(key) != there.get(key))
    return MigrateReport(
        documents=len(here),
        on_server=len(there),
        checksum=_sum(here),
        server_checksum=_sum(there),
        different=different[:20],
    )


def on_server(settings: Settings, url: str) -> Settings:
    """The same plan with its index at `url`, checked like a plan that was written so.

    Raises:
        UsageError: the address is none.
    """
    index = settings.plan.index
    try:
        checked = type(index).model_validate({**index.model_dump(), "url": url})
    except ValidationError as error:
        raise UsageError("; ".join(e["msg"] for e in error.errors())) from error
    plan = settings.plan.model_copy(update={"index": checked})
    return settings.model_copy(update={"plan": plan})


def digests(engine: IndexEngine) -> dict[str, str]:
    """A digest of each document's whole content, by id; closes the engine."""
    try:
        return {hit.id: _digest(hit) for hit in _all(engine)}
    finally:
        engine.close()


def _all(engine: IndexEngine) -> Iterator[Hit]:
    cursor = None
    while True:
        page = engine.search(All(), None, size=PAGE, cursor=cursor)
        yield from page.hits
        if (cursor := page.next_cursor) is None:
            return


def _digest(hit: Hit) -> str:
    content = dataclasses.asdict(hit)
    content["detail"] = {k: v for k, v in content["detail"].items() if k != "similar"}
    packed = json.dumps(content, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.blake2b(packed.encode(), digest_size=16).hexdigest()


def _sum(found: dict[str, str]) -> str:
    lines = "".join(f"{key} {found[key]}\n" for key in sorted(found))
    return hashlib.sha256(lines.encode()).hexdigest()
