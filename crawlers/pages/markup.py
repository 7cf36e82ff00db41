"""HTML and XML bodies → trees, with what of them is missing counted.

In:  a Page. Out: its tree, or None with the reason in the tally. A page that was cut still gives the
rows that it holds; `cut_page` tells the crawl that it did not see the rest.
"""

from __future__ import annotations

import re

from lxml import etree

from crawlers.pages.audit import not_as_expected
from crawlers.pages.page import Page
from crawlers.pages.tally import Tally
from crawlers.pages.text import Node, decode, parse_html
from crawlers.pages.walls import Answer, classify

CUT = "cut_page"
_XML_HEAD = re.compile(r"^\s*<\?xml[^>]*\?>")
_XML_END = re.compile(r"</(?:[\w-]{1,20}:)?(?:rss|feed|RDF)\s*>\s*$")


def html_root(page: Page, tally: Tally) -> tuple[Node, str] | None:
    """The page's tree and its text; None with the reason counted.

    Raises:
        UnreadablePage: the body is binary.
    """
    answer = classify(page, "html")
    if answer is not Answer.OK:
        tally.skip(str(answer))
        return None
    text = _text(page, tally)
    root, is_cut = parse_html(text)
    if root is None:
        not_as_expected(tally, page, ["html"])
        return None
    if is_cut or "</html>" not in text[-4096:].lower():
        tally.skip(CUT)
    return root, text


def xml_root(page: Page, tally: Tally) -> Node | None:
    """The feed's tree, also of a cut one; no DTD is loaded and no entity is resolved.

    Raises:
        UnreadablePage: the body is binary.
    """
    answer = classify(page, "xml")
    if answer is not Answer.OK:
        if answer is not Answer.CHANGED:
            tally.skip(str(answer))
            return None
        tally.skip("html_for_xml")
        tally.error(f"{page.url or '文件'}: 正文不是 XML (html_for_xml)。")
        return None
    text = _text(page, tally)
    parser = etree.XMLParser(
        encoding="utf-8", recover=True, resolve_entities=False, no_network=True, load_dtd=False,
        huge_tree=False,
    )  # fmt: skip
    try:
        root = etree.fromstring(_XML_HEAD.sub("", text).strip().encode(), parser=parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None or parser.error_log:
        tally.skip("malformed_xml")
        tally.error(f"{page.url or '文件'}: XML 不完整或有错误, 只读出完好的条目。")
    if not _XML_END.search(text):
        tally.skip(CUT)
    return root


def _text(page: Page, tally: Tally) -> str:
    text, whole = decode(page.body, page.header("content-type"))
    if not whole:
        tally.skip("wrong_encoding")
    return text.lstrip("\ufeff")
