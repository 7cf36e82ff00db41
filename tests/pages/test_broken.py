"""Damaged pages: nothing raises, nothing is lost without a counted reason, nothing is made up.

Every fixture is cut, altered byte by byte, given wrong types, absurd values, new fields and wrong
encodings. What is left must still become Posts that every store takes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.pages.page import Item, Parsed
from crawlers.posts import Origin, post_of
from keqing.errors import UnreadablePage
from keqing.records import Post
from keqing.settings import SourceCard
from tests.pages.cases import Case, cases, row_of

CASES = cases()
FULL = [case for case in CASES if case.expected["rows"]]
JSON = [case for case in FULL if case.page.body.lstrip()[:1] == b"{"]
NOW = datetime(2026, 11, 25, 4, 0, 30, tzinfo=UTC)
CARD = SourceCard(
    name="a",
    title="a",
    spider="feed",
    platform="a:b",
    base_url="https://a.example/",
    channel="social",
)
ORIGIN = Origin(CARD, b"k" * 32, NOW, "run", first_walk=False)
COUNTS = ("likes", "comments", "reposts", "views", "followers", "floor")
TIMES = ("created_at", "creationTime", "created", "time", "updated")
ABSURD_TIMES = [
    "0000-00-00 00:00:00",
    "9999-12-31T23:59:59+14:00",
    "昨天 99:99",
    "1e30",
    -5,
    {},
    "刚",
]
ABSURD_COUNTS = ["-5", -5, 10**30, "1e9999", "9" * 40, "99999999999999万", 1.5, [], "many", True]

damage = st.lists(
    st.tuples(
        st.floats(0, 1), st.sampled_from(["cut", "flip", "drop", "double"]), st.integers(0, 255)
    ),
    min_size=1,
    max_size=6,
)


def damaged(body: bytes, acts: list[tuple[float, str, int]]) -> bytes:
    """A body after some acts of damage."""
    for share, act, value in acts:
        at = int(share * len(body))
        if act == "cut":
            body = body[:at]
        elif act == "flip":
            body = body[:at] + bytes([value]) + body[at + 1 :]
        elif act == "drop":
            body = body[:at] + body[at + 1 + value :]
        else:
            body = body[:at] + body[at : at + value] * 2 + body[at + value :]
    return body


def read(case: Case, body: bytes) -> Parsed | None:
    """What the parser gives; None when it refuses the body with its reason."""
    try:
        return case.parse(body)
    except UnreadablePage:
        return None


def lands(items: tuple[Item, ...]) -> None:
    """Every item becomes a Post that survives being written and read."""
    for item in items:
        if item.kind == "thread":  # a list's row is a reference, no Post
            continue
        post = post_of(item, ORIGIN, NOW)
        assert Post.model_validate_json(post.model_dump_json().encode()) == post
        counts = post.engagement
        for n in (counts.likes, counts.comments, counts.reposts, counts.views, post.floor):
            assert n is None or 0 <= n < 2**62
        assert post.rating is None or 1 <= post.rating <= 5


def reasons(parsed: Parsed) -> int:
    """How much the page says it could not use."""
    return sum(parsed.skipped.values()) + len(parsed.bad)


def told(parsed: Parsed, whole: Parsed) -> bool:
    """Whether the page gives a reason that the whole one did not give."""
    more = any(n > whole.skipped.get(name, 0) for name, n in parsed.skipped.items())
    return more or len(parsed.bad) > len(whole.bad)


@pytest.mark.parametrize("case", FULL, ids=lambda case: case.name)
@given(acts=damage)
def test_damage_is_survived(case: Case, acts: list[tuple[float, str, int]]) -> None:
    """Whatever happens to its bytes, a page is refused or gives rows that land."""
    parsed = read(case, damaged(case.page.body, acts))
    if parsed is not None:
        lands(parsed.items)
        assert parsed.items or reasons(parsed)


@pytest.mark.parametrize("case", FULL, ids=lambda case: case.name)
@given(share=st.floats(0, 1))
def test_a_cut_page_says_so(case: Case, share: float) -> None:
    """A page that ends early gives a reason as soon as a row or a link is missing."""
    whole = case.parse()
    body = case.page.body[: int(share * len(case.page.body.rstrip()))]
    parsed = read(case, body)
    if parsed is None:
        return
    lands(parsed.items)
    known = [row_of(item) for item in whole.items]
    same = [row_of(item) for item in parsed.items] == known and parsed.next_page == whole.next_page
    assert same or told(parsed, whole)


def places(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Paths of all values in a JSON document."""
    yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*path, name))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from places(inner, (*path, n))


