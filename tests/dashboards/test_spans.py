"""Spans of time as people read them, in both languages."""

from __future__ import annotations

import pytest

from dashboards.render import spelt


@pytest.mark.parametrize(
    ("seconds", "chinese", "english"),
    [
        (40, "40 秒", "40 s"),
        (2400, "40 分钟", "40 min"),
        (7200, "2 小时", "2 h"),
        (7500, "2 小时 5 分钟", "2 h 5 min"),
        (300_000, "3 天 11 小时", "3 d 11 h"),
    ],
)
def test_a_delay_is_told_in_words(seconds: float, chinese: str, english: str) -> None:
    """How much later a platform came is told with its unit, not as a clock."""
    assert (spelt(seconds, "zh"), spelt(seconds, "en")) == (chinese, english)
