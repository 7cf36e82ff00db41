"""Bytes and HTML → plain text.

In:  a body, an HTML fragment or an lxml node.
Out: text with line breaks where the page breaks lines; control characters, bidi overrides and
     zero-width spaces are gone. Nothing else is normalised: that is nlp's work.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable, Iterator
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from keqing.errors import UnreadablePage

# lxml has no types of its own here; a node is whatever lxml.html gives.
Node = Any

BLOCKS = frozenset(
    "p div li ul ol tr table blockquote section article aside header footer hr h1 h2 h3 h4 h5 h6 "
    "pre dl dt dd figure".split()
)
NO_TEXT = frozenset({"script", "style", "noscript", "template", "svg", "head"})
# C0/C1 controls but tab and newline, zero-width space, word joiner, BOM, bidi marks and isolates.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2060\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_MARKUP = re.compile(r"<[a-zA-Z/!][^>]*>|&(?:[a-zA-Z]{2,8}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]{2,20})", re.I)
_XML_CHARSET = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w-]{2,20})", re.I)
UTF8_SIGNS = 4  # characters beyond ASCII that read well, for each broken one three times as many
_ALIASES = {"gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030"}


def clean(text: str) -> str:
    """Text without characters that do not show; lone surrogates go, as no store can take them."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def tidy(text: str) -> str:
    """Clean, without blanks at line ends and without more than one empty line in a row."""
    lines = [line.strip(" \t\u00a0") for line in clean(text).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def decode(body: bytes, content_type: str = "") -> tuple[str, bool]:
    """Body as text, and whether it read without a broken byte.

    The charset comes from the header, a BOM, then the page's own head; a wrong one is found by
    reading strictly and trying UTF-8 and GB18030. Damaged UTF-8 is read as UTF-8: GB18030 takes
    almost any bytes, and one broken byte would turn the whole page into other words.

    Raises:
        UnreadablePage: the body is binary.
    """
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return clean(body.decode("utf-16", "replace")), True
    if b"\x00" in body[:4096] or body.startswith(b"\x1f\x8b"):
        raise UnreadablePage("正文不是文本 (二进制或压缩数据), 请先解压或重新保存。")
    lenient = body.decode("utf-8", "replace")
    broken = lenient.count("\ufffd")
    is_utf8 = sum(char > "\x7f" for char in lenient) - broken >= UTF8_SIGNS * (1 + 3 * broken)
    for name in _charsets(body, content_type):
        if is_utf8 and not name.startswith("utf"):
            continue
        try:
            return body.decode(name), True
        except (UnicodeDecodeError, LookupError):
            continue
    return lenient, False


def _charsets(body: bytes, content_type: str) -> Iterator[str]:
    if body.startswith(b"\xef\xbb\xbf"):
        yield "utf-8-sig"
    told = re.search(r"charset=[\"']?([\w-]+)", content_type, re.I)
    if told:
        yield _ALIASES.get(told[1].lower(), told[1].lower())
    for pattern in (_XML_CHARSET, _CHARSET):
        found = pattern.search(body[:4096])
        if found:
            name = found[1].decode("ascii").lower()
            yield _ALIASES.get(name, name)
    yield "utf-8"
    yield "gb18030"


def tree(text: str) -> Node | None:
    """HTML page as a tree; None when nothing of it is HTML."""
    return parse_html(text)[0]


def parse_html(text: str) -> tuple[Node | None, bool]:
    """HTML page as a tree, and whether the parser gave up on it half way (nested too deep)."""
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    if not text.strip():
        return None, False
    parser = lxml_html.HTMLParser(huge_tree=False, remove_comments=False)
    try:
        root = lxml_html.document_fromstring(text, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None, False
    return root, any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log)


def html_text(fragment: str, image: Callable[[Node], str] | None = None) -> str:
    """Text of an HTML fragment; plain words pass through with their own line breaks."""
    if not _MARKUP.search(fragment):
        return tidy(fragment)
    if "<" not in fragment:
        return tidy(entities.unescape(fragment))
    try:
        node = lxml_html.fragment_fromstring(clean(fragment), create_parent="div")
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return tidy(entities.unescape(re.sub(r"<[^>]*>", "", fragment)))
    return node_text(node, image, keep_lines=True)


def node_text(
    node: Node, image: Callable[[Node], str] | None = None, keep_lines: bool = False
) -> str:
    """Text of a node as the page shows it.

    Args:
        node: an lxml element; it is not changed.
        image: what an img becomes; None = nothing.
        keep_lines: whether line breaks in the source are line breaks of the text.
    """
    parts: list[str] = []
    _walk(node, parts, image, keep_lines)
    return tidy("".join(parts))


def _walk(top: Node, parts: list[str], image: Callable[[Node], str] | None, keep: bool) -> None:
    """Depth first without recursion: a hostile page may nest ten thousand deep."""
    stack: list[tuple[Node, bool]] = [(top, False)]
    while stack:
        node, leaving = stack.pop()
        tag = node.tag
        if leaving:
            if tag in BLOCKS:
                parts.append("\n")
            if node is not top and node.tail:
                parts.append(_spaces(node.tail, keep))
            continue
        stack.append((node, True))
        if not isinstance(tag, str) or tag in NO_TEXT:
            continue
        if tag == "br":
            parts.append("\n")
        elif tag == "img":
            parts.append(image(node) if image else "")
        elif tag in BLOCKS:
            parts.append("\n")
        if node.text:
            parts.append(_spaces(node.text, keep or tag == "pre"))
        stack.extend((child, False) for child in reversed(node))


def _spaces(text: str, keep: bool) -> str:
    return text if keep else re.sub(r"[ \t\r\n\f]+", " ", text)


def drop(node: Node) -> None:
    """Take a node out of its tree and leave the words after it where they are."""
    parent = node.getparent()
    if parent is None:
        return
    before = node.getprevious()
    if node.tail and before is not None:
        before.tail = (before.tail or "") + node.tail
    elif node.tail:
        parent.text = (parent.text or "") + node.tail
    parent.remove(node)


def image_alt(node: Node) -> str:
    """The alternative words of an image, "" without any."""
    return str(node.get("alt") or "")
