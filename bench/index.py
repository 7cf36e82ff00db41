"""What the index costs: ingest, every question, many at once, and what a kill leaves.

In:  a verb, how many posts. Out: tables on stdout; CPU of this process beside the wall clock, since
other work on the machine moves the latter more.

    python -m bench.index ingest --posts 1000000 --file bench.db
    python -m bench.index requests --file bench.db --posts 1000000
    python -m bench.index together --seconds 60
    python -m bench.index crash --rounds 20
    python -m bench.index --posts 100000 --url http://127.0.0.1:9200
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.index_made import END, Ask, made, questions
from index.answers import IndexEngine
from keqing.records import Mention

STEP = 500


def ingest(engine: IndexEngine, mentions: Sequence[Mention]) -> tuple[float, float]:
    """Seconds of CPU of this process and of the clock, for all mentions in batches of 500."""
    cpu, wall = time.process_time(), time.perf_counter()
    for at in range(0, len(mentions), STEP):
        engine.upsert(mentions[at : at + STEP], END)
    engine.refresh()
    return time.process_time() - cpu, time.perf_counter() - wall


def asked(engine: IndexEngine, ask: Ask, n: int) -> list[float]:
    """In ms: p50 and p95 of the clock, mean and p50 of CPU, and the fixed loop after each call; the
    first call is not counted.
    """
    ask(engine)
    walls, cpus, loops = [], [], []
    for _ in range(n):
        wall, cpu = time.perf_counter(), time.process_time()
        ask(engine)
        cpus.append((time.process_time() - cpu) * 1000)
        walls.append((time.perf_counter() - wall) * 1000)
        loops.append(spin() * 1000)
    ends = statistics.quantiles(walls, n=20)
    mean, half = statistics.mean, statistics.median
    return [half(walls), ends[-1], mean(cpus), half(cpus), mean(loops)]


def asked_table(engine: IndexEngine, repeats: int) -> None:
    """Print what every question costs."""
    print(
        "\n| question | p50 ms | p95 ms | CPU ms | CPU p50 | loop ms |\n|---|---|---|---|---|---|"
    )
    for name, ask in questions().items():
        row = " | ".join(f"{ms:.1f}" for ms in asked(engine, ask, repeats))
        print(f"| {name} | {row} |", flush=True)


def spin() -> float:
    """Seconds of CPU that a fixed loop takes."""
    cpu, total = time.process_time(), 0
    for n in range(30_000):
        total += n * n
    return time.process_time() - cpu


def main() -> None:
    """Run from the command line."""
    # What the verbs need is imported by them: they import from here.
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    verbs = ("ingest", "requests", "together", "crash")
    parser.add_argument("verb", nargs="?", choices=verbs, help="none: ingest and requests")
    parser.add_argument("--posts", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument(
        "--file", type=Path, help="the index file: ingest leaves it, others read it"
    )
    parser.add_argument("--shuffled", action="store_true", help="posts come in no order of time")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--url", help="Elasticsearch; without it the embedded engine")
    parser.add_argument("--name", default="keqing-bench", help="prefix of what is made there")
    args = parser.parse_args()
    if args.url:
        from bench.index_server import report

        report(args.url, args.posts, args.repeats, args.name)
        return
    from bench import index_crash, index_file, index_together

    with tempfile.TemporaryDirectory() as folder:
        path = args.file or Path(folder) / "bench.db"
        if args.verb in ("ingest", None):
            index_file.fill(path, args.posts, args.shuffled)
        if args.verb in ("requests", None):
            index_file.ask(path, args.posts, args.repeats)
        if args.verb == "together":
            index_together.run(path, args.posts, args.seconds)
        if args.verb == "crash":
            index_crash.run(path, args.rounds)


if __name__ == "__main__":
    main()


__all__ = ["END", "STEP", "asked", "asked_table", "ingest", "made", "questions", "spin"]
