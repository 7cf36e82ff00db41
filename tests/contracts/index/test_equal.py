"""Both engines give the same answers to every question, on one corpus over several months."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from index.answers import Hit, IndexEngine, Sort, Window
from index.ast import All, And, Node, Not, Or, Range, Tag, Word
from index.fields import COUNTED
from index.sqlite import SqliteEngine
from keqing.records import Mention, Polarity
from tests.contracts.index.made import T0, mention
from tests.elastic.servers import Node as Server
from tests.elastic.servers import fresh

pytestmark = pytest.mark.xdist_group("elasticsearch")
Pair = tuple[IndexEngine, IndexEngine]
SINCE = T0 - timedelta(days=70)
WHOLE = Window(SINCE, T0 + timedelta(days=1))
WEEK = Window(T0 - timedelta(days=7), T0)
SEEN = Window(WEEK.start, WEEK.end, "first_seen")
NODES: list[Node] = [
    All(),
    Tag("brand", "tea"),
    And((Tag("brand", "tea"), Not(Word("好")))),
    Or((Word("w3"), Range("likes", 5, 9), Tag("source", "s1"))),
    Word("无"),
]


def corpus() -> list[Mention]:
    """500 posts, uneven in everything, with copies, gaps and equal seconds."""
    draw = random.Random(7)
    made = []
    for n in range(500):
        at = SINCE + timedelta(seconds=draw.randrange(70 * 24) * 3600 + n % 3)
        words = [f"w{int(draw.paretovariate(0.6)) % 200}" for _ in range(draw.randint(1, 8))]
        made.append(
            mention(
                n,
                " ".join([draw.choice(["差", "好", "客服"]), *words]),
                at=None if n % 97 == 0 else at,
                seen=at + timedelta(minutes=draw.randint(0, 300)),
                backfill=n % 97 == 0,
                source=f"s{n % 4}",
                brands=draw.choice([("tea",), ("tea", "inn"), ("inn",), ()]),
                polarity=draw.choice(list(Polarity)),
                voice=n % 3 > 0,
                author=f"k1:{n % 50}",
                story=f"st{int(draw.paretovariate(0.8)) % 120}",
                risk=round(draw.random(), 2) if n % 5 else None,
                likes=draw.choice([None, 0, 3, 7, 9]),
                severe=[draw.random()] if n % 7 == 0 else [],
            )
        )
    return made


@pytest.fixture(scope="module")
def both(node: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The embedded engine and a server with the same posts, loaded in another order."""
    embedded = SqliteEngine(Path(tmp_path_factory.mktemp("equal")) / "e.db")
    posts = corpus()
    with fresh(node) as server:
        embedded.upsert(posts, T0)
        server.upsert(posts[::-1], T0)
        server.refresh()
        yield embedded, server
    embedded.close()


def walk(engine: IndexEngine, node: Node, sort: Sort, fold: bool) -> list[Hit]:
    """All pages of a search."""
    hits: list[Hit] = []
    cursor = None
    while True:
        page = engine.search(node, WHOLE, sort, 61, cursor, fold)
        hits += page.hits
        if (cursor := page.next_cursor) is None:
            return hits


@pytest.mark.parametrize("fold", [False, True], ids=["every", "folded"])
@pytest.mark.parametrize("sort", ["time", "risk", "interactions", "similar"])
@pytest.mark.parametrize("n", range(len(NODES)))
def test_pages_are_equal(both: Pair, n: int, sort: Sort, fold: bool) -> None:
    """Every hit, in the same order, with its marks and its number of copies."""
    left, right = (walk(engine, NODES[n], sort, fold) for engine in both)
    assert [hit.id for hit in left] == [hit.id for hit in right]
    assert left == right
    assert len({hit.id for hit in left}) == len(left)


@pytest.mark.parametrize("window", [None, WHOLE, WEEK, SEEN])
@pytest.mark.parametrize("n", range(len(NODES)))
def test_totals_are_equal(both: Pair, n: int, window: Window | None) -> None:
    """Posts, stories and voices, on both clocks."""
    left, right = (engine.count(NODES[n], window) for engine in both)
    assert left == right


@pytest.mark.parametrize("step_s", [300, 3600, 86_400])
@pytest.mark.parametrize("window", [WHOLE, SEEN])
@pytest.mark.parametrize("source", [None, "s2"])
def test_series_are_equal(both: Pair, step_s: int, window: Window, source: str | None) -> None:
    """Every step of every brand, in five columns."""
    shifted = replace(window, start=window.start + timedelta(minutes=7, seconds=3))
    left, right = (e.counts(["tea", "inn", "none"], shifted, step_s, source) for e in both)
    assert left == right
    assert sum(left["tea"].posts) > 0


@pytest.mark.parametrize("field", COUNTED)
def test_shares_are_equal(both: Pair, field: str) -> None:
    """Values in the same order with posts and negatives."""
    left, right = (engine.counts_by(field, All(), WHOLE) for engine in both)
    assert left == right


@pytest.mark.parametrize("size", [1, 20, 500])
@pytest.mark.parametrize("n", range(len(NODES)))
def test_words_are_equal(both: Pair, n: int, size: int) -> None:
    """The same words with the same counts and scores."""
    left, right = (engine.keywords(NODES[n], WEEK, WHOLE, size) for engine in both)
    assert left == right


def test_the_rest_is_equal(both: Pair) -> None:
    """Examples, alarms, single documents and the newest moment."""
    left, right = both
    for node in NODES:
        assert left.examples(node, WHOLE) == right.examples(node, WHOLE)
    for sure in (0.0, 0.5, 0.9):
        assert left.document_alarms(SEEN, sure) == right.document_alarms(SEEN, sure)
    assert left.document_alarms(Window(SINCE, T0, "first_seen"), 0.2) != []
    asked = [f"weibo:{n}" for n in range(0, 1000, 13)]
    assert left.get(asked) == right.get(asked)
    assert left.latest() == right.latest()
