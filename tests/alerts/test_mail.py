"""Any title makes a sendable mail subject."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.mail import build, one_line, subject
from keqing.records import Evidence, Level, Notification
from tests.alerts.test_incidents import seen
from tests.alerts.test_notify import NOW, payload


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


@pytest.mark.parametrize(
    ("url", "linked"),
    [("https://example.org/1?a=b&c=d", True), ("javascript:alert(1)", False), (None, False)],
)
def test_evidence_leads_to_its_post(url: str | None, linked: bool) -> None:
    """Each piece of evidence names its source as people do and links to its page, if that is http."""
    piece = Evidence(
        post_id="weibo:1",
        url=url,
        source="demo-weibo",
        text="喝出<塑料片>",
        first_seen_at=NOW,
        published_at=NOW,
        polarity=None,
        p_negative=0.9,
        story="weibo:1",
    )
    incident = seen().model_copy(update={"evidence": (piece,)})
    facts = payload() | {
        "incident": incident.model_dump(mode="json"),
        "titles": {"demo-weibo": "演示城 · 微博"},
    }
    notice = Notification(
        id="i.1.d", incident="i", receiver="d", channel="spool", reason="first",
        payload=facts, content_hash="h", created_at=NOW,
    )  # fmt: skip
    mail = build(notice, "keqing@localhost", "d@localhost")
    plain, page = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert page is not None
    for part in (plain.get_content(), page.get_content()):
        assert "演示城 · 微博" in part
        assert "demo-weibo" not in part
        assert "javascript" not in part
    assert ('href="https://example.org/1?a=b&amp;c=d"' in page.get_content()) == linked
    assert "<塑料片>" not in page.get_content()
