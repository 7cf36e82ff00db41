"""Upserts on a search server: the newest snapshot wins, in any order and however often it comes.

In:  Documents. Out: a LoadReport. What stands there is read first: an identical snapshot costs no
write, and a post whose time moved to another month leaves no copy behind. The version that the
server checks is the time of collection, so two writers cannot undo each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from index.answers import LoadReport
from index.document import COUNTERS, Document
from index.elastic_bulk import MOST, Action, Bulk, Outcome
from index.elastic_client import Server, packed
from index.elastic_document import document_id, stored
from index.elastic_mapping import Names
from index.elastic_state import Edition

Verdict = Literal["created", "changed", "unchanged", "same", "stale"]


@dataclass(frozen=True)
class Copy:
    """A document as it stands in one index."""

    index: str
    version: int
    sig: str
    counters: tuple[float | None, ...]


@dataclass
class Plan:
    """What is done with one document: one action in its month, deletions elsewhere."""

    doc: Document
    verdict: Verdict
    actions: list[Action]
    leaves: Copy | None = None


class Writer:
    """Writes into one edition."""

    def __init__(self, server: Server, edition: Edition) -> None:
        self.server, self.edition = server, edition
        self.names = Names(server.settings.name)
        self.bulk = Bulk(server)
        self._months: set[str] = set()
        self._written: dict[str, list[Copy]] = {}  # by this writer, maybe not visible yet

    def write(self, documents: Sequence[Document]) -> LoadReport:
        """Store documents in chunks.

        Raises:
            IndexFault: a chunk was not taken; those before it stand, a repetition completes it.
        """
        # A copy in another month is found by a search, and a search sees what was refreshed.
        self.server.tell("POST", f"/{self.names.pattern(self.edition.name)}/_refresh")
        total = LoadReport()
        for chunk in _chunks(documents):
            total = total + self._chunk(chunk)
        return total

    def _chunk(self, chunk: Sequence[Document]) -> LoadReport:
        standing = self._standing(chunk)
        plans = [self._plan(doc, standing.get(document_id(doc.id), [])) for doc in chunk]
        self._make_months(action.index for plan in plans for action in plan.actions)
        actions = [action for plan in plans for action in plan.actions]
        outcomes = iter(self.bulk.send(actions))
        came = [[next(outcomes) for _ in plan.actions] for plan in plans]
        for plan, fates in zip(plans, came, strict=True):
            if plan.leaves and not any(outcome.fate == "refused" for outcome in fates):
                self._written[document_id(plan.doc.id)] = [plan.leaves]
        return _report(plans, came)

    def _plan(self, doc: Document, copies: list[Copy]) -> Plan:
        month = self.names.month(self.edition.name, doc.published_at)
        newest = max(copies, key=lambda copy: (copy.version, copy.index == month), default=None)
        if newest is not None and doc.collected_at < newest.version:
            return Plan(doc, "stale", [])
        sig, counters = doc.signature, tuple(doc.counters[name] for name in COUNTERS)
        new = Copy(month, doc.collected_at, sig, counters)
        id_ = document_id(doc.id)
        gone = [Action(c.index, id_, doc.collected_at, None) for c in copies if c.index != month]
        if newest == new:
            return Plan(doc, "same", gone, new)
        verdict: Verdict = "created" if newest is None else "changed"
        if newest is not None and newest.sig == sig:
            verdict = "unchanged"
        # First the new copy, then the old one goes: a kill between leaves two, and the next load one.
        write = Action(month, id_, new.version, packed(stored(doc)))
        return Plan(doc, verdict, [write, *gone], new)

    def _standing(self, chunk: Sequence[Document]) -> dict[str, list[Copy]]:
        """Copies of these documents in all months."""
        ids = [document_id(doc.id) for doc in chunk]
        unknown = [id_ for id_ in ids if id_ not in self._written]
        found: dict[str, list[Copy]] = {i: self._written[i] for i in ids if i in self._written}
        body = {
            "query": {"ids": {"values": unknown}},
            "size": 10_000,
            "version": True,
            "_source": ["sig", *COUNTERS],
        }
        if unknown:
            answer = self.server.search(self.names.pattern(self.edition.name), body)
            for hit in answer["hits"]["hits"]:
                found.setdefault(hit["_id"], []).append(_copy(hit))
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


def _copy(hit: dict[str, Any]) -> Copy:
    source = hit["_source"]
    counters = tuple(source.get(name) for name in COUNTERS)
    return Copy(hit["_index"], int(hit["_version"]), source["sig"], counters)


def _chunks(documents: Sequence[Document]) -> Iterator[list[Document]]:
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
        stale = plan.verdict != "same" and any(outcome.fate == "stale" for outcome in came[:1])
        if refused:
            rejected.append((plan.doc.id, f"{plan.doc.id}: {refused[0]}"))
        else:
            fates.append("stale" if stale else plan.verdict)
    return LoadReport(
        received=len(plans),
        created=fates.count("created"),
        changed=fates.count("changed"),
        unchanged=fates.count("unchanged") + fates.count("same"),
        stale=fates.count("stale"),
        rejected=tuple(rejected),
    )
