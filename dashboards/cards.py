"""A hit as a post card: what a page shows of it, cleaned, with marked words.

In:  Hits, the Site. Out: Cards. Marking splits the text into pieces and never makes HTML; control
and direction marks of a hostile post become U+FFFD one by one, so that places stay true.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from alerts.assess import doubtful
from dashboards.filters import Filters
from dashboards.site import Site
from index.query import Hit
from keqing.untrusted import clean, safe_url

Pieces = tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Card:
    """One post on a page; a counter of None is unknown."""

    id: str
    source: str
    source_title: str
    kind: str
    author: str | None
    verified: bool
    region: str | None
    published_at: datetime
    precision: str
    title: Pieces
    text: Pieces
    polarity: str | None
    p_negative: float
    brands: tuple[str, ...]
    severity: tuple[str, ...]
    likely: tuple[str, ...]  # of these, classes that no word asserts surely
    intent: str | None
    likes: int | None
    comments: int | None
    reposts: int | None
    rating: float | None
    similar: int
    similar_url: str
    url: str | None
    host: str | None
    evidence: str | None
    why_url: str


def card_of(hit: Hit, site: Site, filters: Filters) -> Card:
    """One hit as staff see it."""
    text, title = clean(hit.text or ""), clean(hit.title or "")
    link = safe_url(hit.url)
    marks = [*hit.spans, *_brand_spans(hit, text), *_term_spans(hit, text)]
    return Card(
        id=hit.id,
        source=hit.source,
        source_title=site.source_title(hit.source),
        kind=hit.kind,
        author=clean(hit.author_name) if hit.author_name else shortened(hit.author),
        verified=hit.author_name is not None,
        region=clean(hit.region) if hit.region else None,
        published_at=hit.published_at,
        precision=hit.published_precision,
        title=pieces(title, _brand_spans(hit, title)),
        text=pieces(text, marks),
        polarity=hit.polarity,
        p_negative=round(hit.p_negative, 3),
        brands=tuple(site.brand_name(brand) for brand in hit.brands),
        severity=tuple(map(clean, hit.severity)),
        likely=tuple(map(clean, doubtful(hit))),
        intent=clean(hit.intent) if hit.intent else None,
        likes=hit.likes,
        comments=hit.comments,
        reposts=hit.reposts,
        rating=hit.rating,
        similar=int(hit.detail.get("similar", 1)),
        similar_url=filters.url("/mentions", story=(hit.story,), fold=False),
        url=link,
        host=urlsplit(link).hostname if link else None,
        evidence=hit.evidence,
        why_url=f"/post?{urlencode({'id': hit.id})}",
    )


def pieces(text: str, spans: Iterable[tuple[int, int]]) -> Pieces:
    """The text cut at the borders of spans: (piece, marked). Joined they are the text."""
    flags = bytearray(len(text))
    for start, end in spans:
        for at in range(max(0, start), min(end, len(text))):
            flags[at] = 1
    found: list[tuple[str, bool]] = []
    begin = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or flags[at] != flags[begin]:
            found.append((text[begin:at], bool(flags[begin])))
            begin = at
    return tuple(found)


def shortened(pseudonym: str | None) -> str | None:
    """The head of a pseudonym: enough to see two posts of one author."""
    return None if pseudonym is None else f"{pseudonym[:8]}…"


def _brand_spans(hit: Hit, text: str) -> list[tuple[int, int]]:
    found = []
    for entry in hit.detail.get("hits", ()):
        start, end, alias = int(entry["start"]), int(entry["end"]), str(entry["alias"])
        if text[start:end].lower() == alias.lower():
            found.append((start, end))
    return found


def _term_spans(hit: Hit, text: str) -> list[tuple[int, int]]:
    terms: Sequence[str] = [str(entry["term"]) for entry in hit.detail.get("severity", ())]
    places = [(text.find(term), len(term)) for term in terms if term]
    return [(at, at + length) for at, length in places if at >= 0]
