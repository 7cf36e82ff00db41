"""Pop and audit: take each JSON field by name, then report what nobody took.

In:  JSON of a site, written times and counts.
Out: values of the expected type, and a Tally that becomes the audit part of a Parsed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from crawlers.pages.counts import parse_count
from crawlers.pages.page import Item, Page, Parsed, Ref
from crawlers.pages.text import clean, decode
from crawlers.pages.times import anchor_of, parse_time
from crawlers.pages.walls import Answer, classify
from keqing.errors import UnreadableTime

MAX_BAD = 200
_JSONP = re.compile(r"^\s*(?:/\*.{0,200}?\*/)?\s*[\w$.]{1,80}\s*\((.*)\)\s*;?\s*$", re.S)


class Times(TypedDict):
    """The time fields of an Item."""

    created_at: datetime | None
    created_raw: str | None
    created_precision: str


class Counts(TypedDict, total=False):
    """The count fields of an Item."""

    likes: int | None
    comments: int | None
    reposts: int | None
    views: int | None
    rounded: tuple[str, ...]
    at_least: tuple[str, ...]


class Tally:
    """Everything of a page that became no item, and why."""

    def __init__(self, page: Page, zone: str | None = None) -> None:
        self.anchor = anchor_of(page)
        self.zone = zone
        self.skipped: Counter[str] = Counter()
        self.bad: list[str] = []
        self.unknown: set[str] = set()

    def skip(self, reason: str, n: int = 1) -> None:
        """Count `n` rows or values left out for `reason`."""
        self.skipped[reason] += n

    def error(self, sentence: str) -> None:
        """A row that should have been readable and was not."""
        if len(self.bad) < MAX_BAD:
            self.bad.append(sentence)

    def time(self, raw: object) -> tuple[Times, tuple[str, ...]]:
        """Time fields of an Item and the flags they bring."""
        words = None if raw is None or raw == "" else clean(str(raw)).strip()
        try:
            when = parse_time(words, self.anchor, self.zone)
        except UnreadableTime:
            self.skip("unreadable_time")
            return Times(created_at=None, created_raw=words, created_precision="unknown"), (
                "unreadable_time",
            )
        if when.flag:
            self.skip(when.flag)
        fields = Times(created_at=when.at, created_raw=words, created_precision=when.precision)
        return fields, (when.flag,) if when.flag else ()

    def counts(
        self,
        *,
        likes: object = None,
        comments: object = None,
        reposts: object = None,
        views: object = None,
    ) -> Counts:
        """Count fields of an Item; one that is no count becomes None and is counted."""
        read = {
            "likes": parse_count(likes),
            "comments": parse_count(comments),
            "reposts": parse_count(reposts),
            "views": parse_count(views),
        }
        for count in read.values():
            if count.bad:
                self.skip("unreadable_count")
        return Counts(
            likes=read["likes"].value,
            comments=read["comments"].value,
            reposts=read["reposts"].value,
            views=read["views"].value,
            rounded=tuple(name for name, count in read.items() if count.rounded),
            at_least=tuple(name for name, count in read.items() if count.at_least),
        )

    def parsed(
        self, items: Iterable[Item] = (), refs: Iterable[Ref] = (), next_page: str | None = None
    ) -> Parsed:
        """The page's result with this audit."""
        return Parsed(
            items=tuple(items),
            refs=tuple(refs),
            next_page=next_page,
            skipped=dict(self.skipped),
            unknown_fields=tuple(sorted(self.unknown)),
            bad=tuple(self.bad),
        )


class Fields:
    """One JSON object whose fields are taken one by one."""

    def __init__(self, value: Mapping[str, object], where: str) -> None:
        self._left = dict(value)
        self._where = where

    def take(self, name: str) -> object:
        """A field's value of any type, None when absent."""
        return self._left.pop(name, None)

    def words(self, name: str) -> str | None:
        """A field as text; numbers become their digits, other types None."""
        return as_words(self.take(name))

    def block(self, name: str) -> dict[str, object]:
        """A field that is an object, {} otherwise."""
        value = self.take(name)
        return value if isinstance(value, dict) else {}

    def rows(self, name: str) -> list[object]:
        """A field that is a list, [] otherwise (Weibo writes `false` for an empty one)."""
        value = self.take(name)
        return value if isinstance(value, list) else []

    def leave(self, ignored: Collection[str], tally: Tally) -> None:
        """Report every field that was neither taken nor is known to be of no use."""
        tally.unknown.update(f"{self._where}.{n}"[:120] for n in self._left if n not in ignored)


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
