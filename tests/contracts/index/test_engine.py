"""What every index engine promises."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from index.answers import Bucket, Count, IndexEngine, LoadReport, Window
from index.ast import All, And, Node, Not, Or, Phrase, Range, Tag, Word
from index.sqlite import SqliteEngine
from keqing.errors import UsageError
from keqing.records import Mention, Polarity
from tests.contracts.index.made import T0, mention

DAY = Window(T0, T0 + timedelta(days=1))


def put(engine: IndexEngine, mentions: list[Mention], now: datetime = T0) -> LoadReport:
    """Store and make visible."""
    report = engine.upsert(mentions, now)
    engine.refresh()
    return report


def ids(engine: IndexEngine, node: Node, window: Window | None = None) -> set[str]:
    return {hit.id for hit in engine.search(node, window, size=1000).hits}


def test_the_same_batch_three_times_is_once(engine: IndexEngine) -> None:
    """A repeated batch changes nothing and says so."""
    batch = [mention(n) for n in range(5)]
    assert put(engine, batch, T0).created == 5
    generation = engine.generation()
    assert put(engine, batch[::-1], T0).unchanged == 5
    assert put(engine, batch, T0).unchanged == 5
    assert engine.generation() == generation
    assert engine.count(All(), None) == Count(5, 5, 5)


def test_the_newer_snapshot_wins_in_any_order(engine: IndexEngine) -> None:
    """An older snapshot that arrives late is stale; moved counters are not a change of text."""
    new = mention(1, "退款 快", collected=T0 + timedelta(hours=1), likes=9)
    put(engine, [new], T0)
    assert put(engine, [mention(1, "退款 慢", likes=1)], T0).stale == 1
    assert ids(engine, Word("快")) == {"weibo:1"}
    assert ids(engine, Range("likes", 9, None)) == {"weibo:1"}


@pytest.mark.parametrize("token", ["😀", "5.1", "c++", "café", "（", "covid-19", "a*b"])
def test_odd_tokens_are_found(engine: IndexEngine, token: str) -> None:
    """Emoji, versions, marks and accented words are tokens like any other."""
    put(engine, [mention(1, f"前 {token} 后"), mention(2, "前 后")], T0)
    assert ids(engine, Word(token)) == {"weibo:1"}


def test_paging_shows_every_post_once(engine: IndexEngine) -> None:
    """Cursors walk all posts, newest first, also among equal times."""
    put(engine, [mention(n, at=T0 + timedelta(minutes=n // 4)) for n in range(23)], T0)
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
    put(engine, [mention(n, story="same") for n in range(4)] + [mention(9)], T0)
    page = engine.search(All(), None, sort="similar", fold=True)
    assert [(hit.story, hit.detail["similar"]) for hit in page.hits] == [("same", 4), ("s9", 1)]
    assert page.total == Count(5, 2, 5)


def test_series_are_dense_and_bounded(engine: IndexEngine) -> None:
    """Every step stands in a series, zeros too; the window is half-open."""
    put(
        engine,
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
    put(engine, [mention(0, severe=[0.9], seen=T0 + timedelta(milliseconds=300))], T0)
    start = T0 - timedelta(hours=1)
    within = Window(start, T0 + timedelta(milliseconds=700), "first_seen")
    assert len(engine.document_alarms(within, 0.8)) == 1
    assert engine.document_alarms(Window(start, T0, "first_seen"), 0.8) == []


def test_backfill_without_time_is_searchable_and_never_counted(engine: IndexEngine) -> None:
    """An import without times answers searches, but no series and no alarm knows it."""
    put(engine, [mention(1, at=None, seen=T0, backfill=True, severe=[0.95])], T0)
    assert ids(engine, Word("差")) == {"weibo:1"}
    assert sum(engine.counts(["tea"], DAY, 3600)["tea"].posts) == 0
    assert engine.document_alarms(Window(DAY.start, DAY.end, "first_seen"), 0.8) == []


def test_document_alarms_are_sure_and_about_us(engine: IndexEngine) -> None:
    """Only a post with a brand and a sure severity class alarms alone."""
    put(
        engine,
        [mention(1, severe=[0.9]), mention(2, severe=[0.5]), mention(3, brands=(), severe=[1.0])],
        T0,
    )
    alarms = engine.document_alarms(Window(DAY.start, DAY.end, "first_seen"), 0.8)
    assert [hit.id for hit in alarms] == ["weibo:1"]
    assert alarms[0].detail["severity"][0]["confidence"] == 0.9


def test_a_danger_that_is_denied_is_not_found_under_its_class(engine: IndexEngine) -> None:
    """A class counts from an even chance on; what is less sure stays in the post's detail."""
    engine.upsert([mention(1, severe=[0.3]), mention(2, severe=[0.5])], T0)
    engine.refresh()
    assert ids(engine, Tag("severity", "食品安全")) == {"weibo:2"}
    denied = engine.get(["weibo:1"])[0]
    assert (denied.severity, denied.detail["severity"][0]["confidence"]) == ((), 0.3)


