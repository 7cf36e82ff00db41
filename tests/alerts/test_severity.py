"""The severity score explains itself and moves only the way it promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.severity import History, SeverityPost, level_of, severity
from keqing.records import Level, Polarity

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
posts = st.lists(
    st.builds(
        SeverityPost,
        story=st.sampled_from("abcd"),
        author=st.sampled_from("uvwxyz"),
        platform=st.sampled_from(["weibo", "discuz", "feed"]),
        polarity=st.sampled_from(Polarity),
        published_at=st.integers(0, 600).map(lambda m: NOW - timedelta(minutes=m)),
        likes=st.integers(0, 10**6),
        followers=st.integers(0, 10**7),
    ),
    min_size=1,
    max_size=12,
)
HISTORY = History(heats=tuple(n / 10 for n in range(100)), tail=3.0, negative_share=0.2)


@given(posts)
def test_parts_sum_to_the_score(of: list[SeverityPost]) -> None:
    """Weighted parts are the raw score, the gate times that is the score, all within 0..100."""
    found = severity(of, HISTORY, NOW)
    assert found.raw == pytest.approx(sum(part.value * part.weight for part in found.parts))
    assert found.score == pytest.approx(found.gate * found.raw)
    assert 0 <= found.score <= 100
    assert sum(part.weight for part in found.parts) == pytest.approx(1)


@given(posts)
def test_praise_never_raises_the_score(of: list[SeverityPost]) -> None:
    """Twice as many positive posts give no higher score."""
    praise = [post for post in of if post.polarity is Polarity.POSITIVE]
    assert severity([*of, *praise], HISTORY, NOW).score <= severity(of, HISTORY, NOW).score + 1e-9


def test_missing_history_says_so() -> None:
    """A brand without a past gets neutral parts which are marked."""
    post = SeverityPost("s", "a", "weibo", Polarity.NEGATIVE, NOW)
    found = severity([post], History(), NOW)
    assert any(part.neutral for part in found.parts)
    assert not any(part.neutral for part in severity([post], HISTORY, NOW).parts)


def test_few_authors_stay_blue() -> None:
    """One loud author alone is at most blue, however many posts."""
    loud = [
        SeverityPost(
            f"s{n}", "a", "weibo", Polarity.NEGATIVE, NOW, likes=10**6, classes=(("人身安全", 1.0),)
        )
        for n in range(50)
    ]
    assert severity(loud, HISTORY, NOW).level in (None, Level.BLUE)


@pytest.mark.parametrize(
    ("score", "level"),
    [(29.9, None), (30, Level.BLUE), (50, Level.YELLOW), (65, Level.ORANGE), (80, Level.RED)],
)
def test_level_boundaries(score: float, level: Level | None) -> None:
    """The cuts are exact."""
    assert level_of(score) is level
