"""What the Elasticsearch engine costs: ingest against a raw bulk, and every dashboard question.

In:  a server's address, how many mentions. Out: tables on stdout; what is asked is in bench/index.py.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from bench.index import STEP, asked_table, ingest, made
from index.document import to_document
from index.elastic import ElasticEngine
from index.elastic_client import Server, packed
from index.elastic_document import document_id, stored
from index.elastic_write import Writer
from keqing.records import Mention
from keqing.settings import IndexSettings


def report(url: str, posts: int, repeats: int, name: str) -> None:
    """Fill an installation called `name` and print both tables."""
    settings = IndexSettings.model_validate({"url": url, "name": name, "replicas": 0})
    engine = ElasticEngine(Server(settings))
    mentions = list(made(posts))
    cpu, wall = ingest(engine, mentions)
    again, _ = ingest(engine, mentions)
    size = engine.health()["bytes"] / posts
    print(f"ingest: {posts / wall:,.0f} docs/s, {posts / cpu:,.0f} per CPU-second of this process")
    print(f"identical again: {cpu / again:.1f} × as fast (CPU); {size:,.0f} bytes a document")
    print(f"against a raw bulk of the same documents: {raw(engine, mentions) / wall:.2f}")
    asked_table(engine, repeats)


def raw(engine: ElasticEngine, mentions: Sequence[Mention]) -> float:
    """Seconds of the clock to send the same documents by plain bulk calls, nothing read or checked."""
    documents = [to_document(m) for m in mentions]
    ready = [(document_id(d.id), packed(stored(d))) for d in documents]
    writer = Writer(engine.server, engine.state.current())
    month = engine.names.month(writer.edition.name, documents[0].published_at)
    engine.server.create(month)
    wall = time.perf_counter()
    for at in range(0, len(ready), STEP):
        heads = ((packed({"index": {"_index": month, "_id": f"raw{i}"}}), s)
                 for i, s in ready[at : at + STEP])  # fmt: skip
        engine.server.bulk([line for pair in heads for line in pair])
    return time.perf_counter() - wall
