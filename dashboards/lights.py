"""One light per source: whether it was seen lately, and what its last crawls said.

In:  the run ledger, the plan, `now`. Out: Lights. A source without a run is grey, never green.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboards.sight import saw
from dashboards.site import Site
from keqing.settings import SourceCard
from keqing.workflow import runs
from keqing.workflow.db import read
from keqing.workflow.runs import Run

NEWEST = 8
BLIND_AFTER = 2
SLACK = 3  # visits of the fastest target that may be missed before a source is late


@dataclass(frozen=True)
class Light:
    """`state`: healthy | late | blind | unknown; `lag_s` since the last good crawl."""

    source: str
    title: str
    state: str
    last_ok_at: datetime | None
    lag_s: float | None
    allowed_s: float
    runs: tuple[Run, ...]


def lights(site: Site, now: datetime) -> tuple[Light, ...]:
    """All sources of the plan, the worst first."""
    names = dict.fromkeys(target.source for target in site.settings.plan.watch.target)
    with read(site.engine) as tx:
        ledger = {name: runs.last(tx, "crawl", name, 200) for name in names}
    found = [_light(site, name, rows, now) for name, rows in ledger.items()]
    order = ("blind", "late", "unknown", "healthy")
    return tuple(sorted(found, key=lambda light: (order.index(light.state), light.source)))


def _light(site: Site, name: str, rows: list[Run], now: datetime) -> Light:
    ended = [run for run in rows if run.ended_at is not None]
    good = next((run.ended_at for run in ended if saw(run)), None)
    lag = (now - good).total_seconds() if good else None
    allowed = _allowed(site.settings.cards.get(name)).total_seconds()
    state = _state(ended, lag, allowed)
    return Light(name, site.source_title(name), state, good, lag, allowed, tuple(rows[:NEWEST]))


def _state(ended: list[Run], lag: float | None, allowed: float) -> str:
    if not ended:
        return "unknown"
    newest = ended[:BLIND_AFTER]
    if lag is None or (len(newest) == BLIND_AFTER and not any(saw(run) for run in newest)):
        return "blind"
    return "late" if lag > allowed else "healthy"


def _allowed(card: SourceCard | None) -> timedelta:
    return timedelta(minutes=SLACK * (card.schedule.high if card else 60))
