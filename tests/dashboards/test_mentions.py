"""The list: query and filters, the place of a mistake, paging without loss, folding, export."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.filters import CLOSED, BadFilter, Filters, read
from dashboards.times import BEIJING

TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=12).filter(
    str.strip
)
MOMENTS = st.integers(1_600_000_000, 1_800_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))
FILTERS = st.builds(
    Filters,
    brand=st.lists(TEXTS, max_size=3, unique=True).map(tuple),
    polarity=st.lists(st.sampled_from(CLOSED["polarity"]), max_size=2, unique=True).map(tuple),
    q=TEXTS | st.just(""),
    range=st.sampled_from(CLOSED["range"]),
    since=st.none() | MOMENTS,
    min_reposts=st.none() | st.integers(0, 999),
    fold=st.booleans(),
    sort=st.sampled_from(CLOSED["sort"]),
)


@given(FILTERS)
def test_filters_survive_their_address(filters: Filters) -> None:
    """Whatever is asked stands in the address, and messengers' own parameters change nothing."""
    pairs = parse_qsl(urlsplit(filters.url("/mentions")).query, keep_blank_values=True)
    assert read(pairs) == filters
    assert read([*pairs, ("from", "groupmessage"), ("isappinstalled", "0")]) == filters


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("polarity", "bad"),
        ("range", "2y"),
        ("since", "yesterday"),
        ("fold", "2"),
        ("min_reposts", "-1"),
        ("sort", "x"),
    ],
)
def test_a_bad_value_is_named(lead: Any, key: str, value: str) -> None:
    """422, and the page says which filter cannot be read."""
    with pytest.raises(BadFilter):
        read([(key, value)])
    answer = lead.get("/mentions", params={key: value})
    assert answer.status_code == 422
    assert f"{key}={value}" in answer.text


@pytest.mark.parametrize(
    ("query", "bad", "position"),
    [
        ("(塑料片", "(", 1),
        ("塑料片 来原:微博", "来原:微博", 5),
        ("好😀 情感:坏", "情感:坏", 4),
        ("a )", ")", 3),
    ],
)
def test_a_mistake_is_shown_at_its_place(lead: Any, query: str, bad: str, position: int) -> None:
    """422 with the text before, the marked mistake, the text after; counted in characters."""
    answer = lead.get("/mentions", params={"q": query})
    assert answer.status_code == 422
    assert f'<mark class="wrong">{bad}</mark>' in answer.text
    assert f"第 {position} 字" in answer.text
    mistake = lead.get("/mentions.json", params={"q": query}).json()["mistake"]
    assert mistake["before"] + mistake["bad"] + mistake["after"] == query


@pytest.mark.parametrize("sort", CLOSED["sort"])
@pytest.mark.parametrize("fold", [0, 1])
def test_paging_loses_and_repeats_nothing(lead: Any, sort: str, fold: int) -> None:
    """Following 下一页 gives every post (every story when folded) exactly once."""
    url, ids = f"/mentions.json?range=7d&sort={sort}&fold={fold}", []
    first = lead.get(url).json()
    while True:
        view = lead.get(url).json()
        ids += [card["id"] for card in view["cards"]]
        if not view["next_url"]:
            break
        url = view["next_url"].replace("/mentions", "/mentions.json", 1)
    wanted = first["total"]["stories" if fold else "posts"]
    assert len(ids) == len(set(ids)) == wanted > 20


def test_a_cursor_of_another_list_is_refused(lead: Any) -> None:
    """422, never 500."""
    assert lead.get("/mentions?cursor=nonsense").status_code == 422


def test_marks_and_links(lead: Any) -> None:
    """The searched word is marked; the original opens apart and knows nothing of us."""
    page = lead.get("/mentions?q=塑料片").text
    assert "<mark>" in page
    assert "塑料片" in page
    assert 'rel="noopener noreferrer" target="_blank"' in page


def test_empty_says_why_and_what_next(lead: Any) -> None:
    """No post: one sentence and one act."""
    page = lead.get("/mentions?q=绝无此词").text
    assert "没有符合条件的帖文" in page
    assert "放宽到近 7 天" in page


def test_export_holds_the_listed_posts(lead: Any) -> None:
    """As many rows as the total, Beijing time, a mark for spreadsheets."""
    answer = lead.get("/mentions.csv?range=7d&polarity=negative")
    assert answer.text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    posts = lead.get("/mentions.json?range=7d&polarity=negative").json()["total"]["posts"]
    assert len(rows) - 1 == posts > 0
    assert all(re.fullmatch(r"2026-11-\d\d \d\d:\d\d", row[3]) for row in rows[1:])


def test_yesterday_is_beijings(desk: Any) -> None:
    """昨天 is midnight to midnight in Beijing, wherever the machine stands."""
    window = Filters(range="yesterday").window(desk.clock[0])
    assert window.end - window.start == timedelta(days=1)
    assert window.start.astimezone(BEIJING).hour == 0


def test_english_pages(lead: Any) -> None:
    """`?lang=en` speaks English, keeps the language in links and leaves posts as they are."""
    page = lead.get("/mentions?lang=en&q=塑料片").text
    assert '<html lang="en">' in page
    assert "Mentions" in page
    assert "lang=en" in page.split('rel="next"')[-1] or 'href="/?lang=en"' in page
    assert "塑料片" in page
    assert "信息列表" not in page
    assert "Alerts" in lead.get("/incidents?lang=en").text
