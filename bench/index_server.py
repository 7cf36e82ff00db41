"""What the Elasticsearch engine costs against the plain client: ingest, every dashboard question, export.

In:  a server's address, or none for a node of its own; how many mentions. Out: tables on stdout. Engine
and plain client take turns, so that other work on the machine slows both alike. The plain client sends
bytes that are ready into an index of its own (bench/index_plain.py) and asks that, by the best request
written by hand for the same answer (bench/index_raw.py).

    python -m bench.index_server --posts 100000
    python -m bench.index_server ingest --posts 100000
    python -m bench.index_server ask --url http://127.0.0.1:9200 --repeats 100
    python -m bench.index_server together --posts 20000 --seconds 60
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice

from bench import index_server_together
from bench.index_made import END, made, questions
from bench.index_plain import Plain
from bench.index_raw import bodies, brand_in, every
from index.ast import Tag
from index.elastic import ElasticEngine
from index.elastic_bulk import MOST
from index.elastic_client import Server
from index.elastic_merge import merged
from index.query import Window
from keqing.records import Mention
from keqing.settings import IndexSettings
from tests.elastic import servers

BATCH = 5_000  # the most that one batch of `keqing load` holds
EXPORTED_DAYS = 30
HEAP = "-Xms2g -Xmx2g"


def report(url: str, posts: int, repeats: int, name: str) -> None:
    """Fill an installation called `name` and print all tables; without repeats only those of ingest."""
    settings = IndexSettings.model_validate({"url": url, "name": name, "replicas": 0})
    engine = ElasticEngine(Server(settings))
    plain = Plain(engine.server, f"{name}-plain")
    ours, raw, cpu = fill(engine, plain, posts)
    print(f"ingest, batches of {BATCH:,}: {posts / ours:,.0f} docs/s, "
          f"{posts / cpu:,.0f} per CPU-second of this process")  # fmt: skip
    print(f"raw bulk of the same documents, {MOST} a call: {posts / raw:,.0f} docs/s")
    print(f"ours / raw: {raw / ours:.2f}")
    weighed(engine, plain, "as it was written")
    again(engine, posts)
    if repeats:
        answered(engine, plain, repeats)


def answered(engine: ElasticEngine, plain: Plain, repeats: int) -> None:
    """What follows once both are filled: questions, export, what the nightly merge leaves."""
    asked(engine, plain, repeats)
    exported(engine, plain)
    engine.tidy(END, None)
    merged(plain.server, plain.alias, {"max_num_segments": "1"})
    weighed(engine, plain, "after the nightly merge")


def weighed(engine: ElasticEngine, plain: Plain, when: str) -> None:
    """Bytes a document on both sides."""
    sides = []
    for target in (engine.names.alias, plain.alias):
        engine.server.tell("POST", f"/{target}/_flush")
        total = engine.server.ask("GET", f"/{target}/_stats/docs,store")["_all"]["primaries"]
        sides.append(int(total["store"]["size_in_bytes"]) / int(total["docs"]["count"]))
    print(f"bytes a document {when}: {sides[0]:,.0f}; raw {sides[1]:,.0f}", flush=True)


def fill(engine: ElasticEngine, plain: Plain, posts: int) -> tuple[float, float, float]:
    """Seconds of the clock for all mentions by us and by plain bulk calls; our CPU seconds."""
    engine.upsert([], END)
    plain.declare()
    ours = raw = cpu = 0.0
    for batch in batches(made(posts)):
        ready = list(plain.calls(batch))
        raw += timed(lambda calls=ready: [plain.server.bulk(call) for call in calls])
        before = time.process_time()
        ours += timed(lambda mentions=batch: engine.upsert(mentions, END))
        cpu += time.process_time() - before
    raw += timed(lambda: plain.server.tell("POST", f"/{plain.alias}/_refresh"))
    return ours + timed(engine.refresh), raw, cpu


def again(engine: ElasticEngine, posts: int) -> None:
    """The first tenth once more: nothing is to be written."""
    same = list(islice(made(posts), posts // 10))
    took = timed(lambda: [engine.upsert(batch, END) for batch in batches(iter(same))])
    print(f"identical again: {len(same) / took:,.0f} docs/s")


def asked(engine: ElasticEngine, plain: Plain, repeats: int) -> None:
    """Every question by us and by the plain client, in turns."""
    # The server keeps answers without posts, so that the second time would cost nothing.
    cold = {"index.requests.cache.enable": False}
    for target in (engine.names.alias, plain.alias):
        engine.server.tell("PUT", f"/{target}/_settings", cold)
    print("\n| question | p50 ms | raw p50 ms | ours / raw | p95 ms |\n|---|---|---|---|---|")
    for name, ask in questions().items():
        body = bodies()[name]
        ours, raw = turns(
            lambda ask=ask: ask(engine),
            lambda body=body: plain.server.ask("POST", f"/{plain.alias}/_search", body),
            repeats,
        )
        mid = statistics.median(ours), statistics.median(raw)
        print(f"| {name} | {mid[0]:.1f} | {mid[1]:.1f} | {mid[0] / mid[1]:.2f} "
              f"| {statistics.quantiles(ours, n=20)[-1]:.1f} |", flush=True)  # fmt: skip


def turns(
    ours: Callable[[], object], raw: Callable[[], object], repeats: int
) -> tuple[list[float], list[float]]:
    """Milliseconds of both, one after the other; the first calls are not counted."""
    times: tuple[list[float], list[float]] = ([], [])
    for n in range(repeats + 2):
        for kept, call in zip(times, (ours, raw), strict=True):
            took = timed(call) * 1000
            if n > 1:
                kept.append(took)
    return times


def batches(mentions: Iterator[Mention]) -> Iterator[list[Mention]]:
    """Mentions as `load` gets them."""
    while batch := list(islice(mentions, BATCH)):
        yield batch


def timed(call: Callable[[], object]) -> float:
    """Seconds of the clock."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def exported(engine: ElasticEngine, plain: Plain, rounds: int = 3) -> None:
    """The largest brand's last month, by us as Hits and by the plain client as it came."""
    window = Window(END - timedelta(days=EXPORTED_DAYS), END)
    brand, later = Tag("brand", "brand0"), END + timedelta(days=1)
    rows = walked(plain)
    if rows != (own := sum(1 for _ in engine.export(brand, window, later))):
        raise SystemExit(f"export: {own:,} rows, the plain client has {rows:,}")
    ours, raw = turns(
        lambda: sum(1 for _ in engine.export(brand, window, later)), lambda: walked(plain), rounds
    )
    before = time.process_time()
    turns(lambda: sum(1 for _ in engine.export(brand, window, later)), lambda: None, 1)
    cpu = (time.process_time() - before) / 3
    rates = [rows / statistics.median(times) * 1000 for times in (ours, raw)]
    print(f"\nexport of {rows:,} rows: {rates[0]:,.0f} rows/s ({cpu / rows * 1e6:.0f} µs of CPU a row "
          f"here); plain client, point in time, 1,000 a page: {rates[1]:,.0f} rows/s; "
          f"ours / raw {rates[0] / rates[1]:.2f}", flush=True)  # fmt: skip


