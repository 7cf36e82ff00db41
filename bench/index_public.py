"""What the reduced copy costs beside the index: bytes a document, time to copy.

In:  a server's address, how many posts. Out: one table on stdout; both are merged to one segment
before they are weighed. All that was made is deleted.

    python -m bench.index_public --posts 100000 --url http://127.0.0.1:9200
"""

from __future__ import annotations

import argparse
import time

from bench.index_made import END, made
from index.elastic import ElasticEngine
from index.elastic_client import Server
from index.elastic_public import Public
from keqing.settings import IndexSettings

STEP = 500


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--posts", type=int, default=20_000)
    parser.add_argument("--url", required=True)
    parser.add_argument("--name", default="keqing-bench-public")
    args = parser.parse_args()
    server = Server(IndexSettings(url=args.url, name=args.name))
    engine, public = ElasticEngine(server), Public(server)
    try:
        mentions = list(made(args.posts))
        for at in range(0, len(mentions), STEP):
            engine.upsert(mentions[at : at + STEP], END)
        engine.refresh()
        cpu, wall = time.process_time(), time.perf_counter()
        public.publish()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        again = time.perf_counter()
        public.publish()
        again = time.perf_counter() - again
        print("| | documents | bytes a document |\n|---|---|---|")
        for what, pattern in (("index", f"{args.name}-mentions-*"), ("copy", public.pattern)):
            print("| {} | {:,} | {:.0f} |".format(what, *_weighed(server, pattern)))
        print(f"\ncopied {args.posts / wall:,.0f} documents a second, {args.posts / cpu:,.0f} per "
              f"CPU-second here; nothing new: {again * 1000:.0f} ms")  # fmt: skip
    finally:
        found = server.ask("GET", f"/{args.name}-*/_settings", params={"expand_wildcards": "all"})
        server.tell("DELETE", f"/{','.join(found)}")
        for template in (f"{args.name}-mentions-*", public.alias):
            server.tell("DELETE", f"/_index_template/{template}", accept=[404])
        engine.close()


def _weighed(server: Server, pattern: str) -> tuple[int, float]:
    server.tell("POST", f"/{pattern}/_forcemerge", params={"max_num_segments": 1})
    server.tell("POST", f"/{pattern}/_flush")
    total = server.ask("GET", f"/{pattern}/_stats/docs,store")["_all"]["primaries"]
    documents = int(total["docs"]["count"])
    return documents, int(total["store"]["size_in_bytes"]) / documents


if __name__ == "__main__":
    main()
