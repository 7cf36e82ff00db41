"""The frame around every page: how fresh the data is, what is open, who is signed in.

In:  the Site, a Visitor. Out: a Frame.
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.access import Visitor
from dashboards.sight import Sight, look
from dashboards.site import Site
from index.query import Hit
from keqing.errors import IndexFault
from keqing.records import Incident
from keqing.workflow.accounts import ALL_BRANDS, User
from keqing.workflow.db import read
from keqing.workflow.incidents import LIVE, list_incidents

SYSTEM_BRAND = "-"  # incidents of sources, which belong to no brand


@dataclass(frozen=True)
class Frame:
    """Header and navigation; `live` are the open incidents that the user may see."""

    visitor: Visitor
    sight: Sight
    blind_titles: tuple[str, ...]
    live: tuple[Incident, ...]
    brands: tuple[tuple[str, str], ...]
    index_fault: str = ""


def frame_of(site: Site, visitor: Visitor) -> Frame:
    """The frame as of now; an index that is down does not take the page with it."""
    fault, latest = "", None
    try:
        latest = site.index.latest()
    except IndexFault as error:
        fault = type(error).__name__
    with read(site.engine) as tx:
        sight = look(tx, site.settings, latest, site.now())
        live = list_incidents(tx, LIVE)
    user = visitor.user
    titles = tuple(site.source_title(name) for name in sight.blind)
    brands = tuple((key, site.brand_name(key)) for key in visible_brands(site, user))
    seen = tuple(incident for incident in live if sees(user, incident.brand))
    return Frame(visitor, sight, titles, seen, brands, fault)


def sees(user: User, brand: str) -> bool:
    """Whether a user may see incidents of a brand; blindness of a source concerns everyone."""
    return brand == SYSTEM_BRAND or user.sees(brand)


def sees_post(user: User, hit: Hit) -> bool:
    """Whether a user may see a post: one of its brands is theirs, or their scope has no bound."""
    scope = scope_of(user)
    return scope is None or any(brand in scope for brand in hit.brands)


def visible_brands(site: Site, user: User) -> tuple[str, ...]:
    """Our brands within the user's scope."""
    return tuple(key for key in site.our_brands() if user.sees(key))


def scope_of(user: User) -> tuple[str, ...] | None:
    """The brand bound of every question of a user; None without a bound."""
    return None if user.brands == ALL_BRANDS else user.brands
