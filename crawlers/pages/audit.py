"""Pop and audit: take each JSON field by name, then report what nobody took.

In:  JSON of a site, the page's Tally.
Out: values of the expected type; what has another one, and what nobody took, is counted by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence

from crawlers.pages.page import Page, Parsed
from crawlers.pages.tally import Tally
from crawlers.pages.text import clean, decode
from crawlers.pages.walls import Answer, classify

_JSONP = re.compile(r"^\s*(?:/\*.{0,200}?\*/)?\s*[\w$.]{1,80}\s*\((.*)\)\s*;?\s*$", re.S)


class Fields:
    """One JSON object whose fields are taken one by one; `where` names it in the audit."""

    def __init__(self, value: Mapping[str, object], where: str, tally: Tally) -> None:
        self._left, self._where, self._tally = dict(value), where, tally

    def take(self, name: str) -> object:
        """A field's value of any type, None when absent."""
        return self._left.pop(name, None)

    def words(self, name: str) -> str | None:
        """A field as text; numbers become their digits, another type is counted and None."""
        value = self.take(name)
        words = as_words(value)
        self._check(words is not None, value)
        return words

    def block(self, name: str) -> dict[str, object]:
        """A field that is an object; absent or of another type {}."""
        value = self.take(name)
        self._check(isinstance(value, dict), value)
        return value if isinstance(value, dict) else {}

    def rows(self, name: str) -> list[object]:
        """A field that is a list; absent, of another type, or `false` (so Weibo says empty) []."""
        value = self.take(name)
        self._check(isinstance(value, list) or value is False, value)
        return value if isinstance(value, list) else []

    def leave(self, ignored: Collection[str]) -> None:
        """Report every field that was neither taken nor is known to be of no use."""
        left = [name for name in self._left if name not in ignored]
        self._tally.unknown.update(f"{self._where}.{name}"[:120] for name in left)

    def _check(self, fits: bool, value: object) -> None:
        if not fits and value is not None:
            self._tally.skip("wrong_type")


def as_words(value: object) -> str | None:
    """A JSON scalar as text; None for null, booleans, lists, objects."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        return clean(value)
    return str(value) if isinstance(value, int | float) else None


def first_words(*values: object) -> str | None:
    """The first value that is a text with at least one visible character."""
    for value in values:
        words = as_words(value)
        if words and words.strip():
            return words.strip()
    return None


def load_json(page: Page, tally: Tally) -> object:
    """The page's JSON or JSONP value; None when there is none, with the reason in the tally.

    Raises:
        UnreadablePage: the body is binary.
    """
    answer = classify(page, "json")
    if answer not in (Answer.OK, Answer.CHANGED):
        tally.skip(str(answer))
        return None
    text, whole = decode(page.body, page.header("content-type"))
    if not whole:
        tally.skip("wrong_encoding")
    text = text.lstrip("\ufeff").strip()
    found = _JSONP.match(text) if not text.startswith(("{", "[")) else None
    try:
        value: object = json.loads(found[1] if found else text, strict=False)
    except (ValueError, RecursionError):
        reason = "html_for_json" if text.startswith("<") else "malformed_json"
        tally.skip(reason)
        tally.error(f"{page.url or '文件'}: 正文不是完整的 JSON ({reason})。")
        return None
    return value


def not_as_expected(tally: Tally, page: Page, keys: Sequence[str]) -> Parsed:
    """Result of a page that reads well but lacks the keys that make it what it should be."""
    tally.skip(str(Answer.CHANGED))
    tally.error(f"{page.url or '文件'}: 找不到 {' / '.join(keys)}, 页面结构可能已改变。")
    return tally.parsed()
