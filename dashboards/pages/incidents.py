"""预警处置: what was detected, why, what is known, and who does what about it.

In:  incidents of the workflow store, acts of staff with the revision they saw. Out: list and detail.
An act on an older revision is refused with what happened in between (409), never overwritten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from starlette.responses import RedirectResponse

from dashboards.access import Needs, Visitor, check_form
from dashboards.charts import Chart, marked, step_for, volume_chart
from dashboards.clocks import Clock, clocks
from dashboards.filters import Filters
from dashboards.frame import Frame, frame_of, sees
from dashboards.render import in_lang, lang_of, page, twin
from dashboards.site import Site, site_of
from index.query import Window
from keqing.errors import Conflict, IllegalMove, IndexFault
from keqing.records import Incident, Level
from keqing.workflow import incidents, outbox, trail
from keqing.workflow.accounts import Role
from keqing.workflow.db import begin, read
from keqing.workflow.incident_log import LogRow, log_of
from keqing.workflow.incidents import LIVE
from keqing.workflow.moves import OPEN_CLOSES_ONLY, legal_acts
from keqing.workflow.outbox import OutboxRow

ID = re.compile(r"[0-9a-f]{8}")
STATES = {"live": LIVE, "closed": ("closed", "merged"), "all": None}
ACTS = ("ack", "handle", "watch", "close", "reopen")
REASONS = ("real", "false_positive", "not_ours", "duplicate")
BEFORE, AFTER = timedelta(hours=12), timedelta(hours=36)
router = APIRouter()
Viewer = Annotated[Visitor, Depends(Needs(Role.VIEWER))]
Responder = Annotated[Visitor, Depends(Needs(Role.RESPONDER))]
Text = Annotated[str, Form(max_length=128)]


@dataclass(frozen=True)
class Row:
    """One incident of the list with its clocks."""

    incident: Incident
    brand: str
    clocks: tuple[Clock, Clock]

    @property
    def next_clock(self) -> Clock | None:
        """The clock that runs now."""
        return next((clock for clock in self.clocks if clock.done_at is None), None)


@dataclass(frozen=True)
class Listed:
    """The list; `tally` counts all incidents that the visitor may see, by state."""

    rows: tuple[Row, ...]
    tally: dict[str, int]
    state: str
    level: str
    brand: str


@dataclass(frozen=True)
class Detail:
    """One incident; `chart` is None when the index cannot answer."""

    row: Row
    log: tuple[LogRow, ...]
    notices: tuple[OutboxRow, ...]
    acts: tuple[str, ...]
    reasons: tuple[str, ...]
    chart: Chart | None
    posts_url: str


def rows_of(site: Site, found: Iterable[Incident], now: datetime) -> tuple[Row, ...]:
    """Rows of the list: what must be done first stands first."""
    kept = list(found)
    with read(site.engine) as tx:
        logs = {i.id: log_of(tx, i.id) for i in kept}
    rows = [Row(i, site.brand_name(i.brand), clocks(i, logs[i.id], now)) for i in kept]
    return tuple(sorted(rows, key=_urgency))


def listed(site: Site, visitor: Visitor, state: str, level: str, brand: str) -> Listed:
    """The list in some states, of a level and a brand if given."""
    with read(site.engine) as tx:
        seen = [i for i in incidents.list_incidents(tx) if sees(visitor.user, i.brand)]
    states = STATES[state]
    kept = [
        i
        for i in seen
        if (states is None or i.state in states)
        and level in ("", i.level.value)
        and brand in ("", i.brand)
    ]
    tally = {name: sum(i.state == name for i in seen) for name in (*LIVE, "closed")}
    return Listed(rows_of(site, kept, site.now()), tally, state, level, brand)


def detail(site: Site, frame: Frame, id: str) -> Detail:
    """Everything about one incident.

    Raises:
        HTTPException: 404, no such incident within the visitor's brands.
    """
    found = _found(site, frame.visitor, id)
    now = site.now()
    with read(site.engine) as tx:
        log = tuple(log_of(tx, id))
        notices = tuple(outbox.notices_of(tx, id))
    legal = legal_acts(found.state) if frame.visitor.user.may(Role.RESPONDER) else ()
    opens = found.state == "open"
    row = Row(found, site.brand_name(found.brand), clocks(found, log, now))
    window = _window(found, now)
    return Detail(
        row=row,
        log=log,
        notices=notices,
        acts=tuple(act for act in ACTS if act in legal),
        reasons=OPEN_CLOSES_ONLY if opens else REASONS,
        chart=_chart(site, found, frame, window),
        posts_url=Filters().url(
            "/mentions", brand=(found.brand,), since=window.start, until=window.end
        ),
    )


@router.get("/incidents.json")
def as_json(
    request: Request, visitor: Viewer, state: str = "live", level: str = "", brand: str = ""
) -> Response:
    """The list's numbers."""
    return twin(listed(site_of(request), visitor, *_checked(state, level), brand))


