"""Every match of a query, newest first, read from one moment of the index.

In:  a Server, a filter. Out: raw hits, each once, complete beside writers. A point in time holds the
index still; slices of it are read side by side, the next page of each while the last is used, and
merged by the sort keys. OpenSearch opens its points in time elsewhere: there one walk by sort keys does.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from index.elastic_client import Server
from index.elastic_content import COLUMNS, FIELD
from index.elastic_faults import whole
from index.elastic_query import Query
from index.elastic_rows import NEWEST
from keqing.errors import IndexFault

PAGE = 5_000  # 2 kB a hit on average
SLICES = 2  # more do not help on two cores
KEPT = "5m"  # from page to page: who reads may be slow

Hits = list[Mapping[str, Any]]


def every(server: Server, target: str, query: Query) -> Iterator[Mapping[str, Any]]:
    """All hits, newest first.

    Raises:
        IndexFault: the server did not give all of them; those before are given.
    """
    with ThreadPoolExecutor(SLICES, "keqing-export") as pool:
        if server.settings.flavour == "opensearch":
            yield from _Walk(server, pool, target, query).hits()
            return
        point = server.tell("POST", f"/{target}/_pit", params={"keep_alive": KEPT})["id"]
        try:
            walks = [_Walk(server, pool, target, query, point, n) for n in range(SLICES)]
            yield from heapq.merge(*(walk.hits() for walk in walks), key=_place, reverse=True)
        finally:
            with suppress(IndexFault):  # it ends by itself a little later
                server.ask("DELETE", "/_pit", {"id": point}, accept=[404])


def _place(hit: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(hit["sort"][: len(NEWEST)])


class _Walk:
    """One walk over the matches, or over a slice of those of a point in time."""

    def __init__(
        self,
        server: Server,
        pool: ThreadPoolExecutor,
        target: str,
        query: Query,
        point: str | None = None,
        slice_: int = 0,
    ) -> None:
        self.server, self.pool, self.query = server, pool, query
        self.path = f"/{target}/_search" if point is None else "/_search"
        self.held: dict[str, Any] = {} if point is None else {
            "pit": {"id": point, "keep_alive": KEPT}, "slice": {"id": slice_, "max": SLICES},
        }  # fmt: skip
        self.next = pool.submit(self._page, None)

    def hits(self) -> Iterator[Mapping[str, Any]]:
        """All of them; the next page is on its way while one is read."""
        while hits := self.next.result():
            if len(hits) == PAGE:
                self.next = self.pool.submit(self._page, hits[-1]["sort"])
            yield from hits
            if len(hits) < PAGE:
                return

    def _page(self, place: list[Any] | None) -> Hits:
        body = {
            "query": self.query,
            "size": PAGE,
            "sort": [{field: order} for field, order in NEWEST],
            **COLUMNS,
            "docvalue_fields": [FIELD],
            "track_total_hits": False,
            "timeout": f"{int(self.server.settings.timeout_s * 1000)}ms",
            **self.held,
            **({} if place is None else {"search_after": place}),
        }
        # A point in time refuses the parameter that forbids a part of an answer, which `whole` refuses.
        return list(whole(self.server.ask("POST", self.path, body))["hits"]["hits"])
