"""Upserts on a search server: the newest snapshot wins, in any order and however often it comes.

In:  Documents. Out: a LoadReport. What stands there is read first: an identical snapshot costs no
write, and a post whose time moved to another month leaves no copy behind. The version that the
server checks is the time of collection, so two writers cannot undo each other. While the server
stores two chunks, the next is looked up and made ready.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal

import msgspec

from index.answers import LoadReport
from index.document import COUNTERS, Document
from index.elastic_bulk import MOST, Action, Bulk, Outcome
from index.elastic_client import Server, packed
from index.elastic_document import document_id, stored
from index.elastic_mapping import Names
from index.elastic_state import Edition
from keqing.cycles import without_gc

Verdict = Literal["created", "changed", "unchanged", "same", "stale"]
# A search sees what was refreshed. What this writer stored since, it remembers; a refresh after each
# batch would cut the index into crumbs that the server has to merge.
REMEMBERED = 50_000
_counters = itemgetter(*COUNTERS)


class Copy(msgspec.Struct, frozen=True):
    """A document as it stands in one index."""

    index: str
    version: int
    sig: str
    counters: tuple[float | None, ...]


class Plan(msgspec.Struct):
    """What is done with one document: one action in its month, deletions elsewhere."""

    doc: Document
    verdict: Verdict
    actions: list[Action]
    leaves: Copy | None = None


@dataclass
class Sent:
    """A chunk on its way."""

    plans: list[Plan]
    outcomes: Future[list[Outcome]]
    ids: set[str]


class Writer:
    """Writes into one edition. It may be kept as long as nobody else writes there."""

    def __init__(self, server: Server, edition: Edition) -> None:
        self.server, self.edition = server, edition
        self.names = Names(server.settings.name)
        # One bulk at a time leaves a server of two cores half idle; each has its own patience.
        self.bulks = (Bulk(server), Bulk(server))
        self._sent = 0
        self._months: set[str] = set()
        self._known: dict[str, list[Copy]] = {}  # stored by this writer, maybe not visible yet
        self._looked = False

    def write(self, documents: Iterable[Document]) -> LoadReport:
        """Store documents in chunks; they are asked for as they are needed.

        Raises:
            IndexFault: a chunk was not taken; those before it stand, a repetition completes it.
        """
        total = LoadReport()
        flying: deque[Sent] = deque()
        with without_gc(), ThreadPoolExecutor(1 + len(self.bulks), "keqing-load") as pool:
            for chunk in _chunks(documents):
                # A post that flies is neither found nor remembered: its chunk must land first.
                while any(not sent.ids.isdisjoint(doc.id for doc in chunk) for sent in flying):
                    total = total + self._settled(flying.popleft())
                plans = self._planned(pool, chunk)
                if len(flying) == len(self.bulks):
                    total = total + self._settled(flying.popleft())
                flying.append(self._send(pool, plans))
            while flying:
                total = total + self._settled(flying.popleft())
        return total

    def _planned(self, pool: ThreadPoolExecutor, chunk: Sequence[Document]) -> list[Plan]:
        self._see()
        asked = pool.submit(self._found, [d.id for d in chunk if d.id not in self._known])
        for doc in chunk:
            _ = doc.signature  # reckoned while the server looks
        found = asked.result()
        return [self._plan(d, self._known.get(d.id) or found.get(d.id, [])) for d in chunk]

    def _see(self) -> None:
        """A copy in another month is found by a search: of what others stored, and of what is old."""
        if self._looked and len(self._known) < REMEMBERED:
            return
        self.server.tell("POST", f"/{self.names.pattern(self.edition.name)}/_refresh")
        self._known.clear()
        self._looked = True

    def _send(self, pool: ThreadPoolExecutor, plans: list[Plan]) -> Sent:
        actions = [action for plan in plans for action in plan.actions]
        self._make_months(action.index for action in actions)
        bulk = self.bulks[self._sent % len(self.bulks)]  # landed: those before it are taken in turn
        self._sent += 1
        return Sent(plans, pool.submit(bulk.send, actions), {p.doc.id for p in plans})

    def _settled(self, sent: Sent) -> LoadReport:
        """Wait for a chunk, remember what it left, and count it."""
        outcomes = iter(sent.outcomes.result())
        came = [[next(outcomes) for _ in plan.actions] for plan in sent.plans]
        for plan, fates in zip(sent.plans, came, strict=True):
            if plan.leaves and not any(outcome.fate == "refused" for outcome in fates):
                self._known[plan.doc.id] = [plan.leaves]
        return _report(sent.plans, came)

    def _plan(self, doc: Document, copies: list[Copy]) -> Plan:
        month = self.names.month(self.edition.name, doc.published_at)
        newest = max(copies, key=lambda copy: (copy.version, copy.index == month), default=None)
        id_ = document_id(doc.id)
        if newest is not None and doc.collected_at < newest.version:
            # Two writers at once may have left two copies; whoever sees them leaves one.
            return Plan(doc, "stale", _gone(id_, copies, newest.index, newest.version), newest)
        sig, counters = doc.signature, _counters(doc.counters)
        new = Copy(month, doc.collected_at, sig, counters)
        gone = _gone(id_, copies, month, doc.collected_at)
        if newest == new:
            return Plan(doc, "same", gone, new)
        verdict: Verdict = "created" if newest is None else "changed"
        if newest is not None and newest.sig == sig:
            verdict = "unchanged"
        # First the new copy, then the old one goes: a kill between leaves two, and the next load one.
        write = Action(month, id_, new.version, packed(stored(doc)))
        return Plan(doc, verdict, [write, *gone], new)

    def _found(self, ids: Sequence[str]) -> dict[str, list[Copy]]:
        """Copies of these posts in all months, from columns alone: no stored text is unpacked.

        Asked by the column of ids: for most, new ones, it costs the server half of what `_id` does.
        """
        if not ids:
            return {}
        body = {
            "query": {"bool": {"filter": {"terms": {"id": ids}}}},
            "size": 10_000,
            "sort": ["_doc"],
            "track_total_hits": False,
            "_source": False,
            "stored_fields": "_none_",
            "docvalue_fields": ["id", "collected_at", "sig", *COUNTERS],
        }
        found: dict[str, list[Copy]] = {}
        answer = self.server.search(self.names.pattern(self.edition.name), body)
        for hit in answer["hits"]["hits"]:
            found.setdefault(hit["fields"]["id"][0], []).append(_copy(hit))
        return found

    def _make_months(self, indices: Iterable[str]) -> None:
        """Make missing months by name: a cluster may forbid to make them by writing."""
        wanted = set(indices)
        if wanted - self._months:
            # To make what is there costs the master a tenth of a second, to list all is nothing.
            pattern = self.names.pattern(self.edition.name)
            self._months |= self.server.ask("GET", f"/{pattern}/_alias").keys()
        for index in sorted(wanted - self._months):
            self.server.create(index)
            self._months.add(index)


def _gone(id_: str, copies: Sequence[Copy], stays: str, version: int) -> list[Action]:
    return [Action(copy.index, id_, version, None) for copy in copies if copy.index != stays]


def _copy(hit: dict[str, Any]) -> Copy:
    values = {name: found[0] for name, found in hit["fields"].items()}
    counters = tuple(values.get(name) for name in COUNTERS)
    return Copy(hit["_index"], int(values["collected_at"]), values["sig"], counters)


def _chunks(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """At most 500 documents; no post twice in one chunk, or the second would not see the first."""
    chunk: dict[str, Document] = {}
    for doc in documents:
        if doc.id in chunk or len(chunk) == MOST:
            yield list(chunk.values())
            chunk = {}
        chunk[doc.id] = doc
    if chunk:
        yield list(chunk.values())


def _report(plans: Sequence[Plan], outcomes: Sequence[list[Outcome]]) -> LoadReport:
    fates: list[str] = []
    rejected: list[tuple[str, str]] = []
    for plan, came in zip(plans, outcomes, strict=True):
        refused = [outcome.why for outcome in came if outcome.fate == "refused"]
        writes = plan.verdict not in ("same", "stale")
        if refused:
            rejected.append((plan.doc.id, f"{plan.doc.id}: {refused[0]}"))
        elif writes and came[0].fate == "stale":
            fates.append("stale")
        else:
            fates.append(plan.verdict)
    return LoadReport(
        received=len(plans),
        created=fates.count("created"),
        changed=fates.count("changed"),
        unchanged=fates.count("unchanged") + fates.count("same"),
        stale=fates.count("stale"),
        rejected=tuple(rejected),
    )
