"""数据健康: whether what the other pages show can be trusted.

In:  the run ledger, the outbox, the index. Out: a Health. An absence is an alert: a stage that never
ran and a source without sight are shown as such, never as calm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from dashboards.access import Needs, Visitor
from dashboards.frame import frame_of
from dashboards.lights import Light, lights
from dashboards.render import page, twin
from dashboards.site import Site, site_of
from keqing.errors import IndexFault
from keqing.workflow import outbox, runs
from keqing.workflow.accounts import Role
from keqing.workflow.db import read
from keqing.workflow.runs import Run

STAGES = ("crawl", "import", "score", "load", "check", "notify")
router = APIRouter()
Viewer = Annotated[Visitor, Depends(Needs(Role.VIEWER))]


@dataclass(frozen=True)
class Stage:
    """The newest run of a stage; None if it never ran."""

    name: str
    run: Run | None
    took_s: float | None


@dataclass(frozen=True)
class Health:
    """The whole line; `index` holds `ok`, `documents`, `bytes`, or `fault`."""

    lights: tuple[Light, ...]
    stages: tuple[Stage, ...]
    outbox: dict[str, int]
    index: dict[str, Any]
    latest: datetime | None
    plan: str


def answer(site: Site, now: datetime) -> Health:
    """The line as of now; an index that is down is part of the answer."""
    with read(site.engine) as tx:
        newest = {name: runs.last(tx, name, limit=1) for name in STAGES}
        waiting = outbox.tally(tx)
    try:
        state, latest = site.index.health(), site.index.latest()
    except IndexFault as error:
        state, latest = {"ok": False, "fault": type(error).__name__}, None
    stages = tuple(_stage(name, found[0] if found else None) for name, found in newest.items())
    return Health(lights(site, now), stages, waiting, state, latest, site.settings.config_hash)


@router.get("/health.json")
def as_json(request: Request, visitor: Viewer) -> Response:
    """The page's numbers."""
    site = site_of(request)
    return twin(answer(site, site.now()))


@router.get("/health")
def show(request: Request, visitor: Viewer) -> Response:
    """The page."""
    site = site_of(request)
    view = answer(site, site.now())
    return page(request, "health.html", frame=frame_of(site, visitor), view=view)


def _stage(name: str, run: Run | None) -> Stage:
    if run is None or run.ended_at is None:
        return Stage(name, run, None)
    return Stage(name, run, (run.ended_at - run.started_at).total_seconds())
