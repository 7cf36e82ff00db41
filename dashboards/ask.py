"""What a page is asked: Filters of the address, bounded by what the visitor may see.

In:  a request, a Visitor. Out: a Question whose window and tree every number of the page shares.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request

from dashboards.access import Visitor
from dashboards.filters import Filters, read
from dashboards.frame import scope_of, visible_brands
from dashboards.site import Site
from index.query import Node, Window

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Question:
    """Filters with their moment; `fixed` are the same with an absolute window, for links."""

    filters: Filters
    window: Window
    now: datetime
    scope: tuple[str, ...] | None

    @property
    def fixed(self) -> Filters:
        """The filters with the window written out: a link that does not slide."""
        return dataclasses.replace(
            self.filters, range="24h", since=self.window.start, until=self.window.end, cursor=""
        )

    @property
    def before(self) -> Window:
        """The same hours some whole days earlier, the fewest that do not overlap."""
        length = self.window.end - self.window.start
        shift = max(1, -(-length // DAY)) * DAY
        return Window(self.window.start - shift, self.window.end - shift)

    def node(self, site: Site, **changes: object) -> Node:
        """The query tree with some filters changed."""
        changed = dataclasses.replace(self.filters, **changes)  # type: ignore[arg-type]
        return changed.node(site.segment, self.scope)


def question(request: Request, site: Site, visitor: Visitor) -> Question:
    """The question of an address; whole seconds, so that links hold the very same window.

    Raises:
        BadFilter: a value cannot be meant.
    """
    filters = read(request.query_params.multi_items())
    now = site.now().replace(microsecond=0)
    return Question(filters, filters.window(now), now, scope_of(visitor.user))


def asked_brands(asked: Question, site: Site, visitor: Visitor) -> tuple[str, ...]:
    """Our brands that the filters name, all visible ones without a name."""
    visible = visible_brands(site, visitor.user)
    return tuple(b for b in visible if not asked.filters.brand or b in asked.filters.brand)
