"""Two writers and four readers on one file, each a process: not one error may come.

In:  a file, how many posts lie in it at the begin, for how long. Out: what each did, and whether the
sheets equal a recount afterwards.
"""

from __future__ import annotations

import itertools
import multiprocessing
import time
from pathlib import Path

from bench.index import END, STEP, ingest, made, questions
from index.sqlite import SqliteEngine
from index.sqlite_recount import differences

WRITERS, READERS = 2, 4
Done = tuple[str, int, list[str]]  # who, batches or questions, errors


def run(path: Path, posts: int, seconds: float) -> None:
    """Print what came of it."""
    engine = SqliteEngine(path)
    ingest(engine, list(made(posts)))
    engine.close()
    jobs = [(_write, path, seed, seconds) for seed in range(2, 2 + WRITERS)]
    jobs += [(_read, path, n, seconds) for n in range(READERS)]
    with multiprocessing.get_context("spawn").Pool(len(jobs)) as pool:
        done = [task.get() for task in [pool.apply_async(job[0], job[1:]) for job in jobs]]
    for who, count, errors in done:
        print(f"{who}: {count:,}, errors: {len(errors)} {errors[:2]}")
    print(f"all errors: {sum(len(errors) for _, _, errors in done)}")
    engine = SqliteEngine(path, deadline_s=3600.0)  # a recount reads every document
    print(f"sheets against a recount: {differences(engine) or 'equal'}")


def _write(path: Path, seed: int, seconds: float) -> Done:
    """Put batches in, every other one twice, which both writers then do."""
    engine, errors, batches = SqliteEngine(path), [], 0
    source, end = made(10_000_000, seed), time.time() + seconds
    while time.time() < end:
        part = list(itertools.islice(source, STEP))
        for _ in range(1 + batches % 2):
            try:
                engine.upsert(part, END)
            except Exception as error:  # counted, whatever it is
                errors.append(repr(error))
        batches += 1
    return "writer, batches of 500", batches, errors


def _read(path: Path, first: int, seconds: float) -> Done:
    """Ask every question in turn."""
    engine, errors, count = SqliteEngine(path), [], 0
    asks, end = list(questions().values()), time.time() + seconds
    while time.time() < end:
        try:
            asks[(first + count) % len(asks)](engine)
        except Exception as error:  # counted, whatever it is
            errors.append(repr(error))
        count += 1
    return "reader, questions", count, errors