def test_counts_by_and_keywords(engine: IndexEngine) -> None:
    """Shares come with their negatives; a word that is new here stands above an everyday word."""
    quiet = [
        mention(n, "茶 好", polarity=Polarity.POSITIVE, at=T0 - timedelta(days=2))
        for n in range(50, 70)
    ]
    put(engine, [*quiet, mention(1, "茶 异物", source="demo-forum"), mention(2, "茶 异物")], T0)
    by = {b.value: (b.posts, b.negative) for b in engine.counts_by("source", All(), None)}
    assert by == {"demo-weibo": (21, 1), "demo-forum": (1, 1)}
    month = Window(T0 - timedelta(days=28), T0)
    assert engine.keywords(All(), DAY, month)[0].word == "异物"


def test_events_and_segments_are_counted(engine: IndexEngine) -> None:
    """Posts of an event and of a segment are found by their tag, and counted as often as found."""
    put(
        engine,
        [
            mention(1, event="E1", author_role="customer"),
            mention(2, event="E1", author_role="employee?", polarity=Polarity.POSITIVE),
            mention(3, event="e2", author_role="customer", brands=("tea", "cake")),
            mention(4),
        ],
        T0,
    )
    assert engine.counts_by("event", All(), None) == [Bucket("e1", 2, 1), Bucket("e2", 1, 1)]
    assert engine.counts_by("event", Tag("brand", "cake"), None) == [Bucket("e2", 1, 1)]
    segments = engine.counts_by("segment", All(), None)
    assert segments == [Bucket("customer", 2, 2), Bucket("employee?", 1, 0)]
    assert ids(engine, Tag("event", "E1")) == {"weibo:1", "weibo:2"}
    assert ids(engine, Tag("segment", "employee?")) == {"weibo:2"}
    put(engine, [mention(1, event="e2", author_role="kol", collected=T0 + timedelta(hours=9))], T0)
    assert engine.counts_by("event", All(), None) == [Bucket("e2", 2, 2), Bucket("e1", 1, 0)]
    assert engine.erase_ids(["weibo:1", "weibo:3"]) == 2
    engine.refresh()
    assert engine.counts_by("event", All(), None) == [Bucket("e1", 1, 0)]


def packed(*coordinates: int) -> str:
    return b64encode(
        bytes(c & 0xFF for c in (*coordinates, *[0] * (512 - len(coordinates))))
    ).decode()


def test_similar_posts_are_other_stories_of_the_brand(engine: IndexEngine) -> None:
    """By cosine, likest first; never the post's own story, another brand or outside the window."""
    engine.upsert(
        [
            mention(1, story="a", vector=packed(100, 0)),
            mention(2, story="a"),  # a copy: found by its story
            mention(3, story="b", vector=packed(90, -10)),
            mention(4, story="c", vector=packed(50, 50)),
            mention(5, story="d", vector=packed(100, 1), brands=("bank",)),
            mention(6, story="e", vector=packed(100, 2), at=T0 - timedelta(days=9)),
            mention(7, story="f", vector=packed(-100, 0)),
            mention(8, story="g"),
        ],
        T0,
    )
    engine.refresh()
    for asked in ("weibo:1", "weibo:2"):
        found = engine.similar(asked, DAY, size=2)
        assert [one.hit.id for one in found] == ["weibo:3", "weibo:4"]
        assert [one.cosine for one in found] == pytest.approx([0.9939, 0.7071], abs=1e-4)
    assert [one.hit.id for one in engine.similar("weibo:1", None)][:2] == ["weibo:6", "weibo:3"]
    assert [one.cosine for one in engine.similar("weibo:1", DAY)][-1] == pytest.approx(-1.0)
    assert engine.similar("weibo:8", DAY) == engine.similar("weibo:none", DAY) == []


def test_a_vector_follows_its_post(engine: IndexEngine) -> None:
    """A newer snapshot replaces the vector, and what is erased is no neighbour any more."""
    engine.upsert([mention(1, vector=packed(1)), mention(2, vector=packed(0, 9))], T0)
    later = T0 + timedelta(hours=1)
    assert engine.upsert([mention(2, vector=packed(5), collected=later)], T0).changed == 1
    engine.refresh()
    assert [(s.hit.id, s.cosine) for s in engine.similar("weibo:1", None)] == [("weibo:2", 1.0)]
    engine.erase_ids(["weibo:2"])
    engine.refresh()
    assert engine.similar("weibo:1", None) == []


