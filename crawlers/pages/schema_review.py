"""schema.org Reviews in JSON-LD and microdata → Items.

In:  a Page with HTML. Out: one Item a review, also where both syntaxes hold it. Ratings are scaled
to 1–5; a date without a zone is kept as written and no time is invented.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import replace

from crawlers.pages.audit import Tally, as_words, first_words, not_as_expected
from crawlers.pages.page import Item, Page, Parsed
from crawlers.pages.text import decode, html_text, tree
from crawlers.pages.walls import Answer, classify

MAX_DEPTH = 12
FILLER = ("此用户没有填写评价", "此用户未填写评价内容", "系统默认好评", "默认好评")


def parse_reviews(page: Page) -> Parsed:
    """All reviews of a page, each once, and the next page."""
    from extruct import extract  # 0.3 CPU-s of import: only where reviews are read

    tally = Tally(page, page.zone)
    answer = classify(page, "html")
    if answer is not Answer.OK:
        tally.skip(str(answer))
        return tally.parsed()
    text, whole = decode(page.body, page.header("content-type"))
    if not whole:
        tally.skip("wrong_encoding")
    root = tree(text)
    if root is None:
        return not_as_expected(tally, page, ["html"])
    found = extract(text, base_url=page.url or None, syntaxes=["json-ld", "microdata"],
                    uniform=True, errors="ignore")  # fmt: skip
    rows = [row for syntax in ("json-ld", "microdata") for row in _walk(found.get(syntax), None, 0)]
    if not rows:
        tally.skip("no_review")
    items = _once([_item(row, about, tally) for row, about in rows])
    following = root.xpath("//a[@rel='next']/@href | //link[@rel='next']/@href")
    return tally.parsed(items, (), str(following[0]) if following else None)


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
