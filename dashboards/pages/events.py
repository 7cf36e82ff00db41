"""事件: what is being talked of, as happenings instead of posts; one happening with its way and posts.

In:  a Question, or an event's id. Out: Rows of events; an event with its way over platforms, the
posts that stand for it, its worst posts, its words, and what it was merged with or split from. What staff say
of it is event_links' work.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
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
from keqing.untrusted import clean
from keqing.workflow import event_history, event_links, events, spread
from keqing.workflow.accounts import Role
from keqing.workflow.db import Tx, read

WORST, WORDS = 5, 8
OTHERS, STORIES, CHANGES = 30, 40, 12  # offered to merge with, to take out; shown of its past
EXCERPT = 60
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
    """The event took `other` over (merge), or `other` was split from it, or it from `other`; `by` staff."""

    kind: str  # merged, split_off, split_from, renamed
    other: str
    at: datetime
    by: str = ""  # "" = found by itself
    name: str = ""


@dataclass(frozen=True)
class Choice:
    """An event that this one may be the same as, or a story that may be taken out of it."""

    id: str
    words: str
    at: datetime


@dataclass(frozen=True)
class Event:
    """The page's model; its counts are of its whole life."""

    row: Row
    stars: tuple[Card, ...]
    worst: tuple[Card, ...]
    words: tuple[Bar, ...]
    changes: tuple[Change, ...]
    named: bool  # by staff
    others: tuple[Choice, ...]  # what may be said of it by this visitor: nothing by a viewer
    stories: tuple[Choice, ...]


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
        ids = event_history.aliases(tx, event.id)
        way = spread.of_events(tx, [event.id]).get(event.id, [])
        past = _past(tx, event.id, ids)
        beside = events.beside(tx, event, OTHERS) if visitor.user.may(Role.ANALYST) else []
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
        changes=tuple(past[-CHANGES:]),
        named=event.named,
        others=tuple(Choice(one.id, clean(one.name), _moment(one.last_at_s)) for one in beside),
        stories=_stories(site, event, ids, window) if visitor.user.may(Role.ANALYST) else (),
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
    return twin(answer(site, visitor, seen(site, visitor, id)))


@router.get("/events/{id}")
def show(request: Request, visitor: Viewer, id: str) -> Response:
    """One event; an id that it had before a merge leads to it."""
    site = site_of(request)
    event = seen(site, visitor, id)
    if event.id != id:
        return RedirectResponse(in_lang(f"/events/{event.id}", lang_of(request)), 303)
    view = answer(site, visitor, event)
    return page(request, "event.html", frame=frame_of(site, visitor), view=view, refused="")


def seen(site: Site, visitor: Visitor, id_: str) -> events.Event:
    """An event that the visitor may see, under an id that it has or had.

    Raises:
        HTTPException: 404, there is none, or it is of another's brand.
    """
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


def _past(tx: Tx, id_: str, ids: Sequence[str]) -> list[Change]:
    """What happened to an event, oldest first; what staff did with who did it."""
    said = event_links.of_event(tx, ids)
    who = {(one.link.kind, one.event, one.other): one.link.by for one in said}
    found = [
        Change(*_seen_from(id_, one), _moment(one.at_s), who.get((one.kind, one.event, one.other), ""))
        for one in event_history.history(tx, id_)
    ]  # fmt: skip
    names = [
        Change("renamed", "", one.link.at, one.link.by, clean(one.link.name))
        for one in said if one.link.kind == event_links.RENAME
    ]  # fmt: skip
    return sorted(found + names, key=lambda change: change.at)


def _seen_from(id_: str, one: event_history.Change) -> tuple[str, str]:
    if one.kind == "merge":
        return "merged", one.other
    return ("split_off", one.other) if one.event == id_ else ("split_from", one.event)


def _stories(
    site: Site, event: events.Event, ids: Sequence[str], window: Window
) -> tuple[Choice, ...]:
    """Stories that may be taken out, newest first: all but the one that names the event."""
    hits = site.index.search(about_event(ids), window, size=STORIES, fold=True).hits
    return tuple(
        Choice(hit.story, clean(hit.title or hit.text or "")[:EXCERPT], hit.published_at)
        for hit in hits if hit.story != event.first_story
    )  # fmt: skip


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
