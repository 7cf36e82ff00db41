"""Mentions for the contract suite, written by the project."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from keqing.records import (
    Author,
    BrandHit,
    Engagement,
    Mention,
    Polarity,
    Post,
    SeverityHit,
    Versions,
)

T0 = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)  # midnight in Beijing
VERSIONS = Versions(model="m", dictionary="d", plan="p")


def mention(n: int, text: str = "客服 差", **more: Any) -> Mention:
    """Mention number n, n minutes after T0; `text` is written with blanks between its tokens."""
    at = more.get("at", T0 + timedelta(minutes=n))
    polarity = more.get("polarity", Polarity.NEGATIVE)
    brands = more.get("brands", ("tea",))
    title = more.get("title")
    post = Post(
        id=more.get("id", f"weibo:{n}"),
        platform="weibo",
        source=more.get("source", "demo-weibo"),
        author=Author(id=more.get("author", f"k1:{n}")),
        title=None if title is None else title.replace(" ", ""),
        text=text.replace(" ", ""),
        url=more.get("url"),
        published_at=at,
        first_seen_at=more.get("seen", at or T0),
        collected_at=more.get("collected", max(T0, at or T0)),
        backfill=more.get("backfill", False),
        engagement=Engagement(likes=more.get("likes")),
        run_id="r",
    )
    hits = tuple(
        BrandHit(brand=b, entity=b, alias=b, start=0, end=1, where="own", reason="accepted",
                 polarity=polarity, p=0.9)
        for b in brands
    )  # fmt: skip
    severe = tuple(
        SeverityHit(name="食品安全", term="异物", confidence=c) for c in more.get("severe", ())
    )
    return Mention(
        post=post,
        brands=hits,
        polarity=polarity,
        p_negative=0.9,
        severity=severe,
        keywords=tuple(dict.fromkeys(text.split())),
        tokens=tuple(text.split()),
        title_tokens=tuple((title or "").split()),
        story=more.get("story", f"s{n}"),
        event=more.get("event"),
        author_role=more.get("author_role"),
        vector=more.get("vector"),
        voice=more.get("voice", True),
        risk=more.get("risk", float(n)),
        versions=VERSIONS,
        scored_at=T0,
    )