def walked(plain: Plain) -> int:
    """All pages of 1,000 by the plain client, one after the other."""
    server, body, rows = plain.server, every(brand_in(EXPORTED_DAYS)), 0
    point = server.tell("POST", f"/{plain.alias}/_pit", params={"keep_alive": "1m"})["id"]
    body["pit"] = {"id": point, "keep_alive": "1m"}
    while hits := server.ask("POST", "/_search", body)["hits"]["hits"]:
        rows += len(hits)
        body["search_after"] = hits[-1]["sort"]
    server.ask("DELETE", "/_pit", {"id": point})
    return rows


@contextmanager
def running(url: str | None) -> Iterator[str]:
    """The server of that address, or a node of our own that is gone afterwards."""
    if url is not None:
        yield url
        return
    servers.HEAP = HEAP
    with servers.started() as node:
        yield node.url


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "verb", nargs="?", choices=("report", "ingest", "ask", "together"), default="report"
    )
    parser.add_argument("--posts", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--url", help="Elasticsearch; without it a node of our own, 2 GB heap")
    parser.add_argument("--name", default="keqing-bench", help="prefix of what is made there")
    args = parser.parse_args()
    with running(args.url) as url:
        if args.verb in ("report", "ingest"):
            repeats = args.repeats if args.verb == "report" else 0
            report(url, args.posts, repeats, args.name)
            return
        settings = IndexSettings.model_validate({"url": url, "name": args.name, "replicas": 0})
        if args.verb == "together":
            index_server_together.run(settings, args.posts, args.seconds)
            return
        engine = ElasticEngine(Server(settings))
        plain = Plain(engine.server, f"{args.name}-plain")
        answered(engine, plain, args.repeats)


if __name__ == "__main__":
    main()