def put(value: Any, path: tuple[Any, ...], new: object) -> Any:
    """The document with another value at a path."""
    if not path:
        return new
    copy = deepcopy(value)
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = new
    return copy


@pytest.mark.parametrize("case", JSON, ids=lambda case: case.name)
@given(data=st.data())
def test_a_wrong_type_is_no_silent_loss(case: Case, data: st.DataObject) -> None:
    """Any value of another type: every row is there, or a reason is counted."""
    document = json.loads(case.page.body)
    where = data.draw(st.sampled_from(list(places(document))))
    new = data.draw(st.sampled_from([None, [], {}, 7, "x", True, [None], {"a": 1}, -1, 1e300]))
    old = document
    for step in where:
        old = old[step]
    if not new and isinstance(old, list | dict):
        new = "nothing"  # null or an empty list for nothing is no wrong type
    parsed = read(case, json.dumps(put(document, where, new)).encode())
    assert parsed is not None
    lands(parsed.items)
    assert len(parsed.items) >= len(case.expected["rows"]) or told(parsed, case.parse())


@pytest.mark.parametrize("case", JSON, ids=lambda case: case.name)
def test_a_new_field_is_named(case: Case) -> None:
    """A field that nobody knows stands in the audit by name, and the rows are the same."""
    document = json.loads(case.page.body)
    marked = json.loads(case.page.body, object_hook=lambda d: d | {"brand_new": 1})
    assert marked != document
    parsed = read(case, json.dumps(marked).encode())
    assert parsed is not None
    assert [row_of(item) for item in parsed.items] == case.expected["rows"]
    assert any(name.endswith("brand_new") for name in parsed.unknown_fields) or case.kind.endswith(
        "extend_longtext"
    )


def replaced(document: Any, names: tuple[str, ...], new: object) -> tuple[Any, int]:
    """The document with another value in every field of these names; how many there were."""
    found = 0

    def hook(d: dict[str, Any]) -> dict[str, Any]:
        nonlocal found
        hit = [n for n in d if n in names and not isinstance(d[n], dict | list)]
        found += len(hit)
        return d | dict.fromkeys(hit, new)

    return json.loads(json.dumps(document), object_hook=hook), found


@pytest.mark.parametrize("absurd", ABSURD_TIMES, ids=str)
@pytest.mark.parametrize("case", JSON, ids=lambda case: case.name)
def test_an_absurd_time_is_counted(case: Case, absurd: object) -> None:
    """No moment is made up, the reason is counted, and every row keeps its words."""
    document, found = replaced(json.loads(case.page.body), TIMES, absurd)
    parsed = read(case, json.dumps(document).encode())
    assert parsed is not None
    assert [i.native_id for i in parsed.items] == [r["native_id"] for r in case.expected["rows"]]
    assert [i.text for i in parsed.items] == [r.get("text") for r in case.expected["rows"]]
    assert all(item.created_at is None for item in parsed.items)
    if found and any("created_at" in row for row in case.expected["rows"]):
        assert parsed.skipped.get("unreadable_time", 0) + parsed.skipped.get("future_time", 0)


COUNT_FIELDS = (
    "reposts_count", "comments_count", "attitudes_count", "followers_count", "like_count",
    "floor_number", "reads", "reply_count", "post_number", "usefulVoteCount", "replyCount",
    "replies", "recommendCount", "shareNum", "score",
)  # fmt: skip


@pytest.mark.parametrize("absurd", ABSURD_COUNTS, ids=lambda v: str(v)[:12])
@pytest.mark.parametrize("case", JSON, ids=lambda case: case.name)
def test_an_absurd_count_is_counted(case: Case, absurd: object) -> None:
    """No number is made up, the reason is counted, and every row keeps its words."""
    document, found = replaced(json.loads(case.page.body), COUNT_FIELDS, absurd)
    parsed = read(case, json.dumps(document).encode())
    assert parsed is not None
    lands(parsed.items)
    assert [i.text for i in parsed.items] == [r.get("text") for r in case.expected["rows"]]
    for item, row in zip(parsed.items, case.expected["rows"], strict=True):
        assert item.likes in (None, row.get("likes"))
        assert item.followers is None
    if found:
        assert parsed.skipped.get("unreadable_count", 0) + parsed.skipped.get(
            "unreadable_rating", 0
        )


