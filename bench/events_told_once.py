"""Posts read once and clustered often: what nlp.events is given of each batch, kept.

In:  posts in the order of time, an embedder, settings. Out: per batch the stories to be clustered; the event of
each post as another judge clusters them, by the same code and tables as `score`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bench.events import batches_of
from bench.events_city import Labelled
from keqing.settings import Settings
from keqing.workflow import event_history
from keqing.workflow.db import begin, open_file
from nlp import happenings, stories
from nlp.embed import Embedder
from nlp.events import cluster
from nlp.likeness import Judge
from nlp.pool import Told
from nlp.understand import Reader
from nlp.vectors import of_posts

Batches = list[tuple[list[Told], int]]  # stories and when they were scored, Unix seconds


def told_once(
    posts: Sequence[Labelled], step: timedelta, embedder: Embedder, settings: Settings
) -> Batches:
    """What each batch tells."""
    reader, brands, found = Reader(settings), settings.plan.brands, Batches()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_file(Path(folder) / "keqing.db")
        for n, batch in enumerate(batches_of(posts, step)):
            texts = [one.post.text or "" for one in batch]
            readings = reader.read(texts, [one.post.title or "" for one in batch])
            read = list(zip((one.post for one in batch), readings, strict=True))
            with begin(engine) as tx:
                places = stories.fold(tx, f"b{n}", read, batch[-1].at)
            known = of_posts(embedder, read)
            told = list(happenings.told(reader, brands, read, places, known))
            found.append((told, int(batch[-1].at.timestamp())))
        engine.dispose()
    return found


def clustered_told(batches: Batches, judge: Judge) -> dict[str, str]:
    """Event of each post about a brand, as it lives in the end."""
    given: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        engine = open_file(Path(folder) / "keqing.db")
        for told, now_s in batches:
            with begin(engine) as tx:
                events = cluster(tx, [replace(one) for one in told], now_s, judge)
            given |= {one.post_id: events[one.key] for one in told}
        with begin(engine) as tx:
            lives = {event: event_history.living(tx, event) for event in set(given.values())}
        engine.dispose()
    return {post: lives[event] for post, event in given.items()}
