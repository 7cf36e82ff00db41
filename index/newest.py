"""The newest Mention of a post as the models left it, from the files that were scored.

In:  settings, the workflow database, ids. Out: Mentions by id; a post that was never scored is left out.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from keqing.errors import IndexFault
from keqing.records import Mention
from keqing.settings import Settings
from keqing.workflow import batches, db


def newest_mentions(
    settings: Settings, engine: db.Engine, posts: Sequence[str]
) -> dict[str, Mention]:
    """The newest Mention of each post, without corrections.

    Raises:
        IndexFault: a file that had to be read is damaged; names it.
    """
    with db.read(engine) as tx:
        log = batches.every(tx)
    wanted, found = set(posts), dict[str, Mention]()
    for batch in reversed(log):
        if not wanted:
            break
        for line in _lines(settings.var / "mentions" / batch.mention_file, wanted):
            mention = Mention.model_validate_json(line)
            if mention.post.id in wanted:
                found[mention.post.id] = mention
        wanted -= found.keys()
    return found


def _lines(path: Path, wanted: set[str]) -> Iterator[str]:
    """Rows of a Mention file that may be of these posts; only these are read as records."""
    marks = [f'"id":{json.dumps(one, ensure_ascii=False)}' for one in wanted]
    try:
        text = gzip.decompress(path.read_bytes()).decode()
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise IndexFault(
            f"{path.name}: damaged ({error}); keqing replay writes it again"
        ) from error
    for line in text.splitlines():
        if any(mark in line for mark in marks):
            yield line
