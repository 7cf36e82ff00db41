"""Staff's boolean text → tokens with positions in code points.

In:  the typed text. Out: Tokens. Full-width marks count as half-width by a one-to-one table, so
that positions stay true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from keqing.errors import QueryError

_HALF = str.maketrans("（）“”「」｜：－＋＞＜＝　", '()""""|:-+><= ')
_OPERATORS = {"AND": "and", "且": "and", "OR": "or", "或": "or", "NOT": "not", "非": "not"}
_NEAR = re.compile(r"(?:NEAR|近)/(\d+)$")
_RANGE = re.compile(r"([^\s:<>=]+?)(>=|<=|>|<|=)(\d+(?:\.\d+)?)$")
_STOP = set(' \t\r\n()|"')


@dataclass(frozen=True)
class Token:
    """`kind`: and or not near ( ) phrase word range field; `value` as typed, `name` of a field."""

    kind: str
    value: str
    start: int
    end: int
    name: str = ""
    operator: str = ""


def half_width(text: str) -> str:
    """The same text with half-width marks; same length."""
    return text.translate(_HALF)


def tokens(text: str) -> list[Token]:
    """All tokens of a query.

    Raises:
        QueryError: an unclosed quote.
    """
    flat, out, at = half_width(text), [], 0
    while at < len(flat):
        if flat[at].isspace():
            at += 1
            continue
        token = _next(flat, text, at)
        out.append(token)
        at = token.end
    return out


def _next(flat: str, text: str, at: int) -> Token:
    char = flat[at]
    if char in "()":
        return Token(char, char, at, at + 1)
    if char in "|+":
        return Token("or" if char == "|" else "and", char, at, at + 1)
    if char == "-" and at + 1 < len(flat) and not flat[at + 1].isspace():
        return Token("not", char, at, at + 1)
    if char == '"':
        end = _closing(flat, at)
        return Token("phrase", text[at + 1 : end], at, end + 1)
    return _bare(flat, text, at)


def _bare(flat: str, text: str, at: int) -> Token:
    end = at
    while end < len(flat) and flat[end] not in _STOP:
        end += 1
    word = flat[at:end]
    if word in _OPERATORS:
        return Token(_OPERATORS[word], word, at, end)
    if near := _NEAR.match(word):
        return Token("near", near.group(1), at, end)
    if ranged := _RANGE.match(word):
        return Token("range", ranged.group(3), at, end, ranged.group(1), ranged.group(2))
    name, colon, value = word.partition(":")
    if colon and name and end < len(flat) and flat[end] == '"' and not value:
        close = _closing(flat, end)
        return Token("field", text[end + 1 : close], at, close + 1, name)
    if colon and name and not value.startswith("//"):
        return Token("field", text[at + len(name) + 1 : end], at, end, name)
    return Token("word", text[at:end], at, end)


def _closing(flat: str, at: int) -> int:
    end = flat.find('"', at + 1)
    if end < 0:
        raise QueryError("unclosed_quote", at, 1, "引号没有闭合", "unclosed quote", f'{flat}"')
    return end
