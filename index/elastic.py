"""The server engine: Elasticsearch 9, or OpenSearch, behind the same questions as the embedded one.

In:  a Server, Mentions, questions. Out: answers of `index.answers`. The work stands in the modules
elastic_*; this one puts them together. What is stored is seen after `refresh`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from index.admit import Refused, admit
from index.answers import (
    Bucket,
    Count,
    Hit,
    Keyword,
    LoadReport,
    SearchPage,
    Series,
    Similar,
    Sort,
    Window,
)
from index.ast import All, Node
from index.document import Document
from index.elastic_bulk import Action, Bulk
from index.elastic_client import Server
from index.elastic_content import COLUMNS, FIELD
from index.elastic_document import answer, document_id, tag_value
from index.elastic_export import every
from index.elastic_mapping import Names
from index.elastic_merge import merged, settle
from index.elastic_months import drop_before
from index.elastic_pages import Pages
from index.elastic_query import Query, where
from index.elastic_questions import keywords, series, values
from index.elastic_rebuild import Rebuild, being_made, forget_replaced
from index.elastic_rows import NEWEST
from index.elastic_similar import nearest
from index.elastic_snapshot import take
from index.elastic_state import Edition, State
from index.elastic_write import Writer
from index.fields import check_counted
from index.retention import kept_since
from keqing.records import Mention

HEALTHY = ("green", "yellow")
ASKED = 1_000  # ids of one request
ADMITTED = 250  # documents made ready at once, while the server stores those before
STANDING = {"_source": False, "version": True}  # which document it is, not what it says
KEPT = timedelta(days=7)  # a replaced edition, in case the new one is wrong


class ElasticEngine:
    """IndexEngine on a server."""

    def __init__(self, server: Server) -> None:
        self.server, self.names = server, Names(server.settings.name)
        self.state = State(server)
        self._pages = Pages(server, self.names.alias)
        self._edition: Edition | None = None
        self._unseen = False
        self._writer: Writer | None = None
        self._generation: int | None = None  # the answers' generation after our last load

    def upsert(self, mentions: Sequence[Mention], now: datetime) -> LoadReport:
        """Store mentions; a refused one is reported, the others go in.

        Raises:
            IndexFault: the server did not take them all; a repetition completes it.
        """
        self._edition = self.state.current()
        before = self.state.generation()
        # What a rebuild is making gets every load too, and first: no count falls when it is swapped.
        making = self._being_made()
        moved = making is not None and _changed(self._load(Writer(self.server, making), mentions))
        report = self._load(self._own_writer(before), mentions)
        if moved or _changed(report):
            self._unseen = True
            self._alone_until(self.state.moved(), before)
        return report

    def _load(self, writer: Writer, mentions: Sequence[Mention]) -> LoadReport:
        refused: list[Refused] = []
        report = writer.write(_admitted(mentions, refused))
        return report + LoadReport(received=len(refused), rejected=tuple(refused))

    def _own_writer(self, generation: int) -> Writer:
        """The last writer, with what it remembers, if nobody else has loaded or erased since."""
        kept = self._writer
        if kept is None or kept.edition != self._edition or self._generation != generation:
            kept = Writer(self.server, self.state.current())
        self._writer, self._generation = kept, generation
        return kept

    def _alone_until(self, generation: int, before: int) -> None:
        """Ours is the next generation, or others have come between and their copies must be seen."""
        self._generation = generation if generation == before + 1 else None

    def refresh(self) -> None:
        """Make everything stored so far visible, then say that answers moved."""
        if (making := self._being_made()) is not None:
            self.server.tell("POST", f"/{self.names.pattern(making.name)}/_refresh")
        self.server.tell("POST", f"/{self._target()}/_refresh")
        if self._unseen:
            self.state.moved()
            self._unseen = False

    def close(self) -> None:
        """Let go of the connections."""
        self.server.close()

    def search(
        self,
        node: Node,
        window: Window | None,
        sort: Sort = "time",
        size: int = 20,
        cursor: str | None = None,
        fold: bool = False,
    ) -> SearchPage:
        """One page; `fold` shows one post a story, `detail["similar"]` counts its copies."""
        self._target()
        query = where(node, window)
        page = self._pages.page(
            query, sort, size, cursor, fold, one_month=self._in_one_month(window)
        )
        hits = tuple(answer(hit, node, copies) for hit, copies in page.rows)
        as_of = page.newest or datetime.fromtimestamp(0, UTC)
        return SearchPage(hits, page.total, page.cursor, as_of)

    def export(self, node: Node, window: Window | None, as_of: datetime) -> Iterator[Hit]:
        """Every match first seen before `as_of`, newest first, from one moment of the index."""
        seen: Query = {"range": {"first_seen_at": {"lt": int(as_of.timestamp() * 1000)}}}
        found = every(self.server, self._target(), where(node, window, seen))
        return (answer(hit, node) for hit in found)

    def count(self, node: Node, window: Window | None) -> Count:
        """Posts, and stories and voices within a few percent above 40,000."""
        self._target()
        return self._pages.total(where(node, window))

    def counts(
        self, brands: Sequence[str], window: Window, step_s: int, source: str | None = None
    ) -> dict[str, Series]:
        """Dense series per brand, steps aligned to +08:00."""
        return series(self.server, self._target(), brands, window, step_s, source)

    def counts_by(self, field: str, node: Node, window: Window | None) -> list[Bucket]:
        """Posts per value of a tag field, most first."""
        check_counted(field)
        found = values(self.server, self._target(), field, where(node, window))
        return sorted(found, key=lambda b: (-b.posts, b.value))

    def keywords(
        self, node: Node, window: Window | None, background: Window, size: int = 20
    ) -> list[Keyword]:
        """Words by JLH score."""
        return keywords(self.server, self._target(), where(node, window), background, size)

    def examples(self, node: Node, window: Window | None, n: int = 5) -> list[Hit]:
        """The riskiest posts of distinct stories."""
        return list(self.search(node, window, sort="risk", size=n, fold=True).hits)

    def similar(self, post_id: str, window: Window | None, size: int = 10) -> list[Similar]:
        """Posts of other stories about the same brand, likest first."""
        found = nearest(self.server, self._target(), post_id, window, size)
        return [Similar(answer(hit, All()), cosine) for hit, cosine in found]

    def document_alarms(self, window: Window, min_confidence: float) -> list[Hit]:
        """Posts about a brand with an asserted severity class, oldest first."""
        self._target()
        sure: list[Query] = [
            {"range": {"severe": {"gte": min_confidence}}},
            {"range": {"severe": {"gt": 0}}},
            {"term": {"timed": True}},
            {"exists": {"field": "facts.brands"}},
        ]
        oldest = [(f, "asc") for f in ("first_seen_at", "published_at", "tie", "id")]
        hits = self._pages.every(where(All(), window, *sure), oldest, FIELD)
        return [answer(hit, All()) for hit in hits]

    def latest(self) -> datetime | None:
        """Newest first sight."""
        self._target()
        return self._pages.latest()

    def generation(self) -> int:
        """Moves with every load that changed something."""
        return self.state.generation()

    def get(self, ids: Sequence[str]) -> list[Hit]:
        """Documents by id, in the order asked."""
        found: dict[str, Hit] = {}
        for at in range(0, len(ids), ASKED):
            asked = {**COLUMNS, "docvalue_fields": [FIELD, "id"]}
            for hit in self._by_ids(ids[at : at + ASKED], asked):
                found[document_id(hit["fields"]["id"][0])] = answer(hit, All())
        return [found[key] for id_ in ids if (key := document_id(id_)) in found]

    def erase_ids(self, ids: Sequence[str]) -> int:
        """Remove documents and merge what they leave behind."""
        target = self._target()
        self.server.tell("POST", f"/{target}/_refresh")
        gone = 0
        for at in range(0, len(ids), ASKED):
            gone += self._erase(self._by_ids(ids[at : at + ASKED], STANDING))
        if gone:
            self.server.tell("POST", f"/{target}/_refresh")
            self.server.tell("POST", f"/{target}/_flush")
            merged(self.server, target, {"only_expunge_deletes": "true"})
            self.state.moved()
        return gone

    def snapshot(self, folder: Path) -> Path:
        """Write what stands on the server; its bytes are copied by the server's own snapshots.

        With `[index] snapshots` a snapshot named after the folder is taken into that repository.
        """
        record = {**self.health(), "edition": self.state.current().name}
        if repository := self.server.settings.snapshots:
            record["snapshot"] = take(self.server, repository, self.names, folder.name)
        path = folder / "index.json"
        path.write_text(json.dumps(record, indent=1, sort_keys=True), encoding="utf-8")
        return path

    def find(self, field: Literal["author", "url"], value: str) -> list[str]:
        """Ids of the posts of an author (pseudonymous id) or at an address."""
        self._target()
        wanted = {"term": {field: tag_value(field, value) if field == "author" else value}}
        return sorted(hit["sort"][-1] for hit in self._pages.every(wanted, NEWEST))

    def tidy(self, now: datetime, months: int | None) -> int:
        """Drop months outside the last `months`, and editions that were replaced a week ago; merge
        what lies in pieces.
        """
        self._target()
        forget_replaced(self.state, now - KEPT)
        gone = 0 if months is None else drop_before(self.state, kept_since(now, months))
        settle(self.state)
        return gone

    def building(self, now: datetime) -> Rebuild:
        """A rebuild into a new edition, begun or gone on with."""
        return Rebuild(self.server, now)

    def health(self) -> dict[str, Any]:
        """State of the cluster, documents and bytes of our own indices."""
        wait = {"wait_for_status": "yellow", "timeout": "5s"}
        cluster = self.server.ask("GET", "/_cluster/health", params=wait, accept=[408])
        found = self.server.ask("GET", f"/{self._target()}/_stats/docs,store")
        total = found["_all"]["primaries"]
        return {
            "ok": cluster["status"] in HEALTHY,
            "documents": int(total.get("docs", {}).get("count", 0)),
            "bytes": int(total.get("store", {}).get("size_in_bytes", 0)),
            "check": f"cluster {cluster['status']}, {cluster['number_of_nodes']} nodes",
            "clock_ahead_s": self._clock_ahead(),
        }

    def _in_one_month(self, window: Window | None) -> bool:
        """Whether the posts of a window lie in one month's index."""
        if window is None or window.clock != "published":
            return False
        start, end = window.seconds()
        return self.names.month("", start) == self.names.month("", end - 1)

    def _being_made(self) -> Edition | None:
        """The edition of a rebuild that is not swapped yet."""
        making = being_made(self.state)
        return None if making == self._edition else making

    def _clock_ahead(self) -> float:
        """Seconds by which the server's clock is ahead of ours; negative if it is behind."""
        before = self.server.clock()
        found = self.server.ask(
            "GET", "/_nodes/stats/os", params={"filter_path": "nodes.*.timestamp"}
        )
        ours = (before + self.server.clock()) / 2
        ahead = [float(node["timestamp"]) / 1000 - ours for node in found["nodes"].values()]
        farthest: float = max(ahead, key=abs)
        return round(farthest, 1)

    def _target(self) -> str:
        """The read alias, after the first look at which edition stands behind it."""
        if self._edition is None:
            self._edition = self.state.current()
        return self.names.alias

    def _by_ids(self, ids: Sequence[str], asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        wanted = {"ids": {"values": [document_id(id_) for id_ in ids]}}
        body = {"query": wanted, "size": 10_000, **asked}
        return list(self.server.search(self._target(), body)["hits"]["hits"])

    def _erase(self, hits: Sequence[dict[str, Any]]) -> int:
        actions = [Action(hit["_index"], hit["_id"], int(hit["_version"]), None) for hit in hits]
        Bulk(self.server).send(actions)
        return len({action.id for action in actions})


def _admitted(mentions: Sequence[Mention], refused: list[Refused]) -> Iterator[Document]:
    """Documents that may be stored, made as they are needed; `refused` takes the others."""
    for at in range(0, len(mentions), ADMITTED):
        documents, bad = admit(mentions[at : at + ADMITTED])
        refused += bad
        yield from documents


def _changed(report: LoadReport) -> bool:
    return bool(report.created or report.changed)
