"""What the embedded engine costs: ingest, the same posts again, bytes; then every question.

In:  the file, how many posts. Out: tables on stdout. Posts are made as they are needed, so a million
fits into little memory; making them is not timed.
"""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from bench.index import END, STEP, asked_table, ingest, made, spin
from bench.index_made import address
from index.answers import Window
from index.ast import Tag
from index.sqlite import SqliteEngine

LINES = 20  # of the table of progress


def fill(path: Path, posts: int, shuffled: bool = False) -> None:
    """Put posts into a new file and print what each part of them cost.

    "again" is the identical batch once more, right after it went in. The loop is a fixed piece of
    Python beside each batch: where it takes longer, the machine was busier, not the index slower.
    """
    engine, source = SqliteEngine(path), made(posts, shuffled=shuffled, addressed=True)
    print("| posts | docs per CPU-s | of these last | again × | bytes a post | loop ms |")
    print("|---|---|---|---|---|---|", flush=True)
    cpu = wall = again = loop = 0.0
    done, last = 0, (0, 0.0)
    while part := list(itertools.islice(source, STEP)):
        spent = ingest(engine, part)
        cpu, wall, done = cpu + spent[0], wall + spent[1], done + len(part)
        again += ingest(engine, part)[0]
        loop += spin()
        if done >= last[0] + posts // LINES or done == posts:
            new = (done - last[0]) / (cpu - last[1])
            print(f"| {done:,} | {done / cpu:,.0f} | {new:,.0f} | {cpu / again:.1f} | "
                  f"{path.stat().st_size / done:,.0f} | {loop / done * STEP * 1000:.1f} |", flush=True)  # fmt: skip
            last = (done, cpu)
    print(f"\n{done / wall:,.0f} docs/s by the clock")
    _packed(engine, path, posts)
    engine.close()


def _packed(engine: SqliteEngine, path: Path, posts: int) -> None:
    """What the nightly upkeep makes of it, and where the bytes lie."""
    cpu = time.process_time()
    engine.tidy(END, None)
    spent = time.process_time() - cpu
    print(f"after the nightly packing ({spent:.1f} s of CPU): {path.stat().st_size / posts:,.0f} bytes "
          "a post in the file, of these used by")  # fmt: skip
    with sqlite3.connect(path) as db:
        rows = db.execute(
            "SELECT name, sum(pgsize) FROM dbstat WHERE aggregate = 1 GROUP BY name ORDER BY 2 DESC"
        ).fetchall()
        free = db.execute(
            "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size"
        ).fetchone()
    print(", ".join(f"{name} {size / posts:,.0f}" for name, size in rows if size > posts),
          f"free {free[0] / posts:,.0f}")  # fmt: skip


def ask(path: Path, posts: int, repeats: int) -> None:
    """Print what every question costs on a file that `fill` left."""
    engine = SqliteEngine(path)
    cpu = time.process_time()
    found = engine.health()
    print(f"\n{found['documents']:,} posts, SQLite {sqlite3.sqlite_version}, file sound: {found['ok']} "
          f"({time.process_time() - cpu:.1f} s of CPU to know)")  # fmt: skip
    asked_table(engine, repeats)
    _beside(engine, posts)
    engine.close()


def _beside(engine: SqliteEngine, posts: int) -> None:
    """What only upkeep and staff's downloads ask, once each."""
    week = Window(END - timedelta(days=7), END)
    asks: dict[str, Callable[[], Sequence[object]]] = {
        "find by author": lambda: engine.find("author", "k:7"),
        "find by address": lambda: engine.find("url", address(1, posts // 2)),
        "export, 7 days": lambda: list(engine.export(Tag("brand", "brand0"), week, END)),
    }
    for name, ask in asks.items():
        cpu = time.process_time()
        found = ask()
        spent = (time.process_time() - cpu) * 1000
        print(f"{name}: {spent:,.1f} ms of CPU, {len(found):,} posts")
