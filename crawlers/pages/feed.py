"""RSS 0.9x, 1.0, 2.0 and Atom → Items.

In:  a Page with XML; no DTD is loaded and no entity is resolved. Out: one Item an entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from crawlers.pages.audit import not_as_expected
from crawlers.pages.markup import xml_root
from crawlers.pages.page import Item, Page, Parsed
from crawlers.pages.tally import Tally
from crawlers.pages.text import Node, html_text

TEXTS = ("encoded", "content", "summary", "description")
TIMES = ("published", "pubDate", "date", "issued", "updated", "modified")


def parse_feed(page: Page) -> Parsed:
    """All entries of a feed, in its order."""
    tally = Tally(page, page.zone)
    root = xml_root(page, tally)
    if root is None:
        return tally.parsed()
    entries = entries_of(root)
    if _name(root) not in ("rss", "feed", "RDF"):
        return not_as_expected(tally, page, ["rss", "feed", "RDF"])
    if not entries:
        tally.skip("empty")
    return tally.parsed(item for entry in entries for item in _entry(entry, tally))


def entries_of(root: Node) -> list[Node]:
    """`item` and `entry` elements, in order."""
    return [node for node in root.iter() if _name(node) in ("item", "entry")]


def children(entry: Node, name: str) -> list[Node]:
    """Children of this local name."""
    return [child for child in entry if _name(child) == name]


def _entry(entry: Node, tally: Tally) -> Iterator[Item]:
    link = _link(entry)
    native = child_words(entry, "guid") or child_words(entry, "id") or link
    if native is None:
        tally.skip("no_id")
        return
    title = child_words(entry, "title")
    written = next((words for name in TIMES if (words := child_words(entry, name))), None)
    times, flags = tally.time(written)
    body = next((words for name in TEXTS if (words := child_words(entry, name))), None)
    yield Item(
        native_id=native,
        title=html_text(title) if title else None,
        text=html_text(body) if body else "",
        author_name=_author(entry),
        flags=flags,
        url=link,
        kind="article",
        **times,
    )


def _author(entry: Node) -> str | None:
    for child in entry:
        if _name(child) == "author":
            return child_words(child, "name") or _text(child)
    return child_words(entry, "creator")


def _link(entry: Node) -> str | None:
    links = [child for child in entry if _name(child) == "link"]
    for child in links:
        if child.get("href") and child.get("rel", "alternate") == "alternate":
            return str(child.get("href"))
    return next((words for child in links if (words := _text(child))), None)


def child_words(entry: Node, name: str) -> str | None:
    """Words of the first child of this local name that has any."""
    return next((words for child in children(entry, name) if (words := _text(child))), None)


def _text(node: Node) -> str | None:
    if node.get("type") == "xhtml":
        return str(etree.tostring(node, encoding="unicode", with_tail=False)).strip()
    words = "".join(str(part) for part in node.itertext()).strip()
    return words or None


def _name(node: Node) -> str:
    """Local name; a broken tag of a damaged feed (`content:`) has one too."""
    return re.split("[}:]", node.tag)[-1] if isinstance(node.tag, str) else ""
