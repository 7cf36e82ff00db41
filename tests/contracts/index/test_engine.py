"""What every index engine promises."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.answers import Count, IndexEngine, Window
from index.ast import All, And, Near, Node, Not, Or, Phrase, Range, Tag, Word
from index.document import to_document
from index.matcher import matches
from index.sqlite import SqliteEngine
from keqing.errors import UsageError
from keqing.records import Mention, Polarity
from tests.contracts.index.made import T0, mention

DAY = Window(T0, T0 + timedelta(days=1))


def ids(engine: IndexEngine, node: Node, window: Window | None = None) -> set[str]:
    return {hit.id for hit in engine.search(node, window, size=1000).hits}


def test_the_same_batch_three_times_is_once(engine: IndexEngine) -> None:
    """A repeated batch changes nothing and says so."""
    batch = [mention(n) for n in range(5)]
    assert engine.upsert(batch, T0).created == 5
    generation = engine.generation()
    assert engine.upsert(batch[::-1], T0).unchanged == 5
    assert engine.upsert(batch, T0).unchanged == 5
    assert engine.generation() == generation
    assert engine.count(All(), None) == Count(5, 5, 5)


def test_the_newer_snapshot_wins_in_any_order(engine: IndexEngine) -> None:
    """An older snapshot that arrives late is stale; moved counters are not a change of text."""
    new = mention(1, "退款 快", collected=T0 + timedelta(hours=1), likes=9)
    engine.upsert([new], T0)
    assert engine.upsert([mention(1, "退款 慢", likes=1)], T0).stale == 1
    assert ids(engine, Word("快")) == {"weibo:1"}
    assert ids(engine, Range("likes", 9, None)) == {"weibo:1"}


@pytest.mark.parametrize("token", ["😀", "5.1", "c++", "café", "（", "covid-19", "a*b"])
def test_odd_tokens_are_found(engine: IndexEngine, token: str) -> None:
    """Emoji, versions, marks and accented words are tokens like any other."""
    engine.upsert([mention(1, f"前 {token} 后"), mention(2, "前 后")], T0)
    assert ids(engine, Word(token)) == {"weibo:1"}


def test_paging_shows_every_post_once(engine: IndexEngine) -> None:
    """Cursors walk all posts, newest first, also among equal times."""
    engine.upsert([mention(n, at=T0 + timedelta(minutes=n // 4)) for n in range(23)], T0)
    seen: list[str] = []
    cursor = None
    while True:
        page = engine.search(All(), None, size=5, cursor=cursor)
        assert page.total.posts == 23
        seen += [hit.id for hit in page.hits]
        if (cursor := page.next_cursor) is None:
            break
    assert len(seen) == len(set(seen)) == 23
    times = [hit.published_at for hit in engine.get(seen)]
    assert times == sorted(times, reverse=True)


def test_a_foreign_cursor_is_refused(engine: IndexEngine) -> None:
    """A cursor that we did not make is a usage error, never a wrong page."""
    with pytest.raises(UsageError, match="cursor"):
        engine.search(All(), None, cursor="x")


def test_folding_shows_one_post_a_story(engine: IndexEngine) -> None:
    """Copies stand behind one post, which says how many they are."""
    engine.upsert([mention(n, story="same") for n in range(4)] + [mention(9)], T0)
    page = engine.search(All(), None, sort="similar", fold=True)
    assert [(hit.story, hit.detail["similar"]) for hit in page.hits] == [("same", 4), ("s9", 1)]
    assert page.total == Count(5, 2, 5)


def test_series_are_dense_and_bounded(engine: IndexEngine) -> None:
    """Every step stands in a series, zeros too; the window is half-open."""
    engine.upsert(
        [mention(0), mention(1, polarity=Polarity.POSITIVE, voice=False), mention(59), mention(60)],
        T0,
    )
    series = engine.counts(["tea"], Window(T0, T0 + timedelta(hours=1)), 900)["tea"]
    assert series.starts[0] == T0
    assert series.posts == (2, 0, 0, 1)
    assert series.negative == (1, 0, 0, 1)
    assert series.positive == (1, 0, 0, 0)
    assert (series.voices, series.negative_voices) == ((1, 0, 0, 1), (1, 0, 0, 1))


def test_a_post_of_this_very_second_is_seen(engine: IndexEngine) -> None:
    """A window that ends within a second holds the posts of that second; a whole end does not."""
    engine.upsert([mention(0, severe=[0.9], seen=T0 + timedelta(milliseconds=300))], T0)
    start = T0 - timedelta(hours=1)
    within = Window(start, T0 + timedelta(milliseconds=700), "first_seen")
    assert len(engine.document_alarms(within, 0.8)) == 1
    assert engine.document_alarms(Window(start, T0, "first_seen"), 0.8) == []


def test_backfill_without_time_is_searchable_and_never_counted(engine: IndexEngine) -> None:
    """An import without times answers searches, but no series and no alarm knows it."""
    engine.upsert([mention(1, at=None, seen=T0, backfill=True, severe=[0.95])], T0)
    assert ids(engine, Word("差")) == {"weibo:1"}
    assert sum(engine.counts(["tea"], DAY, 3600)["tea"].posts) == 0
    assert engine.document_alarms(Window(DAY.start, DAY.end, "first_seen"), 0.8) == []


def test_document_alarms_are_sure_and_about_us(engine: IndexEngine) -> None:
    """Only a post with a brand and a sure severity class alarms alone."""
    engine.upsert(
        [mention(1, severe=[0.9]), mention(2, severe=[0.5]), mention(3, brands=(), severe=[1.0])],
        T0,
    )
    alarms = engine.document_alarms(Window(DAY.start, DAY.end, "first_seen"), 0.8)
    assert [hit.id for hit in alarms] == ["weibo:1"]
    assert alarms[0].detail["severity"][0]["confidence"] == 0.9


def test_counts_by_and_keywords(engine: IndexEngine) -> None:
    """Shares come with their negatives; a word that is new here stands above an everyday word."""
    quiet = [
        mention(n, "茶 好", polarity=Polarity.POSITIVE, at=T0 - timedelta(days=2))
        for n in range(50, 70)
    ]
    engine.upsert([*quiet, mention(1, "茶 异物", source="demo-forum"), mention(2, "茶 异物")], T0)
    by = {b.value: (b.posts, b.negative) for b in engine.counts_by("source", All(), None)}
    assert by == {"demo-weibo": (21, 1), "demo-forum": (1, 1)}
    month = Window(T0 - timedelta(days=28), T0)
    assert engine.keywords(All(), DAY, month)[0].word == "异物"


def test_highlight_marks_matched_words_only(engine: IndexEngine) -> None:
    """Spans lie on the words that made the post an answer."""
    engine.upsert([mention(1, "客服 态度 差 客服")], T0)
    hit = engine.search(Or((Phrase(("态度", "差")), Word("无"))), None).hits[0]
    assert [(hit.text or "")[a:b] for a, b in hit.spans] == ["态度差"]


def test_what_is_erased_is_gone(tmp_path: Path) -> None:
    """After erasure no byte of the text is left in the index's files."""
    engine = SqliteEngine(tmp_path / "e.db")
    engine.upsert([mention(1, "绝密词汇甲 乙"), mention(2)], T0)
    assert engine.erase_ids(["weibo:1", "weibo:none"]) == 1
    engine.close()
    assert not any("绝密词汇甲".encode() in f.read_bytes() for f in tmp_path.iterdir())


