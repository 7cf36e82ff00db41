"""Two writers and four readers on one server, each a process: not one error may come.

In:  the server's [index], how many posts lie there at the begin, for how long. Out: what each did, and
whether every acknowledged post is found afterwards.
"""

from __future__ import annotations

import itertools
import multiprocessing
import time

from bench.index_made import END, made, questions
from index.ast import All
from index.elastic import ElasticEngine
from index.elastic_client import Server
from keqing.settings import IndexSettings

WRITERS, READERS, STEP, SEED = 2, 4, 500, 2
Done = tuple[str, int, list[str]]  # who, batches or questions, errors


def run(settings: IndexSettings, posts: int, seconds: float) -> None:
    """Print what came of it."""
    engine = ElasticEngine(Server(settings))
    engine.upsert(list(made(posts)), END)
    engine.refresh()
    jobs = [(_write, settings, seconds) for _ in range(WRITERS)]
    jobs += [(_read, settings, n, seconds) for n in range(READERS)]
    with multiprocessing.get_context("spawn").Pool(len(jobs)) as pool:
        done = [task.get() for task in [pool.apply_async(job[0], job[1:]) for job in jobs]]
    for who, count, errors in done:
        print(f"{who}: {count:,}, errors: {len(errors)} {errors[:2]}")
    engine.refresh()
    sent = posts + STEP * max(count for _, count, _ in done[:WRITERS])
    print(f"all errors: {sum(len(errors) for _, _, errors in done)}")
    print(f"posts found: {engine.count(All(), None).posts:,}, different ones sent: {sent:,}")
    engine.close()


def _write(settings: IndexSettings, seconds: float) -> Done:
    """Put batches in, every other one twice; both writers put in the same posts."""
    engine, errors, batches = ElasticEngine(Server(settings)), [], 0
    source, end = made(10_000_000, SEED), time.time() + seconds
    while time.time() < end:
        part = list(itertools.islice(source, STEP))
        for _ in range(1 + batches % 2):
            try:
                engine.upsert(part, END)
            except Exception as error:  # counted, whatever it is
                errors.append(repr(error))
        batches += 1
    return f"writer, batches of {STEP}", batches, errors


def _read(settings: IndexSettings, first: int, seconds: float) -> Done:
    """Ask every question in turn."""
    engine, errors, count = ElasticEngine(Server(settings)), [], 0
    asks, end = list(questions().values()), time.time() + seconds
    while time.time() < end:
        try:
            asks[(first + count) % len(asks)](engine)
        except Exception as error:  # counted, whatever it is
            errors.append(repr(error))
        count += 1
    return "reader, questions", count, errors
