"""What kill -9 leaves: no post is lost whose batch was acknowledged, and all that is kept agrees.

In:  a file, how many rounds. Out: a line for each round; stops at the first loss.
"""

from __future__ import annotations

import itertools
import multiprocessing
import random
import sqlite3
import time
from multiprocessing.connection import Connection
from pathlib import Path

from bench.index import END, STEP, made
from index.sqlite import SqliteEngine
from index.sqlite_recount import differences

LONGEST_S = 4.0


def run(path: Path, rounds: int) -> None:
    """Kill a writer at a random moment, look, and go on with the same file.

    Raises:
        SystemExit: something acknowledged is gone or does not agree.
    """
    draw, acknowledged, kills = random.Random(1), [], 0
    for n in range(1, rounds + 1):
        acknowledged += _killed(path, n, draw.uniform(0.2, LONGEST_S))
        kills += 1
        lost, wrong = _looked_at(path, acknowledged)
        print(f"round {n}: acknowledged {len(acknowledged):,}, lost {lost}, {wrong or 'all agrees'}",
              flush=True)  # fmt: skip
        if lost or wrong:
            raise SystemExit(1)
    print(f"{kills} kills: 0 acknowledged losses, file and words sound, sheets equal a recount")


def _killed(path: Path, seed: int, after_s: float) -> list[str]:
    """Ids of the posts whose batches a writer acknowledged before it was killed."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    writer = context.Process(target=_write, args=(path, seed, theirs))
    writer.start()
    theirs.close()
    ours.recv()  # it has begun
    time.sleep(after_s)
    writer.kill()
    writer.join()
    told: list[str] = []
    try:
        while ours.poll():
            told += ours.recv()
    except EOFError:
        pass
    return told


def _write(path: Path, seed: int, told: Connection) -> None:
    """Put batches in and tell of each when it is on the disk; a tenth of them changes at once."""
    engine, source = SqliteEngine(path), made(10_000_000, seed)
    batch = list(itertools.islice(source, STEP))
    told.send([])
    while True:
        engine.upsert(batch, END)
        told.send([mention.post.id for mention in batch])
        old = [mention.model_copy(update={"story": "changed"}) for mention in batch[: STEP // 10]]
        engine.upsert(old, END)
        batch = list(itertools.islice(source, STEP))


def _looked_at(path: Path, acknowledged: list[str]) -> tuple[int, list[str]]:
    """How many acknowledged posts are gone, and what does not agree."""
    with sqlite3.connect(path) as db:
        wrong = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        db.execute("INSERT INTO fts (fts) VALUES ('integrity-check')")
        here = {row[0] for row in db.execute("SELECT id FROM ids")}
    db.close()
    engine = SqliteEngine(path, deadline_s=3600.0)  # a recount reads every document
    wrong += differences(engine)
    engine.close()
    return len(set(acknowledged) - here), wrong
