"""Events as pages show them: what happened, how large it is, how it went over platforms.

In:  the Site, a window, brands that a visitor may see. Out: Rows, largest damage first. Counts are
of the window and from the index, so each leads to its posts; the way over platforms is the whole
event's, from what was scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from dashboards.filters import Filters, any_of
from dashboards.shares import Share, share
from dashboards.site import Site
from index.query import And, Node, Window
from keqing.untrusted import clean
from keqing.workflow import event_history, events, spread
from keqing.workflow.db import Tx, read

SHOWN = 30
LOOKED_AT = 100  # values of the index, most negative first, of which the living event is asked


@dataclass(frozen=True)
class Stop:
    """A platform that an event reached; `after` is since the event's first post anywhere."""

    title: str
    at: datetime
    after: timedelta
    post_url: str | None  # None: the first post there was erased
    posts: int


@dataclass(frozen=True)
class Row:
    """One event in a window; `ids` are all under which its posts may stand in the index."""

    id: str
    ids: tuple[str, ...]
    brand: str
    brand_name: str
    name: str
    first_at: datetime
    last_at: datetime
    posts: int
    stories: int
    voices: int
    negative: int
    share: Share | None
    way: tuple[Stop, ...]
    posts_url: str
    negative_url: str


def rows(site: Site, window: Window, brands: Sequence[str], most: int = SHOWN) -> list[Row]:
    """Events of these brands that were talked of in the window: most negative posts first.

    Raises:
        IndexFault: the index cannot answer.
    """
    buckets = site.index.counts_by("event", any_of("brand", brands), window)
    buckets = sorted(buckets, key=lambda bucket: (-bucket.negative, -bucket.posts, bucket.value))
    with read(site.engine) as tx:
        ids = list(
            dict.fromkeys(event_history.living(tx, one.value) for one in buckets[:LOOKED_AT])
        )
        known = events.get(tx, ids)
        mine = [known[id_] for id_ in ids if id_ in known and known[id_].brand in brands][:most]
        names = {event.id: event_history.aliases(tx, event.id) for event in mine}
        ways = spread.of_events(tx, [event.id for event in mine])
    made = [row(site, window, one, names[one.id], ways.get(one.id, [])) for one in mine]
    return sorted(made, key=lambda one: (-one.negative, -one.posts, one.id))


def row(
    site: Site, window: Window, event: events.Event, ids: tuple[str, ...],
    way: Sequence[spread.Reached],
) -> Row:  # fmt: skip
    """One event with its counts in a window."""
    about, against = about_event(ids), any_of("negative_brand", (event.brand,))
    total = site.index.count(about, window)
    negative = site.index.count(And((about, against)), window).posts
    links = Filters(since=window.start, until=window.end, event=ids)
    return Row(
        id=event.id,
        ids=ids,
        brand=event.brand,
        brand_name=site.brand_name(event.brand),
        name=clean(event.name),
        first_at=_moment(min([event.first_at_s, *(one.first_at_s for one in way)])),
        last_at=_moment(event.last_at_s),
        posts=total.posts,
        stories=total.stories,
        voices=total.voices,
        negative=negative,
        share=share(negative, total.posts),
        way=stops(site, way),
        posts_url=links.url("/mentions"),
        negative_url=links.url("/mentions", against=(event.brand,)),
    )


def about_event(ids: Sequence[str]) -> Node:
    """Posts of an event under any of its ids."""
    return any_of("event", ids)


def stops(site: Site, way: Sequence[spread.Reached]) -> tuple[Stop, ...]:
    """The way of an event, first reached first."""
    titles = platform_titles(site)
    return tuple(
        Stop(
            titles.get(one.platform, clean(one.platform)),
            _moment(one.first_at_s),
            timedelta(seconds=one.first_at_s - way[0].first_at_s),
            f"/post?{urlencode({'id': one.first_post})}" if one.first_post else None,
            one.posts,
        )
        for one in way
    )


def platform_titles(site: Site) -> Mapping[str, str]:
    """Names of platforms by the first source card of each."""
    titles: dict[str, str] = {}
    for card in site.settings.cards.values():
        titles.setdefault(card.platform, card.title)
    return titles


def find(tx: Tx, id_: str) -> events.Event | None:
    """An event under its own id or one that it had before it was merged."""
    living = event_history.living(tx, id_)
    return events.get(tx, [living]).get(living)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
