"""Erasure of posts by author, address or id: from the index and from the files it is rebuilt from.

In:  settings, the workflow database with the batch log, what to erase. Out: an EraseReport. The
landing and its chain are not touched here: it keeps what was collected until it is erased there.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from pydantic import BaseModel

from index.answers import IndexEngine
from index.engine import open_index, publish
from index.run import mentions_of
from keqing.errors import UsageError
from keqing.settings import Settings
from keqing.workflow import authors, batches, corrections, event_sums, events, spread, stories
from keqing.workflow.db import Engine, begin


class EraseReport(BaseModel):
    """Posts found; what went (nothing in a dry run)."""

    found: int
    erased: int
    mention_rows: int
    dry_run: bool


def erase(
    settings: Settings,
    engine: Engine,
    *,
    author: str | None = None,
    url: str | None = None,
    posts: Sequence[str] = (),
    dry_run: bool = False,
) -> EraseReport:
    """Remove posts for good, so that neither a question nor a rebuild brings them back.

    Mention files first: a kill in between leaves posts in the index, and the next run finds them.

    Raises:
        UsageError: nothing is named.
    """
    if not (author or url or posts):
        raise UsageError("name an author, a url or a post")
    index = open_index(settings)
    try:
        ids = _ids(index, author, url, posts)
        rows = sum(_without(path, ids, dry_run) for path in _files(settings, engine)) if ids else 0
        gone = 0 if dry_run or not ids else index.erase_ids(sorted(ids))
        if ids and not dry_run:
            with begin(engine) as tx:
                corrections.forget(tx, ids)
                events.forget_posts(tx, ids)
                event_sums.forget_posts(tx, ids)
                spread.forget_posts(tx, ids)
                stories.forget_voices(tx, author, ids)
                if author:
                    authors.erase(tx, author)
    finally:
        index.close()
    if not dry_run:
        publish(settings)  # also when nothing was found: a run before may have ended just here
    return EraseReport(found=len(ids), erased=gone, mention_rows=rows, dry_run=dry_run)


def _ids(index: IndexEngine, author: str | None, url: str | None, posts: Sequence[str]) -> set[str]:
    ids = {hit.id for hit in index.get(list(posts))} if posts else set()
    if author:
        ids |= set(index.find("author", author))
    if url:
        ids |= set(index.find("url", url))
    return ids


def _files(settings: Settings, engine: Engine) -> list[Path]:
    with begin(engine) as tx:
        log = batches.every(tx)
    sets = [settings.var / "mentions", *(settings.var / "beside").glob("*/mentions")]
    paths = (folder / batch.mention_file for folder in sets for batch in log)
    return [path for path in paths if path.exists()]


def _without(path: Path, ids: Collection[str], dry_run: bool) -> int:
    """Rewrite a Mention file without these posts; how many rows it had of them."""
    mentions = list(mentions_of(path))
    kept = [mention for mention in mentions if mention.post.id not in ids]
    if len(kept) < len(mentions) and not dry_run:
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        lines = "".join(f"{mention.model_dump_json()}\n" for mention in kept)
        aside.write_bytes(gzip.compress(lines.encode(), 1, mtime=0))
        aside.replace(path)
    return len(mentions) - len(kept)
