"""Similar posts on a search server: nearest vectors among the posts of a brand and window.

In:  a Server, a post's id. Out: raw hits with their cosines, likest first.
The server's graph search is asked for far more neighbours than are shown, and the cosine is computed
here from the stored bytes, so that both engines give the same figures.
"""

from __future__ import annotations

from typing import Any

from index.answers import Window
from index.elastic_client import Server
from index.elastic_content import COLUMNS, FIELD
from index.elastic_document import document_id
from index.elastic_query import Query, within
from index.similar import cosines

ASKED = 20  # times as many neighbours as are shown
MOST = 10_000  # candidates that a server looks at
FACTS = {**COLUMNS, "docvalue_fields": ["facts.brands", "facts.story"]}
TELLINGS = 100  # of one story, among which its vector is looked for


def nearest(
    server: Server, target: str, post_id: str, window: Window | None, size: int
) -> list[tuple[dict[str, Any], float]]:
    """(hit, cosine) of other stories about one of the post's brands."""
    asked = _oldest(server, target, {"term": {"_id": document_id(post_id)}}, FACTS)
    if not asked or "facts.brands" not in asked[0]["fields"]:
        return []
    brands, [story] = (asked[0]["fields"][name] for name in ("facts.brands", "facts.story"))
    same = {"term": {"facts.story": story}}
    told = [hit["_source"] for hit in _oldest(server, target, same, {"_source": ["vector"]})]
    vector = next((one["vector"] for one in told if "vector" in one), None)
    if vector is None:
        return []
    wanted: list[Query] = [{"terms": {"facts.brands": brands}}]
    if window is not None:
        wanted.append(within(window))
    others = {"bool": {"filter": wanted, "must_not": [same]}}
    hits = _near(server, target, vector, others, min(size * ASKED, MOST))
    return _ranked(vector, hits, size)


def _near(
    server: Server, target: str, vector: list[int], others: Query, size: int
) -> list[dict[str, Any]]:
    """Hits with vectors, the nearest ones; OpenSearch maps no vectors: its newest posts are read."""
    wanted = {"_source": ["vector"], "docvalue_fields": [FIELD, "id"]}
    if server.settings.flavour == "opensearch":
        newest = [{"published_at": "desc"}]
        body = {"query": others, "size": MOST, "sort": newest, **wanted}
    else:
        near = {"field": "vector", "query_vector": vector, "k": size, "num_candidates": MOST,
                "filter": others}  # fmt: skip
        body = {"knn": near, "size": size, **wanted}
    hits = server.search(target, body)["hits"]["hits"]
    return [hit for hit in hits if "vector" in hit["_source"]]


def _ranked(
    vector: list[int], hits: list[dict[str, Any]], size: int
) -> list[tuple[dict[str, Any], float]]:
    if not hits:
        return []
    like = cosines(_bytes(vector), [_bytes(hit["_source"]["vector"]) for hit in hits])
    rows = list(zip(hits, map(float, like), strict=True))
    rows.sort(key=lambda row: (-round(row[1], 6), row[0]["fields"]["id"]))
    return [(hit, round(cosine, 4)) for hit, cosine in rows[:size]]


def _oldest(server: Server, target: str, query: Query, asked: Query) -> list[dict[str, Any]]:
    oldest = [{"published_at": "asc"}, {"tie": "asc"}]
    body = {"query": query, "size": TELLINGS, "sort": oldest, **asked}
    return list(server.search(target, body)["hits"]["hits"])


def _bytes(vector: list[int]) -> bytes:
    return bytes(value & 0xFF for value in vector)
