"""今日概览: what is said about our brands now, against before, and what needs a person.

In:  a Question. Out: an Overview; each number leads to the posts it counts. Where nothing could be
seen a number is None, never 0.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from dashboards import happenings
from dashboards.access import Needs, Visitor
from dashboards.ask import Question, asked_brands, question
from dashboards.cards import Card, card_of
from dashboards.charts import HOUR_S, Chart, band_chart, marked, step_for, volume_chart
from dashboards.clocks import ack_overdue
from dashboards.filters import Filters
from dashboards.frame import Frame, frame_of
from dashboards.lights import Light, lights
from dashboards.pages.incidents import Row, rows_of
from dashboards.render import page, twin
from dashboards.shares import Bar, Share, bars, share, spark
from dashboards.site import Site, site_of
from index.query import Node, Series, Window
from keqing.workflow.accounts import Role

LEARNED = timedelta(days=28)
BACKGROUND = timedelta(days=14)
SHOWN = 5
router = APIRouter()
Viewer = Annotated[Visitor, Depends(Needs(Role.VIEWER))]


@dataclass(frozen=True)
class Figures:
    """Counts of one brand, or of all asked ones; None where nothing could be seen."""

    brand: str
    name: str
    posts: int | None
    stories: int | None
    negative: int | None
    share: Share | None
    posts_before: int
    negative_before: int
    share_before: Share | None
    posts_url: str
    negative_url: str
    spark: str


@dataclass(frozen=True)
class Overview:
    """Everything on the page; all counts are of one window."""

    window: Window
    total: Figures
    brands: tuple[Figures, ...]
    chart: Chart
    band: Chart
    incidents: tuple[Row, ...]
    live: int
    late: int
    events: tuple[happenings.Row, ...]
    stories: tuple[Card, ...]
    posts: tuple[Card, ...]
    sources: tuple[Bar, ...]
    words: tuple[Bar, ...]
    lights: tuple[Light, ...]


def answer(site: Site, asked: Question, frame: Frame) -> Overview:
    """The page's model.

    Raises:
        IndexFault: the index cannot answer.
    """
    brands = asked_brands(asked, site, frame.visitor)
    links = dataclasses.replace(
        Filters(), since=asked.window.start, until=asked.window.end, source=asked.filters.source,
        lang=asked.filters.lang,
    )  # fmt: skip
    step = step_for(asked.window)
    grids = _grids(site, asked, brands, asked.window, step)
    unseen = frame.sight.dead
    live = [i for i in frame.live if not asked.filters.brand or i.brand in brands]
    figures = [
        _figures(site, asked, links, (b,), grids[n : n + 1], unseen) for n, b in enumerate(brands)
    ]
    hits = site.index.search(
        _node(site, asked, against=brands), asked.window, sort="similar", size=SHOWN, fold=True
    ).hits
    risky = site.index.examples(_node(site, asked, against=brands), asked.window, SHOWN)
    return Overview(
        window=asked.window,
        total=_figures(site, asked, links, brands, grids, unseen),
        brands=tuple(figures),
        chart=_volume(site, asked, links, brands, frame, grids, step),
        band=_band(site, asked, links, brands, frame),
        incidents=rows_of(site, live, asked.now)[:SHOWN],
        live=len(live),
        late=sum(ack_overdue(incident, asked.now) for incident in live),
        events=tuple(happenings.rows(site, asked.window, brands, SHOWN)),
        stories=tuple(card_of(hit, site, _against(links, brands)) for hit in hits),
        posts=tuple(card_of(hit, site, _against(links, brands)) for hit in risky),
        sources=_sources(site, asked, links, brands),
        words=_words(site, asked, links, brands),
        lights=lights(site, asked.now),
    )


@router.get("/overview.json")
def as_json(request: Request, visitor: Viewer) -> Response:
    """The page's numbers."""
    site = site_of(request)
    return twin(answer(site, question(request, site, visitor), frame_of(site, visitor)))


@router.get("/")
def show(request: Request, visitor: Viewer) -> Response:
    """The page."""
    site, frame = site_of(request), frame_of(site_of(request), visitor)
    asked = question(request, site, visitor)
    model = answer(site, asked, frame)
    gaps = frame.sight.partial(asked.window.start, asked.window.end)
    partial = [(site.source_title(name), spans) for name, spans in gaps.items()]
    return page(
        request, "overview.html", frame=frame, view=model, filters=asked.filters, partial=partial
    )


