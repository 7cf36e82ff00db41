"""The column that a server shows posts from: what goes in comes out, and nothing else is believed."""

from __future__ import annotations

from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.answers import Hit
from index.ast import All, Word
from index.body import unpacked
from index.document import COUNTERS, to_document
from index.elastic_content import COLUMNS, DICTIONARIES, FIELD, column, read, record
from index.elastic_document import answer, stored
from keqing.errors import IndexFault, IndexOutdated
from keqing.records import Corrected, Mention, Polarity
from tests.contracts.index.made import T0, mention

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
numbers = st.none() | st.integers(0, 2**60)
moments = st.integers(0, 2**32).map(lambda n: datetime.fromtimestamp(n + n % 999 / 1e6, UTC))


@st.composite
def mentions(draw: st.DrawFn) -> Mention:
    """Posts with anything in text, title, counters and times."""
    made = mention(
        draw(st.integers(0, 9)),
        draw(texts),
        title=draw(st.none() | texts),
        severe=draw(st.lists(st.floats(0, 1), max_size=2)),
        risk=draw(st.none() | st.floats(0, 100)),
        collected=draw(moments),
        polarity=draw(st.sampled_from(list(Polarity))),
        brands=draw(st.lists(st.text(min_size=1, max_size=3), max_size=3, unique=True)),
        author_role=draw(st.none() | texts),
    )
    counted = {name: draw(numbers) for name in ("likes", "comments", "reposts", "views")}
    post = made.post.model_copy(
        update={
            "engagement": made.post.engagement.model_copy(update=counted),
            "rating": draw(st.none() | st.floats(1, 5)),
            "flags": tuple(draw(st.lists(texts, max_size=2))),
        }
    )
    return made.model_copy(update={"post": post, "p_negative": draw(st.floats(0, 1))})


def hit_of(said: bytes, **more: Any) -> dict[str, Any]:
    """A hit with this record."""
    columns = {"id": ["weibo:1"], FIELD: [b64encode(said).decode()]}
    return {"_index": "keqing-mentions-v4-1-2026.11", "fields": columns, **more}


@given(mentions())
def test_what_goes_in_comes_out(made: Mention) -> None:
    """Content, counters and the time of collection, whatever stands in them."""
    doc = to_document(made)
    kept, collected_at, counters = read(b64decode(column(doc)))
    assert kept == unpacked(doc.body)
    assert collected_at == made.post.collected_at
    assert counters == {name: doc.counters[name] for name in COUNTERS}


@given(mentions())
def test_a_hit_is_whole(made: Mention) -> None:
    """It is made field by field from the column: none is missing, none is strange, times are aware."""
    doc = to_document(made)
    hit = answer(hit_of(record(doc)), Word("差"), similar=3)
    assert hit == Hit(**vars(hit))
    assert (hit.text, hit.title, hit.likes) == (
        made.post.text, made.post.title, made.post.engagement.likes,
    )  # fmt: skip
    assert hit.published_at == (made.post.published_at or made.post.first_seen_at)
    assert hit.published_at.tzinfo is not None
    assert hit.detail["similar"] == 3


def test_a_correction_and_a_long_post_are_kept() -> None:
    """What staff set stands in the detail; a text of any length is one column."""
    long = mention(1, " ".join(f"第{n} 段" for n in range(40_000)))
    said = Corrected(
        field="polarity", model="negative", to="positive", by="a", at=T0, reason="讽刺"
    )
    hit = answer(hit_of(record(to_document(long.model_copy(update={"corrected": (said,)})))), All())
    assert hit.text == long.post.text
    assert hit.detail["corrected"] == [{**said.model_dump(), "at": "2026-11-20T16:00:00Z"}]


def test_what_is_stored_beside_the_column_repeats_no_text() -> None:
    """The stored object holds the words to find a post by, and the post itself only in the column."""
    made = stored(to_document(mention(1, "客服 态度 差", url="https://weibo.example/1")))
    del made[FIELD]
    assert "客服态度差" not in str(made)


def test_an_unknown_dictionary_is_refused_with_its_place() -> None:
    """A column of a later version is neither guessed nor skipped; the sentence says what to do."""
    said = record(to_document(mention(1)))
    later = max(DICTIONARIES) + 1
    with pytest.raises(IndexOutdated) as refused:
        answer(hit_of(bytes((later,)) + said[1:]), All())
    for part in (
        "keqing-mentions-v4-1-2026.11",
        "weibo:1",
        f"dictionary {later}",
        "keqing rebuild",
    ):
        assert part in str(refused.value)


@pytest.mark.parametrize("cut", [0, 1, 7, -1])
def test_a_damaged_column_is_refused_with_its_place(cut: int) -> None:
    """Half a record, none, or a column that is not there."""
    said = record(to_document(mention(1)))[:cut]
    with pytest.raises(IndexFault, match=r"2026\.11, weibo:1"):
        answer(hit_of(said), All())
    with pytest.raises(IndexFault, match=r"weibo:7.*no column"):
        answer({"_index": "i", "fields": {}, "sort": [1, 2, "weibo:7"]}, All())


def test_many_threads_squeeze_at_once() -> None:
    """Pages, loads and exports of one process share the dictionary."""
    docs = [to_document(mention(n, "客服 差 " * (n % 50))) for n in range(200)]

    def both(at: int) -> bool:
        return all(read(record(d)).kept["id"] == d.id for d in docs[at:] + docs[:at])

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(both, range(0, 200, 25)))


def test_no_stored_field_is_asked_for() -> None:
    """One stored field, even `_id`, unpacks a hundred posts for each post."""
    assert COLUMNS == {"_source": False, "stored_fields": "_none_"}