def test_a_damaged_vector_is_refused_with_its_post(engine: IndexEngine) -> None:
    """Bytes that are no vector are reported, the others go in."""
    bad = [mention(1, vector="AAAA"), mention(2, vector=packed(0)), mention(3, vector=packed(1))]
    report = engine.upsert(bad, T0)
    assert (report.created, [id_ for id_, _ in report.rejected]) == (1, ["weibo:1", "weibo:2"])


def test_highlight_marks_matched_words_only(engine: IndexEngine) -> None:
    """Spans lie on the words that made the post an answer."""
    put(engine, [mention(1, "客服 态度 差 客服")], T0)
    hit = engine.search(Or((Phrase(("态度", "差")), Word("无"))), None).hits[0]
    assert [(hit.text or "")[a:b] for a, b in hit.spans] == ["态度差"]


def test_what_is_erased_is_gone(tmp_path: Path) -> None:
    """After erasure no byte of the text is left in the index's files."""
    engine = SqliteEngine(tmp_path / "e.db")
    put(engine, [mention(1, "绝密词汇甲 乙"), mention(2)], T0)
    assert engine.erase_ids(["weibo:1", "weibo:none"]) == 1
    engine.close()
    assert not any("绝密词汇甲".encode() in f.read_bytes() for f in tmp_path.iterdir())


def test_what_is_erased_is_found_no_more(engine: IndexEngine) -> None:
    """Erasure says how many documents there were, and no question knows them afterwards."""
    put(engine, [mention(1, "绝密 词"), mention(2)])
    before = engine.generation()
    assert engine.erase_ids(["weibo:1", "weibo:none"]) == 1
    assert ids(engine, All()) == {"weibo:2"}
    assert engine.get(["weibo:1"]) == []
    assert engine.generation() > before
    assert engine.erase_ids(["weibo:1"]) == 0


def test_documents_come_in_the_order_asked(engine: IndexEngine) -> None:
    """Missing ids are left out."""
    put(engine, [mention(n) for n in range(4)])
    found = [hit.id for hit in engine.get(["weibo:3", "weibo:9", "weibo:0", "weibo:3"])]
    assert found == ["weibo:3", "weibo:0", "weibo:3"]


def test_a_post_that_moves_to_another_month_is_one_post(engine: IndexEngine) -> None:
    """A corrected time takes a post along with it, also twice in one load."""
    october, december = T0 - timedelta(days=40), T0 + timedelta(days=20)
    put(engine, [mention(1, at=october), mention(2)])
    twice = [mention(1, at=T0, collected=december), mention(1, at=december, collected=december)]
    assert put(engine, twice, december).changed == 2
    assert ids(engine, All()) == {"weibo:1", "weibo:2"}
    assert engine.count(All(), None).posts == 2
    assert ids(engine, All(), Window(december, december + timedelta(hours=1))) == {"weibo:1"}
    assert put(engine, [mention(1, at=october)], december).stale == 1


def test_a_window_crosses_a_month(engine: IndexEngine) -> None:
    """A month's end in Beijing is no border to a question."""
    month_end = datetime(2026, 10, 31, 16, tzinfo=T0.tzinfo)
    moments = [month_end + timedelta(seconds=s) for s in (-2, -1, 0, 1)]
    put(engine, [mention(n, at=at) for n, at in enumerate(moments)])
    window = Window(moments[1], moments[3])
    assert ids(engine, All(), window) == {"weibo:1", "weibo:2"}
    assert engine.counts(["tea"], window, 3600)["tea"].posts == (1, 1)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"id": "weibo:" + "长" * 200}, "512 bytes"),
        ({"at": T0 + timedelta(days=3), "collected": T0}, "a day after"),
        ({"risk": float("nan")}, "risk"),
        ({"likes": 2**63}, "likes"),
    ],
)
def test_a_refused_document_holds_back_nobody(
    engine: IndexEngine, bad: dict[str, object], why: str
) -> None:
    """It is named with the reason; its neighbours go in."""
    report = put(engine, [mention(1), mention(2, **bad), mention(3)])
    assert (report.received, report.created) == (3, 2)
    [(id_, reason)] = report.rejected
    assert why in reason
    assert id_ == bad.get("id", "weibo:2")
    assert ids(engine, All()) == {"weibo:1", "weibo:3"}