@router.get("/incidents")
def show_list(
    request: Request, visitor: Viewer, state: str = "live", level: str = "", brand: str = ""
) -> Response:
    """The list."""
    site = site_of(request)
    view = listed(site, visitor, *_checked(state, level), brand)
    return page(request, "incidents.html", frame=frame_of(site, visitor), view=view)


@router.get("/incidents/{id}")
def show_one(request: Request, visitor: Viewer, id: str) -> Response:
    """One incident."""
    return _page(request, visitor, id)


@router.post("/incidents/{id}/act")
def act(
    request: Request,
    visitor: Responder,
    id: str,
    act: Text = "",
    reason: Text = "",
    revision: Annotated[int, Form()] = 0,
    csrf: Text = "",
) -> Response:
    """Act on an incident; 409 with both versions when somebody was first."""
    site, user = site_of(request), visitor.user
    check_form(request, visitor.token, csrf)
    _found(site, visitor, id)
    if act not in ACTS or (act == "close" and reason not in REASONS):
        raise HTTPException(422)
    code = reason if act == "close" else ""
    try:
        with begin(site.engine) as tx:
            incidents.act(tx, id, act, user.name, code, revision, site.now())
            trail.record(tx, user.name, f"incident {act}", id, visitor.address, "ok", site.now())
    except Conflict:
        return _page(request, visitor, id, 409, "conflict", revision)
    except IllegalMove:
        return _page(request, visitor, id, 409, "illegal", revision)
    return RedirectResponse(in_lang(f"/incidents/{id}", lang_of(request)), 303)


def _page(
    request: Request,
    visitor: Visitor,
    id: str,
    status: int = 200,
    fault: str = "",
    revision: int = 0,
) -> Response:
    site = site_of(request)
    frame = frame_of(site, visitor)
    view = detail(site, frame, id)
    since = [row for row in view.log if row.revision > revision and row.who != incidents.SYSTEM]
    return page(
        request, "incident.html", status,
        frame=frame, view=view, fault=fault, seen=revision, since=since if fault else [],
        title=site.source_title,
    )  # fmt: skip


def _found(site: Site, visitor: Visitor, id: str) -> Incident:
    if not ID.fullmatch(id):
        raise HTTPException(404)
    with read(site.engine) as tx:
        found = incidents.get_incident(tx, id)
    if found is None or not sees(visitor.user, found.brand):
        raise HTTPException(404)
    return found


def _checked(state: str, level: str) -> tuple[str, str]:
    if state not in STATES or level not in ("", *Level):
        raise HTTPException(422)
    return state, level


def _urgency(row: Row) -> tuple[bool, int, float]:
    clock = row.next_clock
    left = clock.left_s if clock else -row.incident.opened_at.timestamp()
    return row.incident.state not in LIVE, -row.incident.level.rank if clock else 0, left


def _window(found: Incident, now: datetime) -> Window:
    start = found.started_at - BEFORE
    return Window(start, min(now, found.started_at + AFTER))


def _chart(site: Site, found: Incident, frame: Frame, window: Window) -> Chart | None:
    if found.scope.startswith("blind:"):
        return None
    step = step_for(window)
    try:
        grids = [site.index.counts([found.brand], window, step)[found.brand]]
    except IndexFault:
        return None
    gaps = frame.sight.unseen((), site.now())

    def link(start: datetime, end: datetime) -> str:
        return Filters().url("/mentions", brand=(found.brand,), since=start, until=end)

    dim = frame.sight.dim(())
    chart = volume_chart(grids, window, step, gaps, link, site.now(), dim)
    return marked(chart, grids[0].starts, [(found.opened_at, found.title, found.level.value)])
