"""Reading a post: own words and quoted chain, and two forms of its text.

In:  a text as it landed (masked by then).
Out: `flat` keeps the length, so spans stay true; `fingerprint` is for exact folding. Neither is
ever shown; what models read is reading.py's.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

CHAIN = re.compile(r"//\s*@|//\s*＠")
REPLY = re.compile(r"^\s*回复\s*[@＠][^:：\s]{1,40}\s*[:：]")
URL = re.compile(r"https?://[\w\-./?%&=#:~+;,!]+|(?<![\w.])t\.cn/\w+", re.ASCII)
AT = re.compile(r"[@＠][\w\-·]{1,30}")
RUN = re.compile(r"(.)\1{3,}", re.S)
BLANK = re.compile(r"[\s\u200b-\u200f\ufeff]+")
HASHTAG = re.compile(r"[#＃]([^#＃\n]{1,60})[#＃]")
BOILERPLATE = re.compile(r"(?:\.{0,3}(?:展开|收起)?全文d?|网页链接|[\w\-]{1,30}的微博视频)\s*$")
EMOTICON = re.compile(r"\[[\w\u3400-\u9fff ]{1,12}\]")
MASKS = frozenset(
    {"[电话]", "[证件]", "[邮箱]", "[微信]", "[QQ]", "[车牌]", "[银行卡]", "[姓名]", "[地址]"}
)
_BOILED = ("全文", "网页链接", "微博视频")
_NO_LETTER = re.compile(r"[\W_]+")
_POINT = re.compile(r"(?<=\d)[.:](?=\d)")
NO_WORDS = frozenset({"", "转发微博", "转发", "轉發微博", "repost", "转发了"})
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


@dataclass(frozen=True)
class Words:
    """A text in its two parts; `own + quoted` are slices of it and lose nothing.

    `start` is where the words begin, after a `回复@x:` prefix.
    """

    own: str
    quoted: str
    start: int

    @property
    def bare(self) -> bool:
        """A repost that says nothing of its own."""
        return self.own[self.start :].strip().lower() in NO_WORDS


def split(text: str) -> Words:
    """Own words before the first `//@`, and the quoted chain after it."""
    found = CHAIN.search(text)
    cut = found.start() if found else len(text)
    reply = REPLY.match(text[:cut])
    return Words(text[:cut], text[cut:], reply.end() if reply else 0)


def hashtags(text: str) -> tuple[str, ...]:
    """Words between two `#`, in order, each once."""
    return tuple(dict.fromkeys(tag.strip() for tag in HASHTAG.findall(text) if tag.strip()))


def emoticons(text: str) -> list[str]:
    """Bracketed emoticons such as `[怒]`; masks of personal data look the same and are left out."""
    return [face for face in EMOTICON.findall(text) if face not in MASKS]


def flat(text: str) -> str:
    """Half width, lower case, simplified; the length never changes."""
    narrow = text.translate(_WIDE)
    lower = narrow.lower()
    if len(lower) != len(narrow):
        lower = "".join(_one(char, char.lower()) for char in narrow)
    return simplified(lower)


def simplified(text: str) -> str:
    """Traditional to simplified characters, as many as came in."""
    if text.isascii():
        return text
    answer: str = _opencc().convert(text)
    if len(answer) == len(text):
        return answer
    return "".join(_simplified_one(char) for char in text)


def wording(text: str) -> str:
    """Half width, lower, simplified; no URLs, @names, emoticons: what copies may differ in."""
    plain = folded(text)
    plain = AT.sub(" ", URL.sub(" ", plain))
    if "[" not in plain:
        return plain
    return EMOTICON.sub(lambda face: face[0] if face[0] in MASKS else " ", plain)


def letters(plain: str) -> str:
    """Letters and digits alone; 5.00 and 500 stay apart."""
    return _NO_LETTER.sub("", _POINT.sub("点", plain))


def fingerprint(text: str) -> str:
    """What two copies of one text share: letters and digits of its own words and quotes."""
    return letters(wording(text))


def folded(text: str) -> str:
    """NFKC, lower, simplified, without what a site writes below each post."""
    if any(sign in text for sign in _BOILED):  # the pattern tries 30 lengths at every letter
        text = BOILERPLATE.sub("", text)
    return simplified(unicodedata.normalize("NFKC", text).lower())


@cache
def _opencc() -> Any:
    import opencc  # 30 ms to load: only where text is read

    return opencc.OpenCC("t2s")


@cache
def _simplified_one(char: str) -> str:
    return _one(char, str(_opencc().convert(char)))


def _one(char: str, answer: str) -> str:
    return answer if len(answer) == 1 else char