@pytest.mark.parametrize("case", FULL, ids=lambda case: case.name)
@pytest.mark.parametrize("charset", ["gb18030", "utf-16", "utf-8-sig"])
def test_another_encoding_is_read_or_told(case: Case, charset: str) -> None:
    """The page in an encoding that it does not name: the same rows, or a reason."""
    try:
        text = case.page.body.decode("utf-8")
    except UnicodeDecodeError:
        text = case.page.body.decode("gb18030")
    if charset == "gb18030":  # what GB18030 cannot tell from UTF-8 has no Chinese in it
        assert re.search("[\u4e00-\u9fff]", text)
    parsed = read(case, text.encode(charset))
    assert parsed is not None
    same = [row_of(item) for item in parsed.items] == case.expected["rows"]
    assert same or reasons(parsed)


@pytest.mark.parametrize("case", FULL, ids=lambda case: case.name)
def test_one_broken_byte_spoils_no_other_word(case: Case) -> None:
    """A byte that is no UTF-8 costs its own character, not the encoding of the whole page."""
    try:
        text = case.page.body.decode("utf-8")
    except UnicodeDecodeError:
        pytest.skip("a page in another encoding")
    words = next(
        (
            r.get("text") or r.get("title")
            for r in case.expected["rows"]
            if r.get("text") or r.get("title")
        ),
        "",
    )
    first = next(c for c in words if "\u4e00" <= c <= "\u9fff" and c in text)
    body = text.encode().replace(first.encode(), b"\xff", 1)
    parsed = read(case, body)
    assert parsed is not None
    assert len(parsed.items) == len(case.expected["rows"])
    assert parsed.skipped.get("wrong_encoding")
    ours = [row_of(item) for item in parsed.items]
    lost = [
        k for o, r in zip(ours, case.expected["rows"], strict=True) for k in r if o.get(k) != r[k]
    ]
    assert len(lost) <= 2


@pytest.mark.parametrize("depth", [50, 400, 5000])
@pytest.mark.parametrize("name", ["comments", "retweeted_status", "card_group"])
def test_deep_nesting_ends(depth: int, name: str) -> None:
    """A hostile answer that nests for ever is refused or read as far as a site nests."""
    opening = {
        "comments": '{"id":"1","text":"x","comments":[',
        "retweeted_status": '{"id":"1","text":"x","retweeted_status":',
        "card_group": '{"card_type":11,"card_group":[',
    }[name]
    closing = "]}" if "[" in opening else "}"
    nested = opening * depth + ("null" if closing == "}" else "") + closing * depth
    comments = next(c for c in CASES if c.name == "weibo/comments/plain")
    timeline = next(c for c in CASES if c.name == "weibo/timeline/plain")
    if name == "comments":
        parsed = read(comments, f'{{"ok":1,"data":{{"data":[{nested}],"max_id":0}}}}'.encode())
    elif name == "card_group":
        parsed = read(timeline, f'{{"ok":1,"data":{{"cards":[{nested}]}}}}'.encode())
    else:
        cards = f'[{{"card_type":9,"mblog":{nested}}}]'
        parsed = read(timeline, f'{{"ok":1,"data":{{"cards":{cards}}}}}'.encode())
    assert parsed is not None
    lands(parsed.items)
    assert reasons(parsed)


@pytest.mark.parametrize("depth", [100, 3000, 30000])
def test_deep_html_ends(depth: int) -> None:
    """The same for tags: the rows behind the depth are read, or the page says that it was cut."""
    case = next(c for c in CASES if c.name == "discuz/thread/plain")
    body = case.page.body.replace("想带孩子去".encode(), b"<b>" * depth + b"x", 1)
    parsed = read(case, body)
    assert parsed is not None
    lands(parsed.items)
    assert len(parsed.items) == len(case.expected["rows"]) or reasons(parsed)
