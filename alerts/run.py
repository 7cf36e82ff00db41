"""The stage `keqing check`: look at everything since the last check, open and lift incidents.

In:  settings, the workflow engine, the index, `now`. The caller writes the run ledger.
Out: a CheckReport. Ticks that were missed are walked, at most 24 h; a first check walks that day.
Each is told once, as it stands at the end of the walk; the same window again tells nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from alerts.assess import STALE, Proposal
from alerts.detect import STEP_S, load_thresholds
from alerts.documents import document_proposals
from alerts.health import (
    NO_BRAND,
    answers_again,
    blind_facts,
    blind_proposals,
    ended_runs,
    scope_of,
    sight_of,
)
from alerts.notices import Reason, queue_notices
from alerts.notify import NotifyReport, notify
from alerts.volume import volume_proposals
from index.query import IndexEngine
from keqing.logs import get_logger
from keqing.records import Incident, Record
from keqing.settings import Settings
from keqing.workflow import incidents, runs
from keqing.workflow.db import Engine, Tx, begin, read
from keqing.workflow.incidents import Change

__all__ = ["CheckReport", "NotifyReport", "check", "notify"]
log = get_logger(__name__)


class CheckReport(Record):
    """What a check did: ids of opened and changed incidents, blind sources."""

    brands: int
    ticks: int
    opened: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()
    queued: int = 0
    seconds: float = 0.0


def check(settings: Settings, engine: Engine, index: IndexEngine, now: datetime) -> CheckReport:
    """Open, join and lift incidents as of `now`, and queue what must be told."""
    begun = time.perf_counter()
    with read(engine) as tx:
        ticks = ticks_since(last_check(tx, now), now)
        ended = ended_runs(tx, settings)
        newest = _newest(incidents.list_incidents(tx), now)
    sight = sight_of(ended)
    proposals = volume_proposals(settings, index, load_thresholds(), ticks, newest, sight)
    proposals += document_proposals(settings, index, now, _known(engine), sight)
    proposals += blind_proposals(settings, ended, sight, now)
    told: list[tuple[str, Change, int]] = []
    with begin(engine) as tx:
        told += [_tell(tx, settings, proposal, now) for proposal in proposals]
        for source, last in ended.items():
            seen_by = [run.outcome for run in last[:1]]
            facts = blind_facts(settings.cards[source].title, seen_by, sight)
            if answers_again(last) and (queued := _recover(tx, settings, source, facts, now)):
                told.append(queued)
    return CheckReport(
        brands=sum(brand.ours for brand in settings.plan.brands.values()),
        ticks=len(ticks),
        opened=_ids(told, (Change.OPENED,)),
        updated=_ids(told, (Change.LEVEL_UP, Change.JOINED)),
        blind=sight.blind,
        queued=sum(n for _, _, n in told),
        seconds=round(time.perf_counter() - begun, 3),
    )


def last_check(tx: Tx, now: datetime) -> datetime | None:
    """Start of the newest check that ended well before `now`; None on a new installation."""
    done = [r for r in runs.last(tx, "check") if r.outcome == "ok" and r.started_at < now]
    return done[0].started_at if done else None


def ticks_since(last: datetime | None, now: datetime) -> list[datetime]:
    """Moments to look at, five minutes apart, oldest first; the last one is `now`."""
    start = max(last, now - STALE) if last else now - STALE
    n = max(0, int((now - start).total_seconds() // STEP_S))  # a clock set back: only now
    ticks = [now - timedelta(seconds=STEP_S * k) for k in range(n, -1, -1)]
    return ticks


def _newest(found: Sequence[Incident], now: datetime) -> dict[tuple[str, str], Incident]:
    """The newest incident of each brand and scope: a live one, or one of the last day."""
    kept = [i for i in found if i.state in incidents.LIVE or now - i.opened_at <= STALE]
    return {(i.brand, i.scope): i for i in sorted(kept, key=lambda i: (i.opened_at, i.id))}


def _known(engine: Engine) -> Callable[[str, str], set[str]]:
    def known(brand: str, scope: str) -> set[str]:
        with read(engine) as tx:
            return incidents.posts_of_scope(tx, brand, scope)

    return known


def _tell(tx: Tx, settings: Settings, proposal: Proposal, now: datetime) -> tuple[str, Change, int]:
    """Store one proposal and queue its notices in the same transaction."""
    seen = proposal.incident
    before = incidents.live_incident(tx, seen.brand, seen.scope)
    stored, change = incidents.observe(tx, seen, proposal.posts, now)
    queued = 0
    if change in (Change.OPENED, Change.LEVEL_UP):
        first = Reason.BLIND if seen.scope.startswith("blind:") else Reason.FIRST
        reason = first if change is Change.OPENED else Reason.LEVEL_UP
        previous = before.level if before else None
        queued = queue_notices(tx, settings, stored, reason, proposal.facts, now, previous)
    log.info("proposal", incident=stored.id, scope=seen.scope, change=change, queued=queued)
    return stored.id, change, queued


def _recover(
    tx: Tx, settings: Settings, source: str, facts: dict[str, object], now: datetime
) -> tuple[str, Change, int] | None:
    live = incidents.live_incident(tx, NO_BRAND, scope_of(source))
    if live is None:
        return None
    closed = incidents.recover(tx, live.id, now)
    queued = queue_notices(tx, settings, closed, Reason.BLIND_OVER, facts, now)
    return closed.id, Change.JOINED, queued


def _ids(told: Sequence[tuple[str, Change, int]], changes: tuple[Change, ...]) -> tuple[str, ...]:
    return tuple(id for id, change, _ in told if change in changes)