def _against(links: Filters, brands: Sequence[str]) -> Filters:
    return dataclasses.replace(links, against=tuple(brands))


def _node(site: Site, asked: Question, **changes: object) -> Node:
    plain = {"brand": (), "q": "", "polarity": (), "story": ()}
    return asked.node(site, **(plain | changes))


def _grids(
    site: Site, asked: Question, brands: Sequence[str], window: Window, step: int
) -> list[Series]:
    source = asked.filters.source[0] if len(asked.filters.source) == 1 else None
    found = site.index.counts(brands, window, step, source)
    return [found[brand] for brand in brands]


def _figures(
    site: Site,
    asked: Question,
    links: Filters,
    brands: tuple[str, ...],
    grids: Sequence[Series],
    unseen: bool,
) -> Figures:
    about, against = _node(site, asked, brand=brands), _node(site, asked, against=brands)
    now_all, now_bad = (site.index.count(node, asked.window) for node in (about, against))
    old_all, old_bad = (site.index.count(node, asked.before).posts for node in (about, against))
    posts = None if unseen else now_all.posts
    negative = None if unseen else now_bad.posts
    line = [sum(column) for column in zip(*(grid.negative for grid in grids), strict=True)]
    one = brands[0] if len(brands) == 1 else ""
    return Figures(
        brand=one,
        name=site.brand_name(one) if one else "",
        posts=posts,
        stories=None if unseen else now_all.stories,
        negative=negative,
        share=share(negative, posts),
        posts_before=old_all,
        negative_before=old_bad,
        share_before=share(old_bad, old_all),
        posts_url=links.url("/mentions", brand=brands),
        negative_url=links.url("/mentions", against=brands),
        spark=spark(line),
    )


def _volume(
    site: Site,
    asked: Question,
    links: Filters,
    brands: Sequence[str],
    frame: Frame,
    grids: Sequence[Series],
    step: int,
) -> Chart:
    gaps = frame.sight.unseen(asked.filters.source, asked.now)

    def link(start: datetime, end: datetime) -> str:
        return links.url("/mentions", brand=tuple(brands), since=start, until=end)

    dim = frame.sight.dim(asked.filters.source)
    chart = volume_chart(grids, asked.window, step, gaps, link, asked.now, dim)
    flags = [(i.opened_at, i.title, i.level.value) for i in frame.live if i.brand in brands]
    return marked(chart, grids[0].starts if grids else (), flags)


def _band(
    site: Site, asked: Question, links: Filters, brands: Sequence[str], frame: Frame
) -> Chart:
    window = Window(asked.window.end - LEARNED, asked.window.end)
    grids = _grids(site, asked, brands, window, HOUR_S)
    hours = min(48, max(6, int((asked.window.end - asked.window.start).total_seconds() // HOUR_S)))

    def link(start: datetime, end: datetime) -> str:
        return links.url("/mentions", against=tuple(brands), since=start, until=end)

    source = asked.filters.source
    gaps, dim = frame.sight.unseen(source, asked.now), frame.sight.dim(source)
    return band_chart(grids, gaps, hours, link, dim)


def _sources(
    site: Site, asked: Question, links: Filters, brands: tuple[str, ...]
) -> tuple[Bar, ...]:
    found = site.index.counts_by("source", _node(site, asked, brand=brands), asked.window)
    return bars(
        (site.source_title(b.value), b.posts,
         links.url("/mentions", brand=brands, source=(b.value,)))
        for b in found
    )  # fmt: skip


def _words(site: Site, asked: Question, links: Filters, brands: tuple[str, ...]) -> tuple[Bar, ...]:
    background = Window(asked.window.start - BACKGROUND, asked.window.start)
    node = _node(site, asked, against=brands)
    found = site.index.keywords(node, asked.window, background, 6)
    ranked = sorted(found, key=lambda k: -k.count)
    return bars(
        (k.word, k.count, links.url("/mentions", against=brands, q=f'"{k.word}"')) for k in ranked
    )
