"""Bulk calls that give way: smaller when the server is busy, patient, and exact about what failed.

In:  Actions in order. Out: one Outcome each. A busy server (429) halves the chunk and is asked again
after a pause; a document that the mapping refuses is named and holds back nobody. What the server
would not take in the end is an error, so that a batch counts as loaded only when it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from index.elastic_client import PASSING, Patience, Server, packed
from index.elastic_faults import reason
from keqing.errors import IndexBusy, IndexFault, IndexForbidden, IndexRejected, IndexUnavailable

MOST, FEWEST = 500, 50  # documents of one call
MOST_BYTES = 10 * 1024 * 1024
DEADLINE_S = 600.0

Fate = Literal["created", "updated", "deleted", "stale", "absent", "refused"]


class Action(msgspec.Struct, frozen=True):
    """One line pair of a bulk call; `source` is None for a deletion."""

    index: str
    id: str
    version: int
    source: bytes | None

    def lines(self) -> list[bytes]:
        """What is sent. `external_gte`: the same snapshot may come again, an older one may not."""
        head = {"_index": self.index, "_id": self.id, "version": self.version,
                "version_type": "external_gte"}  # fmt: skip
        if self.source is None:
            return [packed({"delete": head})]
        return [packed({"index": head}), self.source]


class Outcome(msgspec.Struct, frozen=True):
    """What became of an action; `why` is said for a refused one."""

    fate: Fate
    why: str = ""


TAKEN = {fate: Outcome(fate) for fate in ("created", "updated", "deleted")}


class Bulk:
    """Sends actions; remembers how much the server takes at once."""

    def __init__(self, server: Server, clock: Callable[[], float] = time.monotonic) -> None:
        self.server, self.size, self._clock = server, MOST, clock
        self.retried = 0

    def send(self, actions: Sequence[Action]) -> list[Outcome]:
        """Outcomes in the order of the actions.

        Raises:
            IndexBusy, IndexUnavailable, IndexForbidden: it did not take them, all tries included.
        """
        outcomes: dict[int, Outcome] = {}
        waiting = list(range(len(actions)))
        patience, tries, end = self.server.writing, 0, self._clock() + DEADLINE_S
        while waiting:
            chunk = self._chunk(actions, waiting)
            done, fault = self._try([actions[n] for n in chunk])
            outcomes |= {chunk[n]: outcome for n, outcome in done.items()}
            waiting = [n for n in waiting if n not in outcomes]
            if fault is None:
                self.size, tries = min(MOST, self.size + FEWEST), 0
                continue
            tries = 0 if done else tries + 1
            self._give_way(fault, len(chunk), tries, patience, end)
        return [outcomes[n] for n in range(len(actions))]

    def _give_way(
        self, fault: IndexFault, sent: int, tries: int, patience: Patience, end: float
    ) -> None:
        """Smaller chunks and a pause, or the fault if there is no sense in waiting."""
        smaller = isinstance(fault, _TooLarge) and sent > 1
        if not (fault.retry or smaller) or tries >= patience.tries or self._clock() > end:
            raise fault
        if isinstance(fault, IndexBusy | _TooLarge):
            self.size = max(1 if smaller else FEWEST, min(self.size, sent) // 2)
        self.retried += sent
        patience.pause(max(0, tries - 1))

    def _chunk(self, actions: Sequence[Action], waiting: list[int]) -> list[int]:
        chosen: list[int] = []
        size = 0
        for n in waiting[: self.size]:
            size += len(actions[n].source or b"") + 200
            if chosen and size > MOST_BYTES:
                break
            chosen.append(n)
        return chosen

    def _try(self, actions: Sequence[Action]) -> tuple[dict[int, Outcome], IndexFault | None]:
        """Outcomes by place of what is settled, and the fault that keeps the rest waiting."""
        try:
            answer = self.server.bulk([line for action in actions for line in action.lines()])
        except IndexRejected as error:
            if len(actions) == 1:
                return {0: Outcome("refused", str(error))}, None
            return {}, _TooLarge(str(error))
        except IndexFault as error:
            return {}, error
        items = answer.get("items", [])
        if len(items) != len(actions):
            return {}, IndexUnavailable(f"{len(items)} answers to {len(actions)} documents")
        done: dict[int, Outcome] = {}
        fault: IndexFault | None = None
        for n, item in enumerate(items):
            outcome = _outcome(next(iter(item.values())))
            if isinstance(outcome, Outcome):
                done[n] = outcome
            else:
                fault = outcome
        return done, fault


class _TooLarge(IndexFault):
    """The call as a whole is refused (413, 400): fewer documents may pass, or name the culprit."""


def _outcome(item: dict[str, Any]) -> Outcome | IndexFault:
    """What one item's status means."""
    status = int(item["status"])
    if status < 300:
        return TAKEN.get(item["result"], TAKEN["updated"])
    if status == 409:
        return Outcome("stale")
    kind, said = reason(item)
    if status == 404 and item.get("result") == "not_found":
        return Outcome("absent")
    if status == 429:
        full = "; free disk space on the server" if kind == "cluster_block_exception" else ""
        return IndexBusy(f"{item['_index']}: it takes no more ({said}){full}")
    if status in (401, 403) and kind != "cluster_block_exception":
        return IndexForbidden(f"{item['_index']}: a right is missing ({said})")
    if status in PASSING or status in (403, 404) or status >= 500:
        return IndexUnavailable(f"{item['_index']}: {status} {said}")
    return Outcome("refused", said)
