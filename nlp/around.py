"""What stands around a name in a text: its place, the words near it, boilerplate.

In:  one part of a post (its title or its text), raw and flat; positions are the same in both.
Out: where a position stands, the context words that count for it, why it may be boilerplate.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from nlp.text import AT, BOILERPLATE, HASHTAG, flat, split

Where = Literal["title", "own", "quoted", "hashtag", "at"]
Span = tuple[int, int]
TAG_ROW = 6  # so many hashtags are a row for reach, not a subject
NEAR = 12  # tokens to either side of a name that tell its sense
REACH = 200  # code points in which these tokens are looked for
# A token here is a Latin or digit run, or two Han characters (a word has 1.7): cut without the
# dictionary, since a phrase that is added to it must not bring other words nearer.
TOKEN = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]{1,2}")
# The last words of a post that a device or an app wrote: 发自我的小米手机, 来自苹果客户端.
SIGNATURE = re.compile(
    r"(?:^|[\s。！？!?~—\-(（|])"
    r"(?:(?:发送?自|sent from|posted from)\s*(?:我的|my)?\s*[\w ·\-]{1,24}"
    r"|(?:来自|via)\s*[\w·\-]{1,20}\s*(?:客户端|手机版|网页版|app|浏览器))[)）。.\s]*$"
)
ADVERT = re.compile(r"高价回收|上门回收|刷单|日结兼职|兼职日结|代开发票|办证|贷款秒批|无抵押贷款")
CONTACT = re.compile(r"\[(?:电话|微信|QQ|邮箱)\]")


@dataclass(frozen=True)
class Word:
    """A context word of a brand where it occurs; `ours` tells our sense, else the other one."""

    brand: str
    ours: bool
    word: str
    start: int
    end: int
    in_title: bool


class Part:
    """A title or a text; what is asked of it often is found once."""

    def __init__(self, raw: str, plain: str, in_title: bool) -> None:
        self.raw, self.plain, self.in_title = raw, plain, in_title

    @cached_property
    def tags(self) -> list[Span]:
        """Spans of the hashtags."""
        return [found.span() for found in HASHTAG.finditer(self.raw)]

    @cached_property
    def _ats(self) -> list[Span]:
        return [found.span() for found in AT.finditer(self.raw)]

    @cached_property
    def _own(self) -> int:
        return len(split(self.raw).own)

    @cached_property
    def _tail(self) -> Span | None:
        """The signature at the end of the own words, or of the whole text."""
        found = SIGNATURE.search(self.plain, 0, self._own) or BOILERPLATE.search(self.plain)
        return found.span() if found else None

    @cached_property
    def _advert(self) -> str:
        found = ADVERT.search(self.plain)
        return found[0] if found and CONTACT.search(self.raw) else ""

    def where(self, at: int) -> Where:
        """Place of a position."""
        if self.in_title:
            return "title"
        if any(start <= at < end for start, end in self._ats):
            return "at"
        if at >= self._own:
            return "quoted"
        if self.in_tag(at):
            return "hashtag"
        return "own"

    def in_tag(self, at: int) -> bool:
        """Whether a position stands in a hashtag."""
        return any(start <= at < end for start, end in self.tags)

    def boilerplate(self, start: int, end: int) -> str:
        """Which boilerplate a name stands in, in words; "" if in none."""
        if self.in_title:
            return ""
        if len(self.tags) >= TAG_ROW and self.where(start) == "hashtag":
            return f"{len(self.tags)} hashtags"
        if self._tail and self._tail[0] <= start and end <= self._tail[1]:
            return self.plain[slice(*self._tail)].strip()
        return self._advert

    def latin_word(self, start: int, end: int) -> str:
        """The Latin word that a name is only a piece of; "" where it stands alone."""
        first, last = start, end
        if _latin(self.plain[start]):
            while first and _latin(self.plain[first - 1]):
                first -= 1
        if _latin(self.plain[end - 1]):
            while last < len(self.plain) and _latin(self.plain[last]):
                last += 1
        return "" if (first, last) == (start, end) else self.plain[first:last]

    def window(self, start: int, end: int) -> Span:
        """From the twelfth token before a name to the twelfth after it."""
        before = [m.start() for m in TOKEN.finditer(self.plain, max(0, start - REACH), start)]
        after = [m.end() for m in TOKEN.finditer(self.plain, end, end + REACH)]
        return (before[-NEAR:] or [start])[0], (after[:NEAR] or [end])[-1]


def telling(
    part: Part, start: int, end: int, words: Sequence[Word], tagged: frozenset[Word]
) -> str:
    """The nearest of these context words that counts for a name, "" if none; ties by the words.

    Words near it count, and words of the title or of a hashtag: these name the subject.

    Args:
        words: of one brand and one sense, all places.
        tagged: those in a hashtag.
    """
    low, high = part.window(start, end) if words else (start, end)
    near: list[tuple[int, str]] = []
    for word in words:
        if word.in_title == part.in_title and low <= word.start and word.end <= high:
            near.append((max(start - word.end, word.start - end, 0), word.word))
        elif word.in_title or word in tagged:
            near.append((REACH, word.word))
    return min(near)[1] if near else ""


def parts(title: str | None, text: str | None, plain: tuple[str, str] | None) -> tuple[Part, Part]:
    """Title and text as Parts."""
    title, text = title or "", text or ""
    flat_title, flat_text = plain or (flat(title), flat(text))
    return Part(title, flat_title, True), Part(text, flat_text, False)


def _latin(char: str) -> bool:
    return char.isascii() and char.isalnum()
