"""An engine finds exactly what the reference matcher does, on random posts and queries."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.answers import IndexEngine, Window
from index.ast import All, And, Near, Node, Not, Or, Phrase, Range, Tag, Word
from index.document import to_document
from index.matcher import matches
from keqing.records import Mention, Polarity
from tests.contracts.index.made import T0, mention

HOUR = timedelta(hours=1)
hours = count()

words = st.sampled_from(["客服", "差", "好", "a.b", "😀", "（", "c++", "e\u0301"])
docs = st.lists(st.lists(words, min_size=1, max_size=6), min_size=1, max_size=6)
sides = st.lists(words, min_size=1, max_size=2).map(tuple)
leaf = st.one_of(
    words.map(Word),
    st.lists(words, min_size=2, max_size=3).map(lambda w: Phrase(tuple(w))),
    st.tuples(sides, sides, st.integers(1, 3))
    .filter(lambda t: t[0] != t[1])
    .map(lambda t: Near(Phrase(t[0]), Phrase(t[1]), t[2])),
    st.sampled_from([Tag("source", "demo-weibo"), Tag("polarity", "positive"), All()]),
    st.integers(0, 5).map(lambda n: Range("likes", float(n), None)),
)
trees = st.recursive(
    leaf,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda p: And(tuple(p))),
        st.lists(inner, min_size=2, max_size=3).map(lambda p: Or(tuple(p))),
    ),
    max_leaves=6,
)


def drawn(texts: list[list[str]], at: datetime) -> list[Mention]:
    return [
        mention(
            n,
            " ".join(text),
            at=at + timedelta(seconds=n),
            collected=at,
            title=" ".join(text[::-1]) if n % 2 else None,
            likes=n if n % 2 else None,
            polarity=list(Polarity)[n % 3],
        )
        for n, text in enumerate(texts)
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=docs, queries=st.lists(trees, min_size=1, max_size=5))
def test_an_engine_answers_as_the_matcher(
    engine: IndexEngine, texts: list[list[str]], queries: list[Node]
) -> None:
    """On random posts and queries the engine finds exactly what the reference matcher does.

    Every example has an hour of its own, the same ids, and so moves its posts there.
    """
    at = T0 + next(hours) * HOUR
    mentions = drawn(texts, at)
    engine.upsert(mentions, at)
    engine.refresh()
    for query in queries:
        expected = {m.post.id for m in mentions if matches(query, to_document(m).fields())}
        page = engine.search(query, Window(at, at + HOUR), size=100)
        assert {hit.id for hit in page.hits} == expected
        assert page.total.posts == len(expected)
