"""The boolean language: what staff type means what the page prints back, and errors have places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.ast import All, And, Near, Node, Not, Or, Phrase, Range, Tag, Word
from index.language import parse, show
from index.lexer import half_width
from index.matcher import Fields, matches
from keqing.errors import QueryError


def segment(text: str) -> list[str]:
    return text.lower().split()


def read(text: str) -> Node:
    return parse(text, segment)


@pytest.mark.parametrize(
    ("typed", "tree"),
    [
        ("", All()),
        ("客服", Word("客服")),
        ("客服 差", And((Word("客服"), Word("差")))),
        ("客服 | 差评 退货", Or((Word("客服"), And((Word("差评"), Word("退货")))))),
        ("客服 或 差评", Or((Word("客服"), Word("差评")))),
        ("或许", Word("或许")),
        ("非常 非 好", And((Word("非常"), Not(Word("好"))))),
        ("-招聘", Not(Word("招聘"))),
        ('"退款 太慢"', Phrase(("退款", "太慢"))),
        ("“退款 太慢”", Phrase(("退款", "太慢"))),
        ("A NEAR/5 B", Near(Phrase(("a",)), Phrase(("b",)), 5)),
        ("（质量｜客服）近/3 差", Or((Near(Phrase(("质量",)), Phrase(("差",)), 3),
                                     Near(Phrase(("客服",)), Phrase(("差",)), 3)))),
        ("情感:负面", Tag("polarity", "negative")),
        ("来源：demo-forum", Tag("source", "demo-forum")),
        ("转发>=100", Range("reposts", 100.0, None)),
        ("星级<=2", Range("rating", None, 2.0)),
        ("c++ COVID-19", And((Word("c++"), Word("covid-19")))),
        ("http://a.b", Word("http://a.b")),
    ],
)  # fmt: skip
def test_what_is_typed_is_understood(typed: str, tree: Node) -> None:
    """Each form of the language gives exactly this tree."""
    assert read(typed) == tree


@pytest.mark.parametrize(
    ("typed", "code", "offset", "suggestion"),
    [
        ('客服 "差', "unclosed_quote", 3, '客服 "差"'),
        ("(客服", "unclosed_bracket", 0, ""),
        ("客服)", "stray_bracket", 2, ""),
        ("客服 ()", "empty_group", 4, ""),
        ("客服 AND", "missing_operand", 5, ""),
        ("AND OR x", "missing_operand", 0, ""),
        ("😀 来原:x", "unknown_field", 2, "来源"),
        ("情感:坏", "bad_value", 0, ""),
        ("a 近/99 b", "bad_distance", 2, ""),
        ("a 近/5 a", "same_word", 2, ""),
        ("-a 近/5 (b c)", "bad_near", 3, ""),
        ("(" * 21 + "a" + ")" * 21, "too_deep", 20, ""),
        ("a " * 201, "too_many_terms", 400, ""),
        ("长" * 2001, "too_long", 2000, ""),
    ],
)
def test_mistakes_are_named_with_their_place(
    typed: str, code: str, offset: int, suggestion: str
) -> None:
    """Code, offset in code points and suggestion are those of the mistake."""
    with pytest.raises(QueryError) as caught:
        read(typed)
    assert (caught.value.code, caught.value.offset) == (code, offset)
    assert caught.value.suggestion == suggestion


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_with_a_place(typed: str) -> None:
    """No text raises anything but QueryError, and its place lies in the text."""
    error = refusal(typed)
    if error is not None:
        assert 0 <= error.offset <= len(typed)
        assert error.offset + error.length <= len(typed) + 1


def refusal(typed: str) -> QueryError | None:
    try:
        read(typed)
    except QueryError as error:
        return error
    return None


words = st.sampled_from(["客服", "差", "a", "c++", "😀"])
leaf = st.one_of(
    words.map(Word),
    st.lists(words, min_size=2, max_size=3).map(lambda w: Phrase(tuple(w))),
    st.tuples(words, words, st.integers(1, 50))
    .filter(lambda t: t[0] != t[1])
    .map(lambda t: Near(Phrase((t[0],)), Phrase((t[1],)), t[2])),
    st.sampled_from([Tag("polarity", "negative"), Tag("source", "demo forum")]),
    st.integers(1, 99).map(lambda n: Range("likes", float(n), None)),
)
trees = st.recursive(
    leaf,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda p: And(tuple(p))),
        st.lists(inner, min_size=2, max_size=3).map(lambda p: Or(tuple(p))),
    ),
    max_leaves=8,
)


def flat(node: Node) -> Node:
    """The same tree with nested And in And and Or in Or joined."""
    if isinstance(node, Not):
        return Not(flat(node.part))
    if isinstance(node, And | Or):
        kind, parts = type(node), [flat(part) for part in node.parts]
        joined = [p for part in parts for p in (part.parts if isinstance(part, kind) else (part,))]
        return kind(tuple(joined))
    return node


@given(trees)
def test_what_is_shown_is_read_back(tree: Node) -> None:
    """parse(show(tree)) is the tree."""
    assert read(show(flat(tree))) == flat(tree)


@given(trees, st.lists(words, max_size=6), st.lists(words, max_size=2))
def test_not_is_the_rest(tree: Node, text: list[str], title: list[str]) -> None:
    """A document matches a query or its negation, never both or neither."""
    doc = Fields(text, title, frozenset({("polarity", "negative")}), {"likes": None})
    assert matches(tree, doc) != matches(Not(tree), doc)


def test_positions_survive_full_width() -> None:
    """Reading full-width marks as half-width changes no position."""
    text = "（客服｜差）－退货　“x”"
    assert len(half_width(text)) == len(text)


def test_near_counts_the_tokens_between() -> None:
    """Two words match when at most n tokens stand between them, in either order."""
    doc = Fields("差 一 二 客服".split())
    near = Near(Phrase(("客服",)), Phrase(("差",)), 2)
    assert matches(near, doc)
    assert not matches(Near(near.left, near.right, 1), doc)


def test_unknown_counters_match_nothing() -> None:
    """A counter that is unknown is not 0."""
    assert not matches(Range("likes", None, 5.0), Fields(counters={"likes": None}))
