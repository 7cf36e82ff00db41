"""Broken pages in the midst of a crawl: counted with their reason, others read, nothing accepted lost."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from demo.city import Answer, City
from keqing.landing import Landing
from keqing.workflow import db, runs
from tests.crawlers.town import Town, crawl, landed, root_of


@pytest.fixture
def town() -> Iterator[Town]:
    town = Town()
    town.start()
    yield town
    town.stop()


def ledger(root: Path, source: str) -> runs.Run:
    with db.read(db.open_file(root / "var" / "keqing.db")) as tx:
        return runs.last(tx, "crawl", source)[0]


def test_two_cut_threads_hold_back_no_other(town: Town, tmp_path: Path) -> None:
    """All but what lay behind the cuts lands; the next crawl reads those threads again, and all is there."""
    root = root_of(town, tmp_path)
    long = [
        t for t in town.world.threads if len(t.comments) > 5 and t.at < town.now and not t.flags
    ]
    broken = {f"tid={t.id}" for t in long[:2]}

    def fault(site: str, target: str) -> Answer | None:
        if site != "demo-forum" or not any(target.endswith(mark) for mark in broken):
            return None
        status, kind, body = City.answer(town, site, target)
        return status, kind, body[: body.rindex(b'<div id="post_')]

    town.fault = fault
    code, report = crawl(root, "demo-forum")
    assert (code, report["verdict"]) == (1, "CHANGED")
    assert report["notes"]["cut_page"] == 2  # type: ignore[index]
    assert ledger(root, "demo-forum").counts["notes.cut_page"] == 2
    missing = town.ids("demo-forum") - {post.id for post in landed(root, "demo-forum")}
    assert 0 < len(missing) <= sum(len(t.comments) for t in long[:2])
    town.asked.clear()
    code, report = crawl(root, "demo-forum")
    assert (code, report["verdict"], report["new"]) == (1, "CHANGED", 0)
    assert sorted(t for _, t in town.asked if "viewthread" in t) == sorted(
        f"/forum.php?mod=viewthread&{mark}" for mark in broken
    )
    town.fault = lambda site, target: None
    code, report = crawl(root, "demo-forum")
    assert (code, report["new"]) == (0, len(missing))
    assert {post.id for post in landed(root, "demo-forum")} == town.ids("demo-forum")
    Landing(root / "var" / "landing").verify()


def test_one_bad_row_costs_itself(town: Town, tmp_path: Path) -> None:
    """Rows without id, with absurd times and counts, with a new field: each counted, the rest lands."""
    root = root_of(town, tmp_path)

    def fault(site: str, target: str) -> Answer | None:
        if (
            site != "demo-weibo"
            or "1076031001" not in target
            or "page=" in target
            or "since" in target
        ):
            return None
        status, kind, body = City.answer(town, site, target)
        value = json.loads(body)
        blogs = [c.get("mblog") or c["card_group"][0]["mblog"] for c in value["data"]["cards"]]
        blogs[1] |= {"id": "x", "mid": None}
        blogs[2] |= {"created_at": "Sat Nov 99 99:99:99 +0800 9999", "attitudes_count": "-7"}
        blogs[3] |= {"reposts_count": "9" * 30, "mood": "new"}
        return status, kind, json.dumps(value).encode()

    town.fault = fault
    code, report = crawl(root, "demo-weibo")
    assert (code, report["verdict"]) == (0, "FRESH")
    assert report["refused"] == {"unreadable": 1}
    assert report["unknown_fields"] == ["mblog.mood"]
    run = ledger(root, "demo-weibo")
    assert run.counts["refused.unreadable"] == 1
    assert run.counts["notes.unreadable_time"] == 1
    assert run.counts["notes.unreadable_count"] == 2
    assert (run.counts["unknown_fields"], run.detail) == (1, "unknown fields: mblog.mood")
    have = {post.id: post for post in landed(root, "demo-weibo")}
    lost = town.ids("demo-weibo") - set(have)
    assert len({i for i in lost if "comment" not in i}) == 1
    town.fault = lambda site, target: None
    crawl(root, "demo-weibo")
    assert {post.id for post in landed(root, "demo-weibo")} == town.ids("demo-weibo")


def test_a_list_that_moves_while_it_is_read(town: Town, tmp_path: Path) -> None:
    """Replies of the next two hours push threads up during the walk; with the next crawl all is there.

    A post is landed again only with what a snapshot is for: other words, or twice the interactions.
    """
    root = root_of(town, tmp_path)
    town.now = town.t0 + timedelta(minutes=60)

    def fault(site: str, target: str) -> Answer | None:
        if len(town.asked) % 20 == 0:
            town.now += timedelta(minutes=2)
        return None

    town.fault = fault
    code, _ = crawl(root, "demo-forum")
    assert code in (0, 3)
    town.fault = lambda site, target: None
    crawl(root, "demo-forum")
    posts = landed(root, "demo-forum")
    assert {post.id for post in posts} == town.ids("demo-forum")
    snapshots = {(p.id, p.text, (p.engagement.comments or 0).bit_length()) for p in posts}
    assert len(snapshots) == len(posts)


def test_a_site_that_goes_away_for_a_while(town: Town, tmp_path: Path) -> None:
    """502 for the length of two retries in the midst of a crawl costs no page."""
    root = root_of(town, tmp_path)
    shipped = Path(__file__).resolve().parents[2] / "crawlers" / "sources" / "demo-forum.toml"
    card = shipped.read_text(encoding="utf-8").replace(
        "[pace]", "[pace]\nretry_pauses_s = [0.1, 0.2, 0.4]"
    )
    (root / "sources").mkdir()
    (root / "sources" / "demo-forum.toml").write_text(card, encoding="utf-8")
    away, lock = iter(range(2)), threading.Lock()

    def fault(site: str, target: str) -> Answer | None:
        with lock:
            if len(town.asked) > 30 and next(away, None) is not None:
                return 502, "text/html", b"bad gateway"
        return None

    town.fault = fault
    code, report = crawl(root, "demo-forum")
    assert (code, report["verdict"]) == (0, "FRESH")
    assert {post.id for post in landed(root, "demo-forum")} == town.ids("demo-forum")


def test_a_busy_site_is_left_alone(town: Town, tmp_path: Path) -> None:
    """429: waited for as long as it asks, tried again twice, then told; the rest is not asked for."""
    root = root_of(town, tmp_path, ("demo-news",))
    plan = root / "keqing.toml"
    plan.write_text(
        plan.read_text(encoding="utf-8").replace("rss.xml", "busy.xml"), encoding="utf-8"
    )
    began = time.monotonic()
    code, report = crawl(root, "demo-news")
    assert (code, report["verdict"], report["error"]) == (1, "BLOCKED_THROTTLED", "Blocked")
    assert [target for _, target in town.asked] == ["/robots.txt", *["/busy.xml"] * 3]
    assert time.monotonic() - began > 2  # Retry-After: 1, twice
