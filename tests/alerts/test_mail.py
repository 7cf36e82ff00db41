"""Any title makes a sendable mail subject."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerts.mail import one_line, subject
from keqing.records import Level
from tests.alerts.test_incidents import seen


@given(st.text(max_size=200))
def test_no_title_adds_a_header(title: str) -> None:
    """A hostile title gives one line of at most 60 characters that starts with the level."""
    line = subject(seen(Level.ORANGE).model_copy(update={"title": title}), "rise")
    assert len(line.splitlines()) == 1
    assert line.startswith("【橙色")
    assert len(line) <= 60


@given(st.text(max_size=80))
def test_one_line_is_one_line(text: str) -> None:
    """No separator of any kind is left."""
    assert len(one_line(text).splitlines()) <= 1
