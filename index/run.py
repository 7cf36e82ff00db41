"""Stage `load`: Mentions that are scored and not loaded → index.

In:  settings and the workflow database. Out: a LoadReport over all batches. A batch is marked
loaded only when it stands in the index, so a kill at any moment repeats work and loses nothing.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from index.answers import LoadReport
from index.engine import open_index
from keqing.errors import IndexFault
from keqing.records import Mention
from keqing.settings import Settings
from keqing.workflow import batches
from keqing.workflow.db import Engine, begin


def load(settings: Settings, engine: Engine, now: datetime) -> LoadReport:
    """Load every waiting batch, in the order of scoring."""
    with begin(engine) as tx:
        waiting = batches.unloaded(tx)
    total = LoadReport()
    if not waiting:
        return total
    index = open_index(settings)
    for batch in waiting:
        mentions = list(_read(settings.var / "mentions" / batch.mention_file))
        total = total + index.upsert(mentions, now)
        with begin(engine) as tx:
            batches.record_loaded(tx, batch.batch_id, now)
    index.refresh()
    return total


def _read(path: Path) -> Iterator[Mention]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield Mention.model_validate_json(line)
    except (OSError, EOFError) as error:
        raise IndexFault(f"{path.name}: cannot be read ({error}); score its posts again") from error
