"""An engine finds exactly what the reference matcher does, on random posts and queries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.answers import IndexEngine, Window
from index.ast import All, And, Near, Node, Not, Or, Phrase, Range, Tag, Word
from index.document import to_document
from index.matcher import matches
from index.sqlite import SqliteEngine
from keqing.records import Mention, Polarity
from tests.contracts.index.made import T0, mention
from tests.elastic.servers import Node as Server
from tests.elastic.servers import fresh

HOUR = timedelta(hours=1)
hours = count()


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexEngine]:
    """One embedded engine for all examples."""
    engine = SqliteEngine(tmp_path_factory.mktemp("language") / "e.db")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def server(node: Server) -> Iterator[IndexEngine]:
    """One installation on the server for all examples."""
    with fresh(node) as engine:
        yield engine


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


def agree(engine: IndexEngine, texts: list[list[str]], queries: list[Node]) -> None:
    """Every example has an hour of its own and the same ids, and so moves its posts there."""
    at = T0 + next(hours) * HOUR
    mentions = drawn(texts, at)
    engine.upsert(mentions, at)
    engine.refresh()
    for query in queries:
        expected = {m.post.id for m in mentions if matches(query, to_document(m).fields())}
        page = engine.search(query, Window(at, at + HOUR), size=100)
        assert {hit.id for hit in page.hits} == expected
        assert page.total.posts == len(expected)


@given(texts=docs, queries=st.lists(trees, min_size=1, max_size=5))
def test_the_embedded_engine_answers_as_the_matcher(
    embedded: IndexEngine, texts: list[list[str]], queries: list[Node]
) -> None:
    """On random posts and queries it finds exactly what the reference matcher does."""
    agree(embedded, texts, queries)


@pytest.mark.xdist_group("elasticsearch")
@settings(max_examples=30)
@given(texts=docs, queries=st.lists(trees, min_size=1, max_size=10))
def test_the_server_answers_as_the_matcher(
    server: IndexEngine, texts: list[list[str]], queries: list[Node]
) -> None:
    """The same on Elasticsearch, with fewer examples of more queries."""
    agree(server, texts, queries)
