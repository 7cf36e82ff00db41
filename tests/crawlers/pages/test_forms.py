"""Written times, counts and kinds of answer, a row a form."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.pages.counts import parse_count
from crawlers.pages.page import Page
from crawlers.pages.times import parse_time
from crawlers.pages.walls import Answer, classify
from keqing.errors import UnreadableTime

ANCHOR = datetime(2026, 11, 25, 4, 0, 30, tzinfo=UTC)  # noon in Beijing
CST = "Asia/Shanghai"


def moment_or_none(raw: str) -> datetime | None:
    try:
        return parse_time(raw, ANCHOR, CST).at
    except UnreadableTime:
        return None


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(CST)).astimezone(UTC)


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("昨天 12:30", local("2026-11-24 12:30")),
        ("今天 09:05", local("2026-11-25 09:05")),
        ("发表于 2026-11-6 05:05:01", local("2026-11-06 05:05:01")),
        ("2026年11月6日 5:05", local("2026-11-06 05:05")),
        ("12-30 08:00", local("2025-12-30 08:00")),
        ("11-24 08:00", local("2026-11-24 08:00")),
        ("Sat Nov 21 12:00:00 +0800 2026", local("2026-11-21 12:00")),
        ("1764043200", datetime(2025, 11, 25, 4, 0, tzinfo=UTC)),
        ("2026-11-25T03:00:00Z", datetime(2026, 11, 25, 3, 0, tzinfo=UTC)),
        ("Wed, 25 Nov 2026 03:00:00 GMT", datetime(2026, 11, 25, 3, 0, tzinfo=UTC)),
    ],
)
def test_each_written_form_is_its_moment(raw: str, moment: datetime) -> None:
    """Every known form gives the moment that a reader in Beijing means."""
    found = parse_time(raw, ANCHOR, CST)
    assert found.at is not None
    assert found.at == moment


@pytest.mark.parametrize("raw", ["5小时前", "11-24 08:00", "昨天"])
def test_without_an_anchor_nothing_is_guessed(raw: str) -> None:
    """A relative form without a known moment of fetching stays unknown."""
    assert parse_time(raw, None, CST).at is None


def test_the_future_is_not_believed() -> None:
    """A time well after the fetch is no time."""
    assert parse_time("2027-01-01 00:00", ANCHOR, CST).at is None


@given(st.text(max_size=30))
def test_no_text_breaks_a_form(raw: str) -> None:
    """Any words are a moment, unknown or refused as unreadable, and a count or unknown."""
    found = moment_or_none(raw)
    assert found is None or found.tzinfo is not None
    count = parse_count(raw).value
    assert count is None or count >= 0


@pytest.mark.parametrize(
    ("raw", "value", "rounded", "at_least"),
    [
        (7, 7, False, False),
        ("1,234", 1234, False, False),
        ("1.2万", 12000, True, False),
        ("145.5万", 1455000, True, False),
        ("100万+", 1000000, False, True),
        ("999+", 999, False, True),
        ("转发", 0, False, False),
        (None, None, False, False),
        ("-", None, False, False),
    ],
)
def test_each_written_count(raw: object, value: int | None, rounded: bool, at_least: bool) -> None:
    """Rounded counts and lower bounds say so; unknown is not 0."""
    count = parse_count(raw)
    assert (count.value, count.at_least) == (value, at_least)
    assert count.rounded or not rounded


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (200, b'{"ok":1,"data":{"cards":[{"card_type":9}]}}', Answer.OK),
        (200, '{"ok":0,"msg":"这里还没有内容","data":{"cards":[]}}'.encode(), Answer.EMPTY),
        (200, b'{"ok":-100,"url":"x"}', Answer.LOGIN_WALL),
        (432, b"", Answer.THROTTLED),
        (418, b"", Answer.THROTTLED),
    ],
)
def test_an_answer_is_not_one_thing(status: int, body: bytes, answer: Answer) -> None:
    """Empty, walled and throttled answers of a JSON address are told apart."""
    page = Page(body, "https://m.weibo.cn/api/container/getIndex", status)
    assert classify(page, "json") is answer


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b'{"errors":["no"],"error_type":"invalid_access"}', Answer.NO_PERMISSION),
        (b'{"errors":["no"],"error_type":"not_logged_in"}', Answer.LOGIN_WALL),
        (b"<html>Forbidden</html>", Answer.THROTTLED),
        (b"", Answer.THROTTLED),
    ],
)
def test_a_403_is_what_its_body_says(body: bytes, answer: Answer) -> None:
    """One closed topic is no throttle of the whole host; a bare 403 is."""
    assert classify(Page(body, "https://a.example/t/1.json", 403), "json") is answer
