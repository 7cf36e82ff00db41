"""Stage `load`: Mentions that are scored and not loaded → index.

In:  settings and the workflow database. Out: a LoadReport over all batches. A batch is marked
loaded only when it stands in the index, so a kill at any moment repeats work and loses nothing.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from index.answers import LoadReport
from index.engine import open_index, outdated, publish
from keqing.errors import DoneInPart, IndexFault
from keqing.logs import get_logger
from keqing.records import Mention
from keqing.settings import Settings
from keqing.workflow import batches
from keqing.workflow.db import Engine, begin
from keqing.workflow.overlay import shown

log = get_logger(__name__)
PUBLISHED = (
    50_000  # documents copied after one load; a first copy of a large index takes many loads
)


def load(settings: Settings, engine: Engine, now: datetime) -> LoadReport:
    """Load every waiting batch, in the order of scoring; a damaged one holds back no other.

    After an update that raised INDEX_VERSION every batch waits again, for the new file is empty; the
    older file goes when all of them stand in it.

    Raises:
        DoneInPart: files of Mentions are damaged; names each, the rest is loaded.
    """
    older = outdated(settings)
    with begin(engine) as tx:
        waiting = batches.every(tx) if older else batches.unloaded(tx)
    total = LoadReport()
    if not waiting:
        return total
    index = open_index(settings)
    damaged: list[str] = []
    for batch in waiting:
        try:
            found = list(mentions_of(settings.var / "mentions" / batch.mention_file))
        except IndexFault as error:
            damaged.append(str(error))
            continue
        total = total + index.upsert(shown(engine, found), now)
        with begin(engine) as tx:
            batches.record_loaded(tx, batch.batch_id, now)
    index.refresh()
    _publish(settings)
    if older and not damaged:
        _drop(older)
    if damaged:
        raise DoneInPart(f"{len(damaged)} of {len(waiting)} batches wait: {'; '.join(damaged)}")
    return total


def _drop(files: Sequence[Path]) -> None:
    """Remove index files with what lies beside them."""
    for path in files:
        for part in ("", "-wal", "-shm"):
            path.with_name(path.name + part).unlink(missing_ok=True)
    log.info("the index was filled anew", older=[path.name for path in files])


def _publish(settings: Settings) -> None:
    """The copy for Kibana and Grafana holds nobody up: what is left is done by the next load."""
    try:
        publish(settings, PUBLISHED)
    except IndexFault as error:
        log.warning("the reduced copy waits", why=str(error))


def mentions_of(path: Path) -> Iterator[Mention]:
    """The Mentions of one file.

    Raises:
        IndexFault: it is damaged or gone; names it.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield Mention.model_validate_json(line)
        if not path.stat().st_size:
            raise EOFError("it is empty")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        said = "a row is no Mention" if isinstance(error, ValueError) else error
        raise IndexFault(
            f"{path.name}: damaged ({said}); keqing replay DIR writes it again into DIR/var/mentions"
        ) from error
