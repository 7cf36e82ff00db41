"""Written counts (1.2万, 999+, 转发) → a whole number and how it was given.

In:  a JSON value or the words beside a button.
Out: a Count. Unknown is None and never 0; words that are no count are marked `bad`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

UNITS = {"": 1, "k": 1_000, "千": 1_000, "w": 10_000, "万": 10_000, "萬": 10_000, "亿": 100_000_000}
UNITS |= {"m": 1_000_000, "百万": 1_000_000}
ZERO_WORDS = frozenset({"转发", "评论", "赞", "回复", "点赞", "分享", "收藏", "喜欢", "抢首评"})
UNKNOWN_WORDS = frozenset({"", "-", "--", "—", "null", "none"})
# More interactions than there are people: a broken field, not a popular post.
LARGEST = 100_000_000_000

_FORM = re.compile(
    r"(?P<n>\d{1,3}(?:,\d{3})+|\d+)(?P<f>\.\d+)? ?(?P<unit>百万|[kwm千万萬亿]?)(?P<plus>\+?)"
    r"(?:次(?:播放|观看|浏览)?|条|人|个|回复|评论|赞)?"
)


@dataclass(frozen=True)
class Count:
    """A count; `rounded` as in 1.2万, `at_least` as in 100万+, `bad` when it is no count at all."""

    value: int | None
    rounded: bool = False
    at_least: bool = False
    bad: bool = False


UNKNOWN = Count(None)
BAD = Count(None, bad=True)


def parse_count(raw: object) -> Count:
    """Read a count; see the module for what None and `bad` mean."""
    if raw is None:
        return UNKNOWN
    if isinstance(raw, bool):
        return BAD
    if isinstance(raw, int | float):
        whole = raw == raw and abs(raw) <= LARGEST and int(raw) == raw
        return Count(int(raw)) if whole and raw >= 0 else BAD
    if not isinstance(raw, str):
        return BAD
    return _words(unicodedata.normalize("NFKC", raw).replace("\u200b", "").strip().lower())


def _words(words: str) -> Count:
    if words in UNKNOWN_WORDS:
        return UNKNOWN
    if words in ZERO_WORDS:
        return Count(0)
    found = _FORM.fullmatch(words)
    if not found:
        return BAD
    unit = found["unit"]
    try:
        value = Decimal(found["n"].replace(",", "") + (found["f"] or "")) * UNITS[unit]
    except InvalidOperation:
        return BAD
    if value > LARGEST or value != value.to_integral_value():
        return BAD
    at_least = bool(found["plus"])
    return Count(int(value), rounded=bool(unit) and not at_least, at_least=at_least)
