"""研判依据: one post with everything that was read in it, and the posts most like it.

In:  the id of a post. Out: its Card, the reasons of each field, similar posts of other stories.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from dashboards.access import Needs, Visitor
from dashboards.cards import Card, card_of
from dashboards.filters import Filters
from dashboards.frame import frame_of, sees_post
from dashboards.pages.corrections import Choice, Said, choices, said
from dashboards.render import page, twin
from dashboards.site import Site, site_of
from index.query import Hit, Window
from keqing.untrusted import clean
from keqing.workflow.accounts import Role

AROUND = timedelta(days=7)  # before and after, in which similar posts are looked for
SIMILAR = 8
LEAST = 0.6  # cosine below which nobody would call two posts alike
router = APIRouter()
Viewer = Annotated[Visitor, Depends(Needs(Role.VIEWER))]


@dataclass(frozen=True)
class Clause:
    """An aspect with the words that carry it; "" when their place is not in what is shown."""

    name: str
    words: str
    polarity: str


@dataclass(frozen=True)
class Named:
    """A brand that the post was taken for (`polarity`) or not taken for (`reason`)."""

    brand: str
    alias: str
    where: str
    polarity: str
    reason: str


@dataclass(frozen=True)
class Post:
    """The page's model; `alike` pairs a post with its likeness in per cent."""

    card: Card
    stage: str
    intents: tuple[str, ...]
    sarcasm: tuple[str, ...]
    topics: tuple[str, ...]
    aspects: tuple[Clause, ...]
    severity: tuple[tuple[str, str, float], ...]  # class, term, confidence
    named: tuple[Named, ...]
    left_out: tuple[Named, ...]
    versions: tuple[tuple[str, str], ...]
    said: tuple[Said, ...]  # corrections that stand
    choices: tuple[Choice, ...]  # what this visitor may say
    alike: tuple[tuple[Card, int], ...]


def answer(site: Site, visitor: Visitor, post_id: str) -> Post:
    """The page's model.

    Raises:
        HTTPException: no such post, or none of the visitor's brands is in it.
    """
    found = site.index.get([post_id])
    if not found or not sees_post(visitor.user, found[0]):
        raise HTTPException(404)
    hit, detail = found[0], found[0].detail
    return Post(
        card=card_of(hit, site, Filters()),
        stage=str(detail.get("stage", "")),
        intents=tuple(map(clean, detail.get("intents", ()))),
        sarcasm=tuple(map(clean, detail.get("sarcasm", ()))),
        topics=tuple(map(clean, hit.topics)),
        aspects=tuple(_clause(hit, one) for one in detail.get("aspects", ())),
        severity=tuple(
            (str(one["name"]), clean(str(one["term"])), float(one["confidence"]))
            for one in detail.get("severity", ())
        ),
        named=tuple(_named(site, one) for one in detail.get("hits", ())),
        left_out=tuple(_named(site, one) for one in detail.get("rejected", ())),
        versions=tuple((k, str(v)) for k, v in detail.get("versions", {}).items()),
        said=said(site, hit),
        choices=choices(site, visitor, hit),
        alike=_alike(site, visitor, hit),
    )


@router.get("/post.json")
def as_json(request: Request, visitor: Viewer, id: str) -> Response:
    """The page's numbers."""
    return twin(answer(site_of(request), visitor, id))


@router.get("/post")
def as_page(request: Request, visitor: Viewer, id: str) -> Response:
    """The page."""
    site = site_of(request)
    view = answer(site, visitor, id)
    return page(request, "post.html", frame=frame_of(site, visitor), view=view)


def _alike(site: Site, visitor: Visitor, hit: Hit) -> tuple[tuple[Card, int], ...]:
    window = Window(hit.published_at - AROUND, hit.published_at + AROUND)
    found = site.index.similar(hit.id, window, SIMILAR)
    return tuple(
        (card_of(one.hit, site, Filters()), round(100 * one.cosine))
        for one in found
        if one.cosine >= LEAST and sees_post(visitor.user, one.hit)
    )


def _clause(hit: Hit, one: Mapping[str, Any]) -> Clause:
    whole = (hit.title if one.get("where") == "title" else hit.text) or ""
    words = whole[int(one["start"]) : int(one["end"])]
    return Clause(str(one["name"]), clean(words), str(one["polarity"]))


def _named(site: Site, one: Mapping[str, Any]) -> Named:
    return Named(
        brand=site.brand_name(str(one["brand"])),
        alias=clean(str(one["alias"])),
        where=str(one.get("where", "")),
        polarity=str(one.get("polarity", "")),
        reason=str(one["reason"]),
    )
