"""信息列表: the posts behind every number, found by a query, filters, or both.

In:  a Question with a query box. Out: one page of Cards with totals and facets, or the place of a
mistake in the query; the same posts as CSV.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import StreamingResponse

from dashboards.access import Needs, Visitor
from dashboards.ask import Question, question
from dashboards.cards import Card, card_of
from dashboards.export import MOST_ROWS, csv_lines
from dashboards.filters import Filters
from dashboards.frame import frame_of, visible_brands
from dashboards.render import lang_of, page, twin
from dashboards.shares import Bar, bars
from dashboards.site import Site, site_of
from index.query import Count, Node, Window, show
from keqing.errors import QueryError
from keqing.words import Lang, word
from keqing.workflow import trail
from keqing.workflow.accounts import Role
from keqing.workflow.db import begin

SIZE = 20
FACETS = ("polarity", "source", "intent", "aspect", "severity", "segment")
router = APIRouter()
Viewer = Annotated[Visitor, Depends(Needs(Role.VIEWER))]
Analyst = Annotated[Visitor, Depends(Needs(Role.ANALYST))]


@dataclass(frozen=True)
class Mistake:
    """Where a query cannot be read: the text cut around the place, and what would be read."""

    before: str
    bad: str
    after: str
    position: int
    zh: str
    en: str
    suggestion: str


@dataclass(frozen=True)
class Mentions:
    """One page of posts; `mistake` stands instead of everything else."""

    window: Window
    as_of: datetime | None = None
    total: Count | None = None
    cards: tuple[Card, ...] = ()
    facets: Mapping[str, tuple[Bar, ...]] = field(default_factory=dict)
    meaning: str = ""
    next_url: str = ""
    first_url: str = ""
    csv_url: str = ""
    mistake: Mistake | None = None


def answer(site: Site, asked: Question, lang: Lang) -> Mentions:
    """The page's model.

    Raises:
        IndexFault: the index cannot answer.
        UsageError: a cursor of another list.
    """
    filters = asked.fixed
    try:
        node = asked.node(site)
    except QueryError as error:
        return Mentions(asked.window, mistake=_mistake(asked.filters.q, error))
    found = site.index.search(
        node, asked.window, filters.sort, SIZE, asked.filters.cursor or None, filters.fold
    )
    more = found.next_cursor
    return Mentions(
        window=asked.window,
        as_of=found.as_of,
        total=found.total,
        cards=tuple(card_of(hit, site, filters) for hit in found.hits),
        facets={name: _facet(site, asked, node, name, lang) for name in FACETS},
        meaning=show(node),
        next_url=filters.url("/mentions", cursor=more) if more else "",
        first_url=filters.url("/mentions") if asked.filters.cursor else "",
        csv_url=filters.url("/mentions.csv"),
    )


@router.get("/mentions.json")
def as_json(request: Request, visitor: Viewer) -> Response:
    """The page's numbers."""
    site = site_of(request)
    return twin(answer(site, question(request, site, visitor), lang_of(request)))


@router.get("/mentions.csv")
def as_csv(request: Request, visitor: Analyst) -> Response:
    """The posts as a table, at most 10,000; formulas of a hostile post stay text."""
    site = site_of(request)
    asked = question(request, site, visitor)
    node = asked.node(site)
    with begin(site.engine) as tx:
        facts = visitor.user.name, "export", f"mentions {MOST_ROWS}", visitor.address, "ok"
        trail.record(tx, *facts, asked.now)
    lines = csv_lines(site, node, asked.window, asked.filters.sort)
    name = f"keqing-{asked.now:%Y%m%d-%H%M%S}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/mentions")
def as_page(request: Request, visitor: Viewer) -> Response:
    """The page; a query that cannot be read is 422 with its place."""
    site = site_of(request)
    asked = question(request, site, visitor)
    frame = frame_of(site, visitor)
    view = answer(site, asked, lang_of(request))
    choices: dict[str, Any] = {
        "brands": [(key, site.brand_name(key)) for key in _brands(site, visitor)],
        "sources": [(name, card.title) for name, card in site.settings.cards.items()],
        "may_export": visitor.user.may(Role.ANALYST),
        "chips": _chips(asked.filters, lang_of(request), site),
    }
    status = 422 if view.mistake else 200
    return page(
        request, "mentions.html", status, frame=frame, view=view, filters=asked.filters, **choices
    )


def _brands(site: Site, visitor: Visitor) -> tuple[str, ...]:
    rivals = [
        k for k, b in site.settings.plan.brands.items() if not b.ours and visitor.user.sees(k)
    ]
    return (*visible_brands(site, visitor.user), *rivals)


def _facet(site: Site, asked: Question, node: Node, name: str, lang: Lang) -> tuple[Bar, ...]:
    found = site.index.counts_by(name, node, asked.window)
    return bars(
        (value_name(site, name, b.value, lang), b.posts,
         asked.fixed.url("/mentions", **{name: (b.value,)}))
        for b in found
    )  # fmt: skip


def value_name(site: Site, key: str, value: str, lang: Lang) -> str:
    """A stored value as staff call it."""
    if key == "source":
        return site.source_title(value)
    return site.brand_name(value) if key in ("brand", "against") else word(f"{key}.{value}", lang)


def _chips(filters: Filters, lang: Lang, site: Site) -> list[tuple[str, str, str]]:
    """What the form does not show but the address asks: (key, value, link without it)."""
    found = []
    for key in (
        "against",
        "intent",
        "aspect",
        "severity",
        "topic",
        "event",
        "region",
        "author",
        "kind",
        "story",
        "segment",
    ):
        for value in getattr(filters, key):
            rest = tuple(v for v in getattr(filters, key) if v != value)
            link = filters.url("/mentions", **{key: rest})
            found.append((key, value_name(site, key, value, lang), link))
    return found


def _mistake(text: str, error: QueryError) -> Mistake:
    start, end = error.offset, error.offset + error.length
    return Mistake(
        text[:start], text[start:end], text[end:], start + 1, error.zh, error.en, error.suggestion
    )
