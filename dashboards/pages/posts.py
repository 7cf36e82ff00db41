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

from alerts.severity import SURE
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
class Speaker:
    """Who speaks, as far as public signs tell; None or () where it was not estimated."""

    segment: str
    confidence: float
    reasons: tuple[str, ...]
    influence: float | None
    parts: tuple[tuple[str, float, float], ...]  # name, points, most points it could give
    unknown: tuple[str, ...]
    coordination: float
    signs: tuple[tuple[str, float], ...]
    region: str | None
    place: str | None
    region_basis: str | None


@dataclass(frozen=True)
class Post:
    """The page's model; `alike` pairs a post with its likeness in per cent."""

    card: Card
    stage: str
    intents: tuple[str, ...]
    sarcasm: tuple[str, ...]
    topics: tuple[str, ...]
    aspects: tuple[Clause, ...]
    severity: tuple[tuple[str, str, float, bool], ...]  # class, term, confidence, only likely
    named: tuple[Named, ...]
    left_out: tuple[Named, ...]
    versions: tuple[tuple[str, str], ...]
    speaker: Speaker | None
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
            (str(one["name"]), clean(str(one["term"])), sure, sure < SURE)
            for one in detail.get("severity", ())
            for sure in (float(one["confidence"]),)
        ),
        named=tuple(_named(site, one) for one in detail.get("hits", ())),
        left_out=tuple(_named(site, one) for one in detail.get("rejected", ())),
        versions=tuple((k, str(v)) for k, v in detail.get("versions", {}).items()),
        speaker=_speaker(detail),
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


def _speaker(detail: Mapping[str, Any]) -> Speaker | None:
    found = detail.get("speaker")
    if not found:
        return None
    return Speaker(
        segment=str(detail.get("author_role") or "observer"),
        confidence=float(found["role_confidence"]),
        reasons=tuple(map(str, found["role_reasons"])),
        influence=detail.get("influence"),
        parts=tuple(
            (str(one["name"]), float(one["points"]), float(one["weight"]))
            for one in found["influence"]
        ),
        unknown=tuple(map(str, found.get("unknown", ()))),
        coordination=float(found.get("coordination", 0.0)),
        signs=tuple((str(one["code"]), float(one["points"])) for one in found.get("signs", ())),
        region=clean(found["region"]) if found.get("region") else None,
        place=clean(found["place"]) if found.get("place") else None,
        region_basis=found.get("region_basis"),
    )


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
