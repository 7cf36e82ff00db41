"""A new edition beside the one that is read, and the swap: nobody sees an error or a lower count.

In:  batches of Mentions. Out: the new edition behind the read alias. What is done stands on the
server from its begin and after each batch, so that a killed rebuild goes on where it was, and so that
loads beside it write into both editions. Batches that a load began before are added after the swap.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from index.admit import admit
from index.answers import LoadReport
from index.elastic_client import Server
from index.elastic_mapping import VERSION
from index.elastic_state import Edition, State
from index.elastic_write import Writer
from keqing.errors import IndexFault
from keqing.records import Mention

SAMPLE = 1_000
PROGRESS = "rebuild"


class Rebuild:
    """One rebuild, begun or gone on with."""

    def __init__(self, server: Server, now: datetime) -> None:
        self.server, self.state = server, State(server)
        self.state.behind()  # a question first: an address that does not answer is told at once
        self.state.prepare()
        kept = self.state.read(PROGRESS).get("_source", {})
        going = being_made(self.state)
        self.edition = going or self._next()
        self.done: set[str] = set(kept["done"]) if going else set()
        self.state.make(self.edition, live=self._is_read())
        self._keep(swapped=self._is_read(), now=now)

    def add(self, batch_id: str, mentions: Sequence[Mention], now: datetime) -> LoadReport:
        """Write one batch into the new edition, then that it is done."""
        documents, refused = admit(mentions)
        # A new writer each time, since loads beside the rebuild write there too.
        report = Writer(self.server, self.edition).write(documents)
        self.done.add(batch_id)
        self._keep(swapped=self._is_read(), now=now)
        return report + LoadReport(received=len(refused), rejected=tuple(refused))

    def swap(self, now: datetime) -> None:
        """Put the new edition behind the read alias in one step.

        Raises:
            IndexFault: documents of the old edition are missing in the new one; nothing is swapped.
        """
        names = self.state.names
        self.server.tell("POST", f"/{names.pattern(self.edition.name)}/_refresh")
        if self._is_read():
            return
        for old in self.state.behind():
            self._compare(old)
            self.state.declare(old, live=False)  # a month that is new now is no answer any more
        self.state.declare(self.edition, live=True)
        leave = [{"remove": {"index": i, "alias": names.alias}} for i in self.state.indices()]
        enter = {"add": {"index": names.pattern(self.edition.name), "alias": names.alias}}
        self.server.tell("POST", "/_aliases", {"actions": [*leave, enter]})
        self._keep(swapped=True, now=now)
        self.state.moved()

    def _is_read(self) -> bool:
        return self.state.behind() == [self.edition]

    def _next(self) -> Edition:
        same = [e.number for e in self.state.editions() if e.version == VERSION]
        return Edition(VERSION, max(same, default=0) + 1)

    def _keep(self, *, swapped: bool, now: datetime) -> None:
        body = {
            "edition": self.edition.name,
            "done": sorted(self.done),
            "swapped": swapped,
            "at": now.isoformat(),
        }
        self.state.write(PROGRESS, body)

    def _compare(self, old: Edition) -> None:
        """The new edition has as many documents, and those of a random sample of the old one."""
        before, after = (self.state.names.pattern(e.name) for e in (old, self.edition))
        self.server.tell("POST", f"/{before}/_refresh")
        counts = [int(self.server.ask("GET", f"/{p}/_count")["count"]) for p in (before, after)]
        # `tie` is a hash of the id: the lowest ties are a sample that nobody chose.
        # The id from its column: that is there in every version of the layout.
        body = {"size": SAMPLE, "sort": ["tie"], "_source": False, "docvalue_fields": ["id"],
                "track_total_hits": False}  # fmt: skip
        hits = self.server.search(before, body)["hits"]["hits"]
        sample = {hit["_id"]: hit["fields"]["id"][0] for hit in hits}
        wanted = {"query": {"ids": {"values": list(sample)}}, "size": 10_000, "_source": False}
        there = {hit["_id"] for hit in self.server.search(after, wanted)["hits"]["hits"]}
        lost = sorted(set(sample) - there)
        if lost or counts[1] < counts[0]:
            shown = ", ".join(sample[id_] for id_ in lost[:3])
            raise IndexFault(
                f"{self.edition.name} has {counts[1]:,} documents, {old.name} has {counts[0]:,}; "
                f"missing of a sample: {len(lost)} {shown}. Nothing is swapped; find the Mention "
                "files of these posts, then run keqing rebuild again"
            )


def being_made(state: State) -> Edition | None:
    """The edition of a rebuild of this version that is not swapped yet."""
    kept = state.read(PROGRESS).get("_source", {})
    if not kept or kept["swapped"]:
        return None
    edition = Edition.of(kept["edition"])
    return edition if edition.version == VERSION else None


def forget_replaced(state: State, before: datetime) -> list[str]:
    """Delete editions that were replaced before a moment; gives their names."""
    kept = state.read(PROGRESS).get("_source", {})
    if not kept.get("swapped") or datetime.fromisoformat(kept["at"]) >= before:
        return []
    current = state.current()
    gone = [e for e in state.editions() if e != current and e.name != kept["edition"]]
    for edition in gone:
        pattern = state.names.pattern(edition.name)
        found = state.server.ask("GET", f"/{pattern}/_settings")
        if found:
            state.server.tell("DELETE", f"/{','.join(found)}")
        state.server.tell("DELETE", f"/_index_template/{state.names.template(edition.name)}")
    return [edition.name for edition in gone]