def test_old_posts_are_taken(engine: IndexEngine) -> None:
    """A forum with a year 1969 is no reason to lose a post."""
    old = [datetime(year, 5, 1, tzinfo=T0.tzinfo) for year in (1969, 1999, 2014, 2016)]
    assert put(engine, [mention(n, at=at) for n, at in enumerate(old)]).created == 4
    found = [hit.id for hit in engine.search(All(), None).hits]
    assert found == ["weibo:3", "weibo:2", "weibo:1", "weibo:0"]


def test_very_long_tokens_are_whole(engine: IndexEngine) -> None:
    """A token longer than an analyzer's limit is one token: its parts are not found, it is."""
    long, other = "长" * 300, "长" * 299 + "短"
    put(engine, [mention(1, f"前 {long} 后"), mention(2, f"前 {other} 后")])
    assert ids(engine, Word(long)) == {"weibo:1"}
    assert ids(engine, Phrase(("前", other, "后"))) == {"weibo:2"}
    assert ids(engine, Word("长" * 255)) == set()


@pytest.mark.parametrize("value", ['a"b', "a' OR 1", "*", "a b", "[x TO y]", "\\", "(", "tea:x"])
def test_what_staff_type_is_only_ever_a_value(engine: IndexEngine, value: str) -> None:
    """Quotes, brackets and stars of another language mean nothing."""
    put(engine, [mention(1, f"前 {value}", source=value), mention(2)])
    assert ids(engine, Word(value)) == ({"weibo:1"} if " " not in value else set())
    assert ids(engine, Tag("source", value)) == {"weibo:1"}
    assert ids(engine, Phrase(("前", *value.split()))) == {"weibo:1"}


def test_a_query_may_be_deep_and_wide(engine: IndexEngine) -> None:
    """The language's limits (depth 20, 1,000 terms) are within the engine's."""
    put(engine, [mention(1), mention(2, "好")])
    deep: Node = Phrase(("客服", "差"))
    for _ in range(10):
        deep = Not(And((Not(Or((deep, Word("无")))), All())))
        deep = And((Or((deep, Word("无"))), Not(Tag("source", "s"))))
    assert ids(engine, deep) == {"weibo:1"}
    wide = Or((*(Word(f"w{n}") for n in range(1000)), Word("好")))
    assert ids(engine, wide) == {"weibo:2"}


def test_a_field_that_is_no_tag_is_refused(engine: IndexEngine) -> None:
    """It names the fields that can be counted."""
    with pytest.raises(UsageError, match="source"):
        engine.counts_by("text", All(), None)


def test_health_counts_documents(engine: IndexEngine) -> None:
    """An engine that works says so and how many documents it has."""
    put(engine, [mention(1), mention(2)])
    health = engine.health()
    assert health["ok"]
    assert health["documents"] == 2


def test_an_empty_index_answers(engine: IndexEngine) -> None:
    """Before the first load every question has an empty answer."""
    assert engine.latest() is None
    assert engine.count(All(), DAY) == Count(0, 0, 0)
    assert engine.search(All(), DAY, sort="similar", fold=True).hits == ()
    assert engine.counts(["tea"], DAY, 3600)["tea"].posts == (0,) * 24
    assert engine.counts_by("source", All(), None) == []
    assert engine.keywords(All(), DAY, DAY) == []
    assert engine.get(["weibo:1"]) == []
    assert engine.document_alarms(DAY, 0.5) == []
    assert engine.generation() == 0


def test_posts_are_found_by_author_and_address(engine: IndexEngine) -> None:
    """What erasure asks: all posts of a pseudonymous author, or at an address, exactly."""
    url = "https://example.org/a?b=1&c=ü#d"
    put(engine, [mention(n, author="k1:abc") for n in range(3)] + [mention(7, url=url)])
    assert engine.find("author", "k1:abc") == ["weibo:0", "weibo:1", "weibo:2"]
    assert engine.find("url", url) == ["weibo:7"]
    assert engine.find("author", "k1:ab") == engine.find("url", url[:-1]) == []


def test_months_outside_are_dropped_whole(engine: IndexEngine) -> None:
    """Retention keeps the month in which the look-back begins; nothing is kept by accident."""
    ages = [0, 20, 60, 90, 400, 6000]
    put(engine, [mention(n, at=T0 - timedelta(days=age)) for n, age in enumerate(ages)])
    before = engine.generation()
    assert engine.tidy(T0, None) == 0
    assert engine.tidy(T0, 24) == 1
    assert engine.generation() > before
    assert engine.tidy(T0, 1) == 3
    assert ids(engine, All()) == {"weibo:0", "weibo:1"}
    assert engine.tidy(T0, 1) == 0
    assert put(engine, [mention(5, at=T0 - timedelta(days=6000))]).created == 1
    assert engine.count(All(), None).posts == 3
