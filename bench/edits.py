"""Edits of a text that make a copy of it, and those that make another story.

In:  a seeded random, a text. Out: the edited text, or None where the text does not bear the edit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

import opencc

from demo.texts import say
from nlp.text import AT, EMOTICON, HASHTAG, URL

Edit = Callable[[Random, str], str | None]
FACES = ("[怒]", "[允悲]", "😡", "[哈哈]", "👍", "！！！")
TAGS = ("#今日话题#", "#生活记录#", "#避雷#")
COMMON = "的一是在有这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会"
_WORDLESS = re.compile(rf"{URL.pattern}|{AT.pattern}|{HASHTAG.pattern}|{EMOTICON.pattern}")
_DIGITS = re.compile(r"(?<![A-Za-z0-9_.\-])\d{1,9}(?![A-Za-z0-9_.\-])")
_DENIED = re.compile(r"没有|不是|不(?![过但仅管错少断])")
_DENIABLE = re.compile(r"(?<=[\u4e00-\u9fff])(?=是|有|能|会|让|给|退|赔)")


def prefixed(random: Random, text: str) -> str:
    """Passed on with a repost prefix, perhaps with a word."""
    return random.choice(("转发微博", "", "转", "哈哈", "看看")) + "//@小鱼干:" + text


def faced(random: Random, text: str) -> str:
    """With emoji and emoticons, anywhere."""
    for _ in range(random.randint(1, 3)):
        at = random.choice([n for n in range(len(text) + 1) if _in_words(text, n)])
        text = text[:at] + random.choice(FACES) + text[at:]
    return text


def cut(_random: Random, text: str) -> str:
    """Its first 70 %."""
    return text[: len(text) * 7 // 10]


def tagged(random: Random, text: str) -> str:
    """With a hashtag before or behind."""
    tag = random.choice(TAGS)
    return tag + text if random.random() < 0.5 else text + tag


def traditional(_random: Random, text: str) -> str:
    """In traditional characters."""
    converted: str = opencc.OpenCC("s2t").convert(text)
    return converted


def mistyped(random: Random, text: str) -> str | None:
    """One or two characters are others; digits and negations stay."""
    places = [n for n, char in enumerate(text) if "\u4e00" <= char <= "\u9fff" and char not in KEEP]
    if len(places) < 12:
        return None
    changed = list(text)
    for at in random.sample(places, random.randint(1, 2)):
        changed[at] = random.choice([char for char in COMMON if char not in KEEP])
    return "".join(changed)


def another_number(random: Random, text: str) -> str | None:
    """One of its numbers is another one."""
    found = _found(_DIGITS, text)
    if not found:
        return None
    at = random.choice(found)
    return text[: at.start()] + str(int(at[0]) * 10 + random.randint(1, 9)) + text[at.end() :]


def denied(random: Random, text: str) -> str | None:
    """A denial taken out, or put in where there is none."""
    if found := _found(_DENIED, text):
        at = random.choice(found)
        return text[: at.start()] + text[at.end() :]
    if found := _found(_DENIABLE, text):
        at = random.choice(found)
        return text[: at.start()] + "没有" + text[at.end() :]
    return None


def _in_words(text: str, at: int) -> bool:
    """Whether a place is outside of URLs, @names, tags and emoticons."""
    return not any(m.start() < at <= m.end() for m in _WORDLESS.finditer(text))


def _found(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    return [m for m in pattern.finditer(text) if _in_words(text, m.start())]


def template(random: Random) -> str:
    """A review by the demo city's templates, with another subject in each slot."""
    part = random.choice(("mujinhu", "lian", "beichuang"))
    return say(random, part, random.choice(("praise", "complaint"))) + say(
        random, "mujinhu", "praise"
    )


KEEP = frozenset("零〇一二三四五六七八九十百千万亿两半不没未无别勿非莫是实否认谣言")
COPIES: dict[str, Edit] = {
    "repost prefix": prefixed, "emoji": faced, "cut to 70 %": cut, "tag": tagged,
    "traditional": traditional, "1-2 characters": mistyped,
}  # fmt: skip
OTHERS: dict[str, Edit] = {"number": another_number, "negation": denied}
