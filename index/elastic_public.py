"""The reduced copy of the index for tools that know nothing of our roles: Kibana and Grafana.

In:  a Server with an installation on it. Out: `<name>-public-<month>` behind the alias
`<name>-public`, equal to the current edition but for what elastic_public_document leaves out.
Each shard is read on from the last operation that was copied (`_seq_no`), so that a load, a
correction, a rebuild and a restored snapshot are all the same case, and no writer knows of this file.
What left the index is found by counting: a month whose count differs is compared post by post.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from index.elastic_bulk import Action, Bulk
from index.elastic_client import Server, packed
from index.elastic_content import COLUMNS
from index.elastic_document import document_id
from index.elastic_faults import whole
from index.elastic_mapping import Names
from index.elastic_public_document import PUBLIC_VERSION, READ, mapping, reduced
from index.elastic_state import State
from keqing.errors import IndexRejected

PAGE = 1_000
RECORD = "public"  # name of the small document with the marks
Mark = tuple[str, str]  # an index with its uuid, a shard
NONE = -1


@dataclass(frozen=True)
class Published:
    """Documents written and taken away; whether some wait for the next time."""

    written: int = 0
    removed: int = 0
    waiting: bool = False


class Public:
    """Brings the copy of one installation up to date; may be repeated, killed and run twice at once."""

    def __init__(self, server: Server) -> None:
        self.server, self.state, self.bulk = server, State(server), Bulk(server)
        self.alias = f"{Names(server.settings.name).alias}-public"
        self.pattern = f"{self.alias}-*"  # unlike an alias it may stand for nothing
        self._months: set[str] = set()

    def publish(self, most: int | None = None) -> Published:
        """Copy what changed, take away what is gone.

        Args:
            most: documents after which a call ends, the rest is left to the next one.

        Raises:
            IndexFault: what was copied before is not asked for again.
        """
        indices = self.state.indices()
        if not indices:
            return Published()
        done = self._checkpoints(indices)
        marks = {mark: n for mark, n in self._marks().items() if mark in done}
        self._months = set(self._copies())
        self.server.tell("POST", f"/{self.state.names.alias}/_refresh")
        written = 0
        for mark, until in done.items():
            written += self._shard(marks, mark, until, None if most is None else most - written)
            if marks.get(mark, NONE) < until:
                return Published(written, waiting=True)
        removed, again = self._compare(indices, marks, done)
        return Published(written + again, removed)

    def _shard(self, marks: dict[Mark, int], mark: Mark, until: int, room: int | None) -> int:
        """Copy one shard's operations up to `until`; the mark is kept after each page."""
        index, written = mark[0].partition("/")[0], 0
        while marks.get(mark, NONE) < until and (room is None or written < room):
            hits = self._read(index, mark[1], marks.get(mark, NONE), until)
            self._write(hits)
            written += len(hits)
            marks[mark] = int(hits[-1]["sort"][0]) if len(hits) == PAGE else until
            self._keep(marks)
        return written

    def _read(self, index: str, shard: str, since: int, until: int) -> list[dict[str, Any]]:
        body = {
            "query": {"range": {"_seq_no": {"gt": since, "lte": until}}},
            "sort": [{"_seq_no": "asc"}],
            "size": PAGE,
            "track_total_hits": False,
            **COLUMNS,
            "docvalue_fields": READ,
        }
        params = {"preference": f"_shards:{shard}", "allow_partial_search_results": "false"}
        answer = self.server.ask("POST", f"/{index}/_search", body, params=params)
        return list(whole(answer)["hits"]["hits"])

    def _write(self, hits: Sequence[Mapping[str, Any]]) -> None:
        """First the copy in its month, then those that a moved post left in another."""
        if not hits:
            return
        found = {document_id(hit["fields"]["id"][0]): hit for hit in hits}
        places = {id_: self._month(hit["_index"]) for id_, hit in found.items()}
        for index in sorted(set(places.values()) - self._months):
            self.server.create(index)
            self._months.add(index)
        versions = {id_: int(hit["fields"]["collected_at"][0]) for id_, hit in found.items()}
        actions = [
            Action(places[id_], id_, versions[id_], packed(reduced(hit)))
            for id_, hit in found.items()
        ]
        for outcome in self.bulk.send(actions):
            if outcome.fate == "refused":
                raise IndexRejected(f"{self.alias}: a reduced post is refused ({outcome.why})")
        self.bulk.send(
            [
                Action(hit["_index"], hit["_id"], versions[hit["_id"]], None)
                for hit in self._by_id(self.pattern, list(places))
                if hit["_index"] != places[hit["_id"]]
            ]
        )

    def _compare(
        self, indices: Sequence[str], marks: dict[Mark, int], done: Mapping[Mark, int]
    ) -> tuple[int, int]:
        """Posts taken away that are gone, posts copied again that somebody took from the copy."""
        self.server.tell("POST", f"/{self.pattern}/_refresh")
        theirs = {self._month(index): index for index in indices}
        ours, whole_index = self._counts(self.pattern), self._counts(self.state.names.alias)
        removed = again = 0
        for copy in sorted(self._copies()):
            if copy not in theirs:
                removed += ours.get(copy, 0)
                self.server.tell("DELETE", f"/{copy}", accept=[404])
            elif ours.get(copy, 0) != whole_index.get(theirs[copy], 0):
                removed += self._strays(copy, theirs[copy])
        if ours == {
            copy: whole_index[index] for copy, index in theirs.items() if index in whole_index
        }:
            return removed, again
        self.server.tell("POST", f"/{self.pattern}/_refresh")
        ours = self._counts(self.pattern)
        for mark, until in self._checkpoints(indices).items():
            index = mark[0].partition("/")[0]
            # More came meanwhile: no wonder that the counts differ, and the next call sees to it.
            if until == done.get(mark) and ours.get(self._month(index), 0) < whole_index.get(
                index, 0
            ):
                marks[mark] = NONE
                again += self._shard(marks, mark, until, None)
        return removed, again

    def _strays(self, copy: str, index: str) -> int:
        gone = 0
        for hits in self._pages(copy):
            there = {hit["_id"] for hit in self._by_id(index, [hit["_id"] for hit in hits])}
            actions = [
                Action(copy, hit["_id"], int(hit["_version"]), None)
                for hit in hits
                if hit["_id"] not in there
            ]
            gone += sum(outcome.fate == "deleted" for outcome in self.bulk.send(actions))
        return gone

    def _pages(self, index: str) -> Iterator[list[dict[str, Any]]]:
        """All ids of a copy; one primary, so `_seq_no` is an order without ties."""
        since = NONE
        while True:
            hits = self._read_ids(index, since)
            if hits:
                yield hits
                since = int(hits[-1]["sort"][0])
            if len(hits) < PAGE:
                return

    def _read_ids(self, index: str, since: int) -> list[dict[str, Any]]:
        body = {"query": {"range": {"_seq_no": {"gt": since}}}, "sort": [{"_seq_no": "asc"}],
                "size": PAGE, "version": True, "_source": False}  # fmt: skip
        return list(self.server.search(index, body)["hits"]["hits"])

    def _by_id(self, target: str, ids: Sequence[str]) -> list[dict[str, Any]]:
        body = {"query": {"ids": {"values": list(ids)}}, "size": 10_000, "_source": False}
        return list(self.server.search(target, body)["hits"]["hits"])

    def _counts(self, target: str) -> dict[str, int]:
        """Documents by index; one without any is not named."""
        by_index = {"terms": {"field": "_index", "size": 10_000}}
        body = {"size": 0, "track_total_hits": False, "aggs": {"indices": by_index}}
        found = self.server.search(target, body).get("aggregations", {"indices": {"buckets": []}})
        return {b["key"]: int(b["doc_count"]) for b in found["indices"]["buckets"]}

    def _checkpoints(self, indices: Sequence[str]) -> dict[Mark, int]:
        """Per primary shard the operation up to which nothing can be lost or change its order."""
        path = f"/{','.join(indices)}/_stats/docs"
        found = self.server.ask("GET", path, params={"level": "shards"})["indices"]
        return {
            (f"{index}/{facts['uuid']}", number): int(shard["seq_no"]["global_checkpoint"])
            for index, facts in sorted(found.items(), reverse=True)  # the newest month first
            for number, copies in facts["shards"].items()
            for shard in copies
            if shard["routing"]["primary"]
        }

    def _marks(self) -> dict[Mark, int]:
        """What was copied before; a copy of another layout is thrown away and begun again."""
        kept = self.state.read(RECORD).get("_source", {})
        if kept.get("version") != PUBLIC_VERSION:
            if copies := self._copies():
                self.server.tell("DELETE", f"/{','.join(copies)}")
            self._declare()
            self._keep({})
            return {}
        return {(m["index"], m["shard"]): int(m["done"]) for m in kept["marks"]}

    def _keep(self, marks: Mapping[Mark, int]) -> None:
        rows = [{"index": i, "shard": s, "done": done} for (i, s), done in sorted(marks.items())]
        self.state.write(RECORD, {"version": PUBLIC_VERSION, "marks": rows})

    def _copies(self) -> list[str]:
        """Months of the copy that are there."""
        found = self.server.ask("GET", f"/{self.pattern}/_alias")
        return sorted(found)

    def _month(self, index: str) -> str:
        """The copy's index for a month's index, `…-v3-1-2026.11` or `…-before-2015`."""
        rest = index.removeprefix(self.state.names.template("")).split("-", 2)[2]
        return f"{self.alias}-{rest}"

    def _declare(self) -> None:
        body = {
            "index_patterns": [self.pattern],
            "priority": 500,
            "_meta": {"public_version": PUBLIC_VERSION},
            "template": {
                "settings": {
                    "number_of_shards": 1,
                    "number_of_replicas": 0,
                    "auto_expand_replicas": f"0-{self.server.settings.replicas}",
                    "refresh_interval": "30s",
                    "codec": "best_compression",
                },
                "mappings": mapping(),
                "aliases": {self.alias: {}},
            },
        }
        self.server.tell("PUT", f"/_index_template/{self.alias}", body)