words = st.sampled_from(["客服", "差", "好", "a.b", "😀"])
docs = st.lists(st.lists(words, min_size=1, max_size=6), min_size=1, max_size=6)
leaf = st.one_of(
    words.map(Word),
    st.lists(words, min_size=2, max_size=3).map(lambda w: Phrase(tuple(w))),
    st.tuples(words, words, st.integers(1, 3))
    .filter(lambda t: t[0] != t[1])
    .map(lambda t: Near(Phrase((t[0],)), Phrase((t[1],)), t[2])),
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


def drawn(texts: list[list[str]]) -> list[Mention]:
    return [
        mention(n, " ".join(text), likes=n if n % 2 else None, polarity=list(Polarity)[n % 3])
        for n, text in enumerate(texts)
    ]


@given(docs, st.lists(trees, min_size=1, max_size=5))
def test_an_engine_answers_as_the_matcher(texts: list[list[str]], queries: list[Node]) -> None:
    """On random posts and queries the engine finds exactly what the reference matcher does."""
    mentions = drawn(texts)
    with TemporaryDirectory() as folder:
        engine = SqliteEngine(Path(folder) / "e.db")
        engine.upsert(mentions, T0)
        for query in queries:
            expected = {m.post.id for m in mentions if matches(query, to_document(m).fields())}
            assert ids(engine, query) == expected
        engine.close()
