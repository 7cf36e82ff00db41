"""人工修正 of an event: it is another one, a part of it is, or it has a better name.

In:  an event's id and what an analyst says of it. Out: a row that every later run obeys, one of the audit
trail, and the events as they are from then on; what cannot be is refused with its reason on the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from starlette.responses import RedirectResponse

from dashboards.access import Needs, Visitor, check_form
from dashboards.filters import any_of
from dashboards.frame import frame_of
from dashboards.pages.events import answer, seen
from dashboards.render import in_lang, lang_of, page
from dashboards.site import Site, site_of
from index.newest import newest_mentions
from index.query import Node
from keqing.untrusted import clean
from keqing.workflow import event_history, event_links, events, overlay, trail
from keqing.workflow.accounts import Role
from keqing.workflow.db import Tx, begin
from keqing.workflow.event_links import Link, Refused
from keqing.workflow.events import Event
from nlp.linked import obey

AT_ONCE = 500  # posts put into the index again in one go
router = APIRouter()
Analyst = Annotated[Visitor, Depends(Needs(Role.ANALYST))]
Text = Annotated[str, Form(max_length=200)]
Stories = Annotated[list[str] | None, Form(max_length=200)]


@router.post("/events/{id}/merge")
def merge(
    request: Request, visitor: Analyst, id: str, into: Text = "", csrf: Text = ""
) -> Response:
    """Say that this event is the one named; the elder id lives, the other leads to it."""
    check_form(request, visitor.token, csrf)
    site = site_of(request)
    event = seen(site, visitor, id)
    try:
        with begin(site.engine) as tx:
            other = _named(tx, visitor, into.strip())
            link = event_links.merge(tx, event.id, other, by=visitor.user.name, now=site.now())
            _obey(tx, site, visitor, link, event.id)
    except Refused as refused:
        return _refused(request, visitor, event, refused.code)
    with begin(site.engine) as tx:
        lives = event_history.living(tx, event.id)
    return RedirectResponse(in_lang(f"/events/{lives}", lang_of(request)), 303)


@router.post("/events/{id}/split")
def split(
    request: Request, visitor: Analyst, id: str, story: Stories = None, name: Text = "",
    csrf: Text = "",
) -> Response:  # fmt: skip
    """Say that these stories are another event; its page comes next."""
    check_form(request, visitor.token, csrf)
    site = site_of(request)
    event = seen(site, visitor, id)
    chosen = tuple(dict.fromkeys(story or ()))
    try:
        with begin(site.engine) as tx:
            by, now = visitor.user.name, site.now()
            link = event_links.split(tx, event.id, chosen, clean(name), by=by, now=now)
            _obey(tx, site, visitor, link, event.id)
            part = events.of_stories(tx, {(event.brand, chosen[0])})[event.brand, chosen[0]]
    except Refused as refused:
        return _refused(request, visitor, event, refused.code)
    _show_again(site, any_of("story", chosen))
    return RedirectResponse(in_lang(f"/events/{part}", lang_of(request)), 303)


@router.post("/events/{id}/name")
def rename(
    request: Request, visitor: Analyst, id: str, name: Text = "", csrf: Text = ""
) -> Response:
    """Give the event a name; an empty one gives it back to its words."""
    check_form(request, visitor.token, csrf)
    site = site_of(request)
    event = seen(site, visitor, id)
    try:
        with begin(site.engine) as tx:
            by, now = visitor.user.name, site.now()
            link = event_links.rename(tx, event.id, clean(name), by=by, now=now)
            _obey(tx, site, visitor, link, event.id)
    except Refused as refused:
        return _refused(request, visitor, event, refused.code)
    return RedirectResponse(in_lang(f"/events/{event.id}", lang_of(request)), 303)


def _named(tx: Tx, visitor: Visitor, id_: str) -> str:
    """An event that the visitor may know of; of others it is as if there were none."""
    living = event_history.living(tx, id_)
    found = events.get(tx, [living]).get(living)
    if found is None or not visitor.user.sees(found.brand):
        raise Refused("unknown")
    return id_


def _obey(tx: Tx, site: Site, visitor: Visitor, link: Link, event: str) -> None:
    now = site.now()
    obey(tx, [link.brand], int(now.timestamp()))
    what = f"event {link.kind} {link.name or ' '.join(link.others)}"[:200]
    trail.record(tx, visitor.user.name, what.strip(), event, visitor.address, "ok", now)


def _refused(request: Request, visitor: Visitor, event: Event, code: str) -> Response:
    site = site_of(request)
    view = answer(site, visitor, seen(site, visitor, event.id))
    frame = frame_of(site, visitor)
    return page(request, "event.html", 422, frame=frame, view=view, refused=code)


def _show_again(site: Site, which: Node) -> None:
    """Put posts into the index with the event that they have now."""
    ids = [hit.id for hit in site.index.export(which, None, site.now())]
    for part in _parts(ids):
        found = newest_mentions(site.settings, site.engine, part)
        site.index.upsert(overlay.shown(site.engine, list(found.values())), site.now())
    site.index.refresh()


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE)]
