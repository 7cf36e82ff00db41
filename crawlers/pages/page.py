"""What goes into a page parser and what comes out of it.

In:  one fetched body with the facts of its request.
Out: Page, Item, Ref, Parsed. Items are rows as the site shows them; pseudonyms, bounds and the
     making of a Post are left to the crawl's pipelines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Page:
    """One answer of a site.

    `zone` is the IANA zone of the source card (None = not known), `facts` are what the request
    knew and the body does not tell, e.g. the mid of a long-text call.
    """

    body: bytes
    url: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fetched_at: datetime | None = None
    zone: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """Value of a response header, in any case of its name; "" when absent."""
        wanted = name.lower()
        return next((v for k, v in self.headers.items() if k.lower() == wanted), "")


@dataclass(frozen=True)
class Item:
    """One post, comment, review or article as its page shows it; None = the page does not say.

    `text` "" is a post without words, None a text that the page withholds. `rounded` and
    `at_least` name the counts that the page gives as 1.2万 and 100万+.
    """

    native_id: str | None
    author_name: str | None = None
    author_id: str | None = None
    text: str | None = None
    title: str | None = None
    created_at: datetime | None = None
    created_raw: str | None = None
    created_precision: str = "unknown"
    likes: int | None = None
    comments: int | None = None
    reposts: int | None = None
    views: int | None = None
    rating: float | None = None
    floor: int | None = None
    region: str | None = None
    repost_of: str | None = None
    embedded: bool = False
    truncated: bool = False
    flags: tuple[str, ...] = ()
    url: str | None = None
    thread_id: str | None = None
    parent_id: str | None = None
    kind: str = "post"
    quoted: tuple[str, ...] = ()
    verified: bool = False
    verified_type: int | None = None
    followers: int | None = None
    pinned: bool = False
    item: str | None = None
    rating_raw: str | None = None
    rounded: tuple[str, ...] = ()
    at_least: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ref:
    """Something worth fetching next: `kind` thread, longtext, comments, replies; `key` its id."""

    kind: str
    key: str
    url: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Parsed:
    """What one page held, and what of it could not be used.

    `skipped` counts rows and values left out by reason, `bad` has one sentence per row that
    should have been readable and was not, `unknown_fields` the field names never seen before.
    """

    items: tuple[Item, ...] = ()
    refs: tuple[Ref, ...] = ()
    next_page: str | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)
    unknown_fields: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()
