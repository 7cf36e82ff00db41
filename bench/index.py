"""What the index costs: ingest and every dashboard question, on either engine.

In:  how many mentions, and a server's address for Elasticsearch. Out: a table on stdout; CPU of this
process beside the wall clock, since other work on the machine moves only the latter.

    python -m bench.index --posts 100000
    python -m bench.index --posts 100000 --url http://127.0.0.1:9200
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from index.answers import IndexEngine, Window
from index.ast import And, Node, Not, Or, Phrase, Tag, Word
from index.sqlite import SqliteEngine
from keqing.records import Author, BrandHit, Engagement, Mention, Polarity, Post, Versions

END = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
DAYS, BRANDS, WORDS, STEP = 90, 200, 20_000, 500
VERSIONS = Versions(model="bench", dictionary="bench", plan="bench")


def made(count: int, seed: int = 1) -> Iterator[Mention]:
    """Mentions of about 40 words over 90 days; words, brands and stories are unevenly common."""
    draw = random.Random(seed)
    vocabulary = [f"词{n:05d}" for n in range(WORDS)]
    weights = list(itertools.accumulate(1 / (n + 2) for n in range(WORDS)))
    brands = list(itertools.accumulate(1 / (n + 1) for n in range(BRANDS)))
    for n in range(count):
        words = draw.choices(vocabulary, cum_weights=weights, k=draw.randint(15, 65))
        brand = f"brand{draw.choices(range(BRANDS), cum_weights=brands)[0]}"
        at = END - timedelta(seconds=draw.randrange(DAYS * 86_400))
        polarity = draw.choices(list(Polarity), weights=[3, 4, 3])[0]
        post = Post(
            id=f"bench:{seed}:{n}", platform="bench", source=f"s{n % 7}", text="".join(words),
            author=Author(id=f"k:{draw.randrange(max(1, count // 5))}"), published_at=at,
            first_seen_at=at + timedelta(minutes=draw.randint(1, 60)),
            collected_at=END, engagement=Engagement(likes=draw.randrange(50)), run_id="bench",
        )  # fmt: skip
        hit = BrandHit(brand=brand, entity=brand, alias=brand, start=0, end=1, where="own",
                       reason="accepted", polarity=polarity, p=0.9)  # fmt: skip
        yield Mention(
            post=post, brands=(hit,), polarity=polarity, p_negative=0.5, keywords=tuple(words[:8]),
            tokens=tuple(words), story=f"st{draw.randrange(max(1, count * 3 // 4))}",
            risk=draw.random() * 100, topics=(f"t{n % 12}",), versions=VERSIONS, scored_at=END,
        )  # fmt: skip


def questions() -> dict[str, Callable[[IndexEngine], object]]:
    """What the pages and the alert tick ask."""
    month, week = (Window(END - timedelta(days=d), END) for d in (28, 7))
    quarter, hour = Window(END - timedelta(days=DAYS), END), Window(END - timedelta(hours=1), END)
    top: Node = Tag("brand", "brand0")
    words: Node = And((top, Word("词00010"), Not(Word("词00003"))))
    some: Node = Or((Word("词00020"), Word("词00030"), Phrase(("词00001", "词00002"))))
    return {
        "timeline, 7 days hourly": lambda e: e.counts(["brand0"], week, 3600),
        "timeline, 90 days daily": lambda e: e.counts(["brand0"], quarter, 86_400),
        "alert tick, 28 days of 5 min": lambda e: e.counts(["brand0"], month, 300),
        "alert tick, documents of 1 h": lambda e: e.document_alarms(hour, 0.8),
        "share of sources, 7 days": lambda e: e.counts_by("source", top, week),
        "keywords, 1 day against 28": lambda e: e.keywords(
            top, Window(END - timedelta(days=1), END), month
        ),
        "brand AND word NOT word, newest": lambda e: e.search(words, month),
        "OR of three, by risk": lambda e: e.search(some, month, sort="risk"),
        "mentions page, folded": lambda e: e.search(top, week, fold=True),
        "most repeated, folded": lambda e: e.search(top, week, sort="similar", fold=True, size=5),
        "count, 90 days": lambda e: e.count(top, quarter),
    }


def ingest(engine: IndexEngine, mentions: Sequence[Mention]) -> tuple[float, float]:
    """Seconds of CPU of this process and of the clock, for all mentions in batches of 500."""
    cpu, wall = time.process_time(), time.perf_counter()
    for at in range(0, len(mentions), STEP):
        engine.upsert(mentions[at : at + STEP], END)
    engine.refresh()
    return time.process_time() - cpu, time.perf_counter() - wall


def asked(engine: IndexEngine, ask: Callable[[IndexEngine], object], n: int) -> list[float]:
    """p50 and p95 in ms of the clock, mean CPU in ms; the first call is not counted."""
    ask(engine)
    cpu, times = time.process_time(), []
    for _ in range(n):
        wall = time.perf_counter()
        ask(engine)
        times.append((time.perf_counter() - wall) * 1000)
    mean = (time.process_time() - cpu) * 1000 / n
    ends = statistics.quantiles(times, n=20)
    return [statistics.median(times), ends[-1], mean]


def report(engine: IndexEngine, posts: int, repeats: int) -> None:
    """Fill the engine and print both tables."""
    mentions = list(made(posts))
    cpu, wall = ingest(engine, mentions)
    again, _ = ingest(engine, mentions)
    size = engine.health()["bytes"] / posts
    print(f"ingest: {posts / wall:,.0f} docs/s, {posts / cpu:,.0f} per CPU-second of this process")
    print(f"identical again: {cpu / again:.1f} × as fast (CPU); {size:,.0f} bytes a document")
    asked_table(engine, repeats)


def asked_table(engine: IndexEngine, repeats: int) -> None:
    """Print what every question costs."""
    print("\n| question | p50 ms | p95 ms | CPU ms here |\n|---|---|---|---|")
    for name, ask in questions().items():
        print(f"| {name} | " + " | ".join(f"{ms:.1f}" for ms in asked(engine, ask, repeats)) + " |")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--posts", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--url", help="Elasticsearch; without it the embedded engine")
    parser.add_argument("--name", default="keqing-bench", help="prefix of what is made there")
    args = parser.parse_args()
    if args.url:
        from bench.index_server import report as on_server  # it imports from here

        on_server(args.url, args.posts, args.repeats, args.name)
        return
    with tempfile.TemporaryDirectory() as folder:
        engine = SqliteEngine(Path(folder) / "bench.db")
        report(engine, args.posts, args.repeats)
        engine.close()


if __name__ == "__main__":
    main()
