"""Sentences for stable codes, in Chinese and English, from words.toml.

In:  a code (`red`) or a code with its group (`level.red`), and a language.
Out: the words for staff. An unknown code comes back as it is, so that a page never fails on one.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

Lang = Literal["zh", "en"]
Words = dict[str, dict[str, dict[str, str]]]


@cache
def all_words() -> Words:
    """Group → code → language → words, as written in words.toml."""
    path = Path(__file__).with_name("words.toml")
    groups: Words = tomllib.loads(path.read_text(encoding="utf-8"))
    return groups


def word(code: str, lang: Lang = "zh") -> str:
    """Words for a code; the first group of words.toml that holds it, or the one named before `.`.

    `word("red")` is 红色, `word("grade.red")` is 特别严重 Ⅰ.
    """
    groups = all_words()
    group, dot, rest = code.partition(".")
    if dot and group in groups:
        return groups[group].get(rest, {}).get(lang, rest)
    found = next((entries[code] for entries in groups.values() if code in entries), None)
    return found[lang] if found else code
