"""App Store customer reviews, XML and JSON → Items.

In:  a Page of `rss/customerreviews`. Out: one Item a review; the entry of the app itself is counted
as `app_entry`. Likes are voteSum: voteCount counts all votes, against as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crawlers.pages.audit import Fields, first_words, load_json, not_as_expected
from crawlers.pages.feed import child_words, children, entries_of
from crawlers.pages.markup import xml_root
from crawlers.pages.page import Item, Page, Parsed
from crawlers.pages.tally import Tally
from crawlers.pages.text import Node, tidy

# Versions, links and shop data of an entry: nothing of a review stands in them.
IGNORED = frozenset("im:version im:voteCount link im:contentType category rights im:artist".split())
_UID = re.compile(r"/id(\d+)")


def parse_appstore(page: Page) -> Parsed:
    """Either form, told by the first character."""
    if page.body.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"{", b"["):
        return _from_json(page)
    tally = Tally(page, page.zone)
    root = xml_root(page, tally)
    if root is None:
        return tally.parsed()
    entries = entries_of(root)
    if not entries:
        tally.skip("empty")
    return tally.parsed(item for entry in entries for item in _xml_entry(entry, tally))


def _xml_entry(entry: Node, tally: Tally) -> Iterator[Item]:
    texts = [node for node in children(entry, "content") if node.get("type", "text") == "text"]
    author = next(iter(children(entry, "author")), None)
    uri = child_words(author, "uri") if author is not None else None
    yield from _review(
        tally,
        native=child_words(entry, "id"),
        rating=child_words(entry, "rating"),
        title=child_words(entry, "title"),
        text="".join(texts[0].itertext()) if texts else None,
        written=child_words(entry, "updated"),
        votes=child_words(entry, "voteSum"),
        name=child_words(author, "name") if author is not None else None,
        uri=uri,
    )


def _from_json(page: Page) -> Parsed:
    tally = Tally(page, page.zone)
    value = load_json(page, tally)
    if value is None:
        return tally.parsed()
    feed = value.get("feed") if isinstance(value, dict) else None
    if not isinstance(feed, dict):
        return not_as_expected(tally, page, ["feed"])
    entries = feed.get("entry", [])
    rows = entries if isinstance(entries, list) else [entries]
    if not rows:
        tally.skip("empty")
    return tally.parsed(item for row in rows for item in _json_entry(row, tally))


def _json_entry(row: object, tally: Tally) -> Iterator[Item]:
    if not isinstance(row, dict):
        tally.skip("no_object")
        return
    fields = Fields(row, "entry", tally)
    by = fields.block("author")
    yield from _review(
        tally,
        native=_label(fields.take("id"), tally),
        rating=_label(fields.take("im:rating"), tally),
        title=_label(fields.take("title"), tally),
        text=_label(fields.take("content"), tally),
        written=_label(fields.take("updated"), tally),
        votes=_label(fields.take("im:voteSum"), tally),
        name=_label(by.get("name"), tally),
        uri=_label(by.get("uri"), tally),
    )
    fields.leave(IGNORED)


def _review(
    tally: Tally,
    *,
    native: str | None,
    rating: str | None,
    title: str | None,
    text: str | None,
    written: str | None,
    votes: str | None,
    name: str | None,
    uri: str | None,
) -> Iterator[Item]:
    if rating is None:
        tally.skip("app_entry")
        return
    if text is None:
        tally.skip("missing_text")
    times, flags = tally.time(written)
    found = _UID.search(uri or "")
    yield Item(
        native_id=native,
        author_name=name,
        author_id=found[1] if found else None,
        title=title,
        text=tidy(text) if text is not None else None,
        rating=tally.stars(rating),
        kind="review",
        flags=flags,
        **times,
        **tally.counts(likes=votes),
    )


def _label(value: object, tally: Tally) -> str | None:
    words = first_words(value.get("label") if isinstance(value, dict) else value)
    if words is None and value is not None:
        tally.skip("wrong_type")
    return words
