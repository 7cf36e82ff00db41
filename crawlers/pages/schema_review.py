"""schema.org Reviews in JSON-LD and microdata → Items.

In:  a Page with HTML. Out: one Item a review, also where both syntaxes hold it. Ratings are scaled
to 1–5; a date without a zone is kept as written and no time is invented.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from copy import copy
from dataclasses import replace

from crawlers.pages.audit import as_words, first_words
from crawlers.pages.markup import html_root
from crawlers.pages.page import Item, Page, Parsed
from crawlers.pages.tally import Tally
from crawlers.pages.text import Node, html_text

MAX_DEPTH = 12
FILLER = ("此用户没有填写评价", "此用户未填写评价内容", "系统默认好评", "默认好评")


def parse_reviews(page: Page) -> Parsed:
    """All reviews of a page, each once, and the next page."""
    tally = Tally(page, page.zone)
    found = html_root(page, tally)
    if found is None:
        return tally.parsed()
    root, text = found
    marked = [*_json_ld(root, page, tally), *_microdata(text, page)]
    rows = [row for node in marked for row in _walk(node, None, 0)]
    if not rows:
        tally.skip("no_review")
    items = _once([_item(row, about, tally) for row, about in rows])
    following = root.xpath("//a[@rel='next']/@href | //link[@rel='next']/@href")
    return tally.parsed(items, (), str(following[0]) if following else None)


def _json_ld(root: Node, page: Page, tally: Tally) -> Iterator[object]:
    """Objects of every JSON-LD block; a broken block is counted and costs the others nothing."""
    from extruct.jsonld import JsonLdExtractor  # 0.3 CPU-s of import: only where reviews are read
    from lxml import etree

    for block in root.xpath("//script[@type='application/ld+json']"):
        alone = etree.Element("html")
        alone.append(copy(block))
        try:
            yield from JsonLdExtractor().extract_items(alone, base_url=page.url or None)
        except (ValueError, RecursionError):
            tally.skip("malformed_json")
            tally.error(f"{page.url or '文件'}: 一段 JSON-LD 不完整, 其中的评价没有读出。")


def _microdata(text: str, page: Page) -> list[object]:
    from extruct import extract

    found = extract(
        text, base_url=page.url or None, syntaxes=["microdata"], uniform=True, errors="ignore"
    )
    rows: list[object] = found.get("microdata", [])
    return rows


def _walk(
    node: object, about: str | None, depth: int
) -> Iterator[tuple[dict[str, object], str | None]]:
    """Reviews anywhere in the tree, with the name of what they are about."""
    if depth > MAX_DEPTH:
        return
    if isinstance(node, list):
        for part in node:
            yield from _walk(part, about, depth + 1)
    elif isinstance(node, dict):
        kinds = node.get("@type")
        names = kinds if isinstance(kinds, list) else [kinds]
        if "Review" in names or "UserReview" in names:
            yield node, _name(node.get("itemReviewed")) or about
            return
        named = about if names in ([None], ["WebPage"]) else first_words(node.get("name")) or about
        for value in node.values():
            yield from _walk(value, named, depth + 1)


def _item(row: dict[str, object], about: str | None, tally: Tally) -> Item:
    raw = first_words(row.get("datePublished"), row.get("dateCreated"))
    times, flags = tally.time(raw if raw and (tally.zone or "T" in raw) else None)
    times["created_raw"] = raw
    body = first_words(row.get("reviewBody"), row.get("description"))
    text = html_text(html.unescape(body)) if body else None
    filler = text is not None and any(words in text for words in FILLER) and len(text) < 30
    rating, rating_raw = _rating(row.get("reviewRating"))
    if rating is None and row.get("reviewRating") is not None:
        tally.skip("unreadable_rating")
    if body is None and (row.get("reviewBody") or row.get("description")):
        tally.skip("wrong_type")
    return Item(
        native_id=first_words(row.get("identifier"), row.get("@id")),
        author_name=_name(row.get("author")),
        text=None if filler else text,
        title=first_words(row.get("name"), row.get("headline")),
        rating=rating,
        rating_raw=rating_raw,
        item=about,
        kind="review",
        url=first_words(row.get("url")),
        flags=(*flags, "no_text") if filler or text is None else flags,
        **times,
    )


def _rating(value: object) -> tuple[float | None, str | None]:
    """On 1–5, and as written; an impossible one is None."""
    block = value if isinstance(value, dict) else {"ratingValue": value}
    raw = first_words(block.get("ratingValue"))
    given, best = _number(raw), _number(as_words(block.get("bestRating")))
    worst = _number(as_words(block.get("worstRating")))
    if given is None:
        return None, raw
    best, worst = 5.0 if best is None else best, 1.0 if worst is None else worst
    if best <= worst or not worst <= given <= best:
        return None, raw
    return round(1 + 4 * (given - worst) / (best - worst), 2), raw


def _number(raw: str | None) -> float | None:
    try:
        value = float((raw or "").replace(",", "."))
    except ValueError:
        return None
    return value if value == value and abs(value) < 1e6 else None


def _name(value: object) -> str | None:
    if isinstance(value, list):
        return next((name for part in value if (name := _name(part))), None)
    return first_words(value.get("name")) if isinstance(value, dict) else first_words(value)


def _once(items: list[Item]) -> list[Item]:
    """A review that stands in both syntaxes is one; the first keeps its place."""
    seen: dict[tuple[object, ...], Item] = {}
    for item in items:
        words = "".join((item.text or "").split())
        key = (item.author_name, item.created_raw, words)
        old = seen.get(key)
        seen[key] = item if old is None else replace(old, native_id=old.native_id or item.native_id)
    return list(seen.values())
