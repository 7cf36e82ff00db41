"""Tokens and tags as both engines store them.

In:  words of a segmenter, names and values of tags. Out: lower-case tokens without blanks and quotes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_UNSAFE = str.maketrans({"'": "_", '"': "_", "\0": "_"})
_ODD = re.compile("['\"\0\\s]")


def joined(tokens: Sequence[str]) -> str:
    """Clean tokens as one text, a blank between each two."""
    if not tokens:
        return ""
    low = " ".join(tokens).lower()
    if "'" not in low and '"' not in low and "\0" not in low and len(low.split()) == len(tokens):
        return low  # nearly all: no token is empty, has a blank or a quote
    return " ".join(map(clean, tokens))


def terms(tags: Sequence[tuple[str, str]]) -> str:
    """Tags as `tag_term` stores each, a blank between each two, in their order."""
    return joined([f"{name}:{value}" for name, value in tags])


def clean(token: str) -> str:
    """A token as both engines store it: lower case, one unit, no quotes."""
    low = token.lower()
    if low and not _ODD.search(low):
        return low
    return "_".join(low.translate(_UNSAFE).split()) or "_"


def tag_term(name: str, value: str) -> str:
    """How a filter is stored: one token, `name:value`."""
    return clean(f"{name}:{value}")
