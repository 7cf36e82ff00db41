"""Sentences of the pages: the Chinese one is the key, en.toml gives the English.

In:  a Chinese sentence with {names}, a language, values. Out: the sentence. A sentence without
English is shown in Chinese rather than not at all; a test keeps that from happening.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path


@cache
def english() -> dict[str, str]:
    """Chinese sentence → English sentence."""
    path = Path(__file__).with_name("en.toml")
    sentences: dict[str, str] = tomllib.loads(path.read_text(encoding="utf-8"))["sentences"]
    return sentences


def translate(sentence: str, lang: str, **values: object) -> str:
    """The sentence in a language, with its values filled in."""
    chosen = english().get(sentence, sentence) if lang == "en" else sentence
    return chosen.format(**values) if values else chosen
