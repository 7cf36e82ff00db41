"""The boolean language of staff (检索式) ⇄ query tree.

In:  typed text and a segmenter. Out: a Node, or QueryError with place and suggestion.
Binding: NOT > NEAR/n > AND (also a blank, `+`, 且) > OR (`|`, 或). Recursive descent over
`lexer.tokens`; the grammar is small and every error must name its place in code points.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence

from index.ast import All, And, Leaf, Near, Node, Not, Or, Phrase, Range, Span, Tag, Word
from index.fields import COUNTERS, FIELDS, VALUES, as_counter, as_field
from index.lexer import Token, tokens
from keqing.errors import QueryError

Segment = Callable[[str], Sequence[str]]
MAX_LENGTH, MAX_TERMS, MAX_DEPTH, MAX_NEAR = 2000, 200, 20, 50


def parse(text: str, segment: Segment) -> Node:
    """Read a query; an empty one is `All`.

    Raises:
        QueryError: with offset and length in code points and, where one is near, a suggestion.
    """
    if len(text) > MAX_LENGTH:
        raise _error("too_long", MAX_LENGTH, 1, f"检索式超过 {MAX_LENGTH} 字", "query too long")
    typed = tokens(text)
    if not typed:
        return All()
    if len(typed) > MAX_TERMS:
        at = typed[MAX_TERMS]
        raise _at("too_many_terms", at, f"词项超过 {MAX_TERMS} 个", "too many terms")
    return _Parser(typed, segment, len(text)).whole()


def show(node: Node) -> str:
    """A text that `parse` reads as the same tree; brackets show the binding."""
    if isinstance(node, Or):
        return " OR ".join(_inner(part) for part in node.parts)
    if isinstance(node, And):
        return " AND ".join(_inner(part) for part in node.parts)
    return _leaf_text(node)


class _Parser:
    def __init__(self, typed: list[Token], segment: Segment, length: int) -> None:
        self.typed, self.segment, self.length = typed, segment, length
        self.at = self.depth = 0

    def whole(self) -> Node:
        node = self.any_of()
        if rest := self.peek():
            raise _at("stray_bracket", rest, "多余的右括号", "stray bracket")
        return node

    def any_of(self) -> Node:
        parts = [self.all_of()]
        while self.take("or"):
            parts.append(self.all_of())
        return _join(Or, parts)

    def all_of(self) -> Node:
        parts = [self.near()]
        while (token := self.peek()) and token.kind not in ("or", ")"):
            self.take("and")
            parts.append(self.near())
        return _join(And, parts)

    def near(self) -> Node:
        node = self.unary()
        while token := self.take("near"):
            right = self.unary()
            node = _near(node, right, token)
        return node

    def unary(self) -> Node:
        if token := self.take("not"):
            self.deeper(token)
            node = Not(self.unary())
            self.depth -= 1
            return node
        return self.primary()

    def primary(self) -> Node:
        token = self.peek()
        if token is None:
            raise _error(
                "missing_operand", max(self.length - 1, 0), 1, "缺少检索词", "missing term"
            )
        if token.kind == "(":
            return self.group(token)
        if token.kind not in ("word", "phrase", "field", "range"):
            raise _at("missing_operand", token, f"“{token.value}”前缺少检索词", "missing term")
        self.at += 1
        return self.leaf(token)

    def group(self, bracket: Token) -> Node:
        self.at += 1
        self.deeper(bracket)
        if (token := self.peek()) and token.kind == ")":
            raise _at("empty_group", token, "括号内为空", "empty group")
        node = self.any_of()
        if not self.take(")"):
            raise _at("unclosed_bracket", bracket, '缺少 ")"', "unclosed bracket")
        self.depth -= 1
        return node

    def leaf(self, token: Token) -> Node:
        if token.kind == "range":
            return _range(token)
        if token.kind == "field":
            return self.field(token)
        return self.text(token.value, token)

    def text(self, value: str, token: Token) -> Leaf:
        span = (token.start, token.end)
        words = [word for word in self.segment(value) if word.strip()]
        if not words:
            raise _at("no_word", token, "没有可检索的词", "nothing to search for")
        return Word(words[0], span) if len(words) == 1 else Phrase(tuple(words), span)

    def field(self, token: Token) -> Node:
        name = FIELDS.get(token.name)
        if name is None:
            raise _unknown_field(token)
        if not token.value:
            raise _at("bad_value", token, f"“{token.name}:”后缺少值", "missing value")
        if name == "title":
            return self.text(token.value, token)
        table = VALUES.get(name)
        value = token.value if table is None else table.get(token.value, "")
        if not value:
            allowed = "、".join(dict.fromkeys(table or ()))
            raise _at("bad_value", token, f"“{token.value}”不是可用的值：{allowed}", "bad value")
        return Tag(as_field(name), value, (token.start, token.end))

    def deeper(self, token: Token) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _at("too_deep", token, f"嵌套超过 {MAX_DEPTH} 层", "nested too deep")

    def peek(self) -> Token | None:
        return self.typed[self.at] if self.at < len(self.typed) else None

    def take(self, kind: str) -> Token | None:
        token = self.peek()
        if token is None or token.kind != kind:
            return None
        self.at += 1
        return token


def _join(kind: type[And] | type[Or], parts: list[Node]) -> Node:
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def _near(left: Node, right: Node, token: Token) -> Node:
    gap = int(token.value)
    if not 1 <= gap <= MAX_NEAR:
        raise _at("bad_distance", token, f"距离须在 1–{MAX_NEAR} 之间", "distance out of range")
    span = (token.start, token.end)
    pairs = [(a, b) for a in _phrases(left, token) for b in _phrases(right, token)]
    if any(a.tokens == b.tokens for a, b in pairs):
        raise _at("same_word", token, "两侧不能是同一个词", "both sides are the same word")
    return _join(Or, [Near(a, b, gap, span) for a, b in pairs])


def _phrases(node: Node, token: Token) -> list[Phrase]:
    if isinstance(node, Word):
        return [Phrase((node.token,), node.span)]
    if isinstance(node, Phrase):
        return [node]
    if isinstance(node, Or):
        return [phrase for part in node.parts for phrase in _phrases(part, token)]
    raise _at("bad_near", token, "“近/n”两侧只能是词、短语或其“或”", "NEAR takes words and phrases")


def _range(token: Token) -> Range:
    if token.name not in COUNTERS:
        raise _unknown_field(token)
    number = float(token.value)
    low = number if token.operator in (">", ">=", "=") else None
    high = number if token.operator in ("<", "<=", "=") else None
    if token.operator == ">":
        low = number + (0.1 if COUNTERS[token.name] == "rating" else 1)
    if token.operator == "<":
        high = number - (0.1 if COUNTERS[token.name] == "rating" else 1)
    return Range(as_counter(token.name), low, high, (token.start, token.end))


def _unknown_field(token: Token) -> QueryError:
    near = difflib.get_close_matches(token.name, [*FIELDS, *COUNTERS], n=1, cutoff=0.4)
    hint = f"，是不是“{near[0]}”？" if near else ""
    zh = f"没有“{token.name}”这个字段{hint}"
    return _at("unknown_field", token, zh, "unknown field", near[0] if near else "")


def _at(code: str, token: Token, zh: str, en: str, suggestion: str = "") -> QueryError:
    return _error(code, token.start, token.end - token.start, zh, en, suggestion)


def _error(
    code: str, offset: int, length: int, zh: str, en: str, suggestion: str = ""
) -> QueryError:
    return QueryError(code, offset, length, zh, en, suggestion)


def _inner(node: Node) -> str:
    return f"({show(node)})" if isinstance(node, And | Or) else _leaf_text(node)


def _leaf_text(node: Node) -> str:
    if isinstance(node, Not):
        tight = isinstance(node.part, Near)  # NOT binds closer than NEAR
        return f"NOT ({show(node.part)})" if tight else f"NOT {_inner(node.part)}"
    if isinstance(node, Word):
        return f'"{node.token}"'
    if isinstance(node, Phrase):
        return f'"{" ".join(node.tokens)}"'
    if isinstance(node, Near):
        return f"{_leaf_text(node.left)} NEAR/{node.gap} {_leaf_text(node.right)}"
    if isinstance(node, Tag):
        return f'{node.name}:"{node.value}"'
    if isinstance(node, Range):
        return _range_text(node)
    return ""


def _range_text(node: Range) -> str:
    if node.low == node.high:
        return f"{node.name}={node.low:g}"
    bounds = ((">=", node.low), ("<=", node.high))
    return " AND ".join(
        f"{node.name}{sign}{bound:g}" for sign, bound in bounds if bound is not None
    )


__all__ = ["Span", "parse", "show"]
