"""事件: what is being talked of, as happenings instead of posts; one happening with its way and posts.

In:  a Question, or an event's id. Out: Rows of events; an event with its way over platforms, the
posts that stand for it, its worst posts, its words, and what it was merged with or split from.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from dashboards import happenings
from dashboards.access import Needs, Visitor
from dashboards.ask import Question, asked_brands, question
from dashboards.cards import Card, card_of
from dashboards.filters import Filters
from dashboards.frame import frame_of, scope_of
from dashboards.happenings import Row, about_event
from dashboards.render import in_lang, lang_of, page, twin
from dashboards.shares import Bar, bars
from dashboards.site import Site, site_of
from index.query import Window
from keqing.workflow import events, spread
from keqing.workflow.accounts import Role
from keqing.workflow.db import read

WORST, WORDS = 5, 8
BACKGROUND = timedelta(days=14)
AFTER = timedelta(hours=1)  # of the last post: counts go up to then
router = APIRouter()
Viewer = Annotated[Visitor, Depends(Needs(Role.VIEWER))]


@dataclass(frozen=True)
class Listed:
    """The list's model."""

    window: Window
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Change:
    """The event took `other` over (merge), or `other` was split from it, or it from `other`."""

    kind: str  # merged, split_off, split_from
    other: str
    at: datetime


@dataclass(frozen=True)
class Event:
    """The page's model; its counts are of its whole life."""

    row: Row
    stars: tuple[Card, ...]
    worst: tuple[Card, ...]
    words: tuple[Bar, ...]
    changes: tuple[Change, ...]


def listed(site: Site, asked: Question, visitor: Visitor) -> Listed:
    """Events of the asked brands in the asked window.

    Raises:
        IndexFault: the index cannot answer.
    """
    brands = asked_brands(asked, site, visitor)
    return Listed(asked.window, tuple(happenings.rows(site, asked.window, brands)))


def answer(site: Site, visitor: Visitor, event: events.Event) -> Event:
    """The page's model.

    Raises:
        IndexFault: the index cannot answer.
    """
    with read(site.engine) as tx:
        ids = events.aliases(tx, event.id)
        way = spread.of_events(tx, [event.id]).get(event.id, [])
        past = events.history(tx, event.id)
    start = min([event.first_at_s, *(one.first_at_s for one in way)])
    window = Window(
        datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(event.last_at_s, UTC) + AFTER
    )
    row = happenings.row(site, window, event, ids, way)
    found = {hit.id: hit for hit in site.index.get([star.post_id for star in event.stars])}
    stars = [card_of(hit, site, Filters()) for hit in found.values()]
    worst = site.index.examples(about_event(ids), window, WORST + len(stars))
    return Event(
        row=row,
        stars=tuple(stars),
        worst=tuple(card_of(hit, site, Filters()) for hit in worst if hit.id not in found)[:WORST],
        words=_words(site, row, window),
        changes=tuple(_change(event.id, one) for one in past),
    )


@router.get("/events.json")
def list_as_json(request: Request, visitor: Viewer) -> Response:
    """The list's numbers."""
    site = site_of(request)
    return twin(listed(site, question(request, site, visitor), visitor))


@router.get("/events")
def show_list(request: Request, visitor: Viewer) -> Response:
    """The list."""
    site = site_of(request)
    asked = question(request, site, visitor)
    frame = frame_of(site, visitor)
    view = listed(site, asked, visitor)
    return page(request, "events.html", frame=frame, view=view, filters=asked.filters)


@router.get("/events/{id}.json")
def as_json(request: Request, visitor: Viewer, id: str) -> Response:
    """The event's numbers."""
    site = site_of(request)
    return twin(answer(site, visitor, _seen(site, visitor, id)))


@router.get("/events/{id}")
def show(request: Request, visitor: Viewer, id: str) -> Response:
    """One event; an id that it had before a merge leads to it."""
    site = site_of(request)
    event = _seen(site, visitor, id)
    if event.id != id:
        return RedirectResponse(in_lang(f"/events/{event.id}", lang_of(request)), 303)
    view = answer(site, visitor, event)
    return page(request, "event.html", frame=frame_of(site, visitor), view=view)


def _seen(site: Site, visitor: Visitor, id_: str) -> events.Event:
    with read(site.engine) as tx:
        event = happenings.find(tx, id_)
    scope = scope_of(visitor.user)
    if event is None or (scope is not None and event.brand not in scope):
        raise HTTPException(404)
    return event


def _words(site: Site, row: Row, window: Window) -> tuple[Bar, ...]:
    background = Window(window.start - BACKGROUND, window.start)
    found = site.index.keywords(about_event(row.ids), window, background, WORDS)
    links = dataclasses.replace(Filters(), since=window.start, until=window.end, event=row.ids)
    ranked = sorted(found, key=lambda k: (-k.count, k.word))
    return bars((k.word, k.count, links.url("/mentions", q=f'"{k.word}"')) for k in ranked)


def _change(id_: str, one: events.Change) -> Change:
    at = datetime.fromtimestamp(one.at_s, UTC)
    if one.kind == "merge":
        return Change("merged", one.other, at)
    return Change(
        *(("split_off", one.other) if one.event == id_ else ("split_from", one.event)), at
    )
