"""A crawl brings exactly what the site shows, once, however often it is killed or repeated."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from keqing.landing import Landing
from tests.crawlers.town import KINDS, Town, crawl, landed, root_of, start_crawl


@pytest.fixture
def town() -> Iterator[Town]:
    town = Town()
    town.start()
    yield town
    town.stop()


@pytest.mark.parametrize("source", list(KINDS))
def test_everything_once(town: Town, tmp_path: Path, source: str) -> None:
    """The first crawl lands each visible post once; the second nothing, with a tenth of the asking."""
    root = root_of(town, tmp_path)
    code, report = crawl(root, source)
    assert (code, report["verdict"]) == (0, "FRESH")
    assert {post.id for post in landed(root, source)} == town.ids(source)
    assert len(landed(root, source)) == len(town.ids(source))
    assert all(post.url for post in landed(root, source))
    left_out = sum(report["filtered"].values())  # type: ignore[attr-defined]
    assert report["parsed"] == report["new"] + report["duplicate"] + left_out  # type: ignore[operator]
    first, town.asked = len(town.asked), []
    code, report = crawl(root, source)
    assert (code, report["new"], report["updated"]) == (0, 0, 0)
    assert len(town.asked) <= max(0.1 * first, 1 + len(KINDS[source][1]))
    Landing(root / "var" / "landing").verify()


@pytest.mark.parametrize("pages", [3, 25, 60])
def test_a_killed_crawl_is_completed(town: Town, tmp_path: Path, pages: int) -> None:
    """kill -9 after some pages, then a crawl: the same set as an unbroken one, nothing twice."""
    root = root_of(town, tmp_path)
    child = start_crawl(root, "demo-forum")
    deadline = time.monotonic() + 60
    while len(town.asked) < pages and time.monotonic() < deadline and child.poll() is None:
        time.sleep(0.005)
    child.kill()
    child.communicate()
    code, _ = crawl(root, "demo-forum")
    assert code == 0
    posts = landed(root, "demo-forum")
    assert {post.id for post in posts} == town.ids("demo-forum")
    assert len(posts) == len(town.ids("demo-forum"))


def test_what_came_later_is_found(town: Town, tmp_path: Path) -> None:
    """Posts and replies of the next hours land with the next crawl, and only they."""
    root = root_of(town, tmp_path)
    for source in ("demo-forum", "demo-weibo"):
        town.now = town.t0 + timedelta(minutes=30)
        crawl(root, source)
        before = town.ids(source)
        town.now = town.t0 + timedelta(minutes=179)
        _, report = crawl(root, source)
        fresh = town.ids(source) - before
        assert fresh
        assert report["new"] == len(fresh)
        assert {post.id for post in landed(root, source)} == town.ids(source)


def test_a_login_wall_is_told(town: Town, tmp_path: Path) -> None:
    """A wall in the middle ends the run at once as blocked; what was read before is kept."""
    root = root_of(town, tmp_path)
    wall = (200, "application/json", b'{"ok":-100,"url":"https://passport.weibo.com/sso/signin"}')
    town.fault = lambda site, target: wall if len(town.asked) > 8 else None
    code, report = crawl(root, "demo-weibo")
    assert (code, report["verdict"], report["error"]) == (1, "BLOCKED_LOGIN", "Blocked")
    assert len(town.asked) == 9
    assert 0 < report["new"] == len(landed(root, "demo-weibo"))  # type: ignore[operator]
    town.fault = lambda site, target: None
    crawl(root, "demo-weibo")
    assert {post.id for post in landed(root, "demo-weibo")} == town.ids("demo-weibo")


def test_robots_are_obeyed(town: Town, tmp_path: Path) -> None:
    """A site whose robots.txt forbids the pages is not asked for one."""
    root = root_of(town, tmp_path)
    rules = (200, "text/plain", b"User-agent: *\nDisallow: /item/\n")
    town.fault = lambda site, target: rules if target == "/robots.txt" else None
    code, report = crawl(root, "demo-shop")
    assert (code, report["verdict"], report["error"]) == (1, "BLOCKED_ROBOTS", "RobotsRefused")
    assert {target for _, target in town.asked} == {"/robots.txt"}


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b"", "CHANGED"),
        (b'{"ok":1,"data":{"cards":[{"card_type":9,"mblog":{"id":"1","te', "CHANGED"),
        (b'{"ok":1,"data":{"cardlistInfo":{}}}', "CHANGED"),
        (b'{"ok":0,"msg":"\xe8\xbf\x99\xe9\x87\x8c","data":{"cards":[]}}', "EMPTY_BY_SOURCE"),
        (b'{"ok":1,"data":{"cardlistInfo":{},"cards":[{"card_type":3}]}}', "FETCHED_NOTHING"),
        (b"<html><title>Sina Visitor System</title></html>", "BLOCKED_LOGIN"),
    ],
)
def test_empty_is_not_one_thing(town: Town, tmp_path: Path, body: bytes, verdict: str) -> None:
    """Each way of giving nothing has its own verdict, and what landed before stays."""
    root = root_of(town, tmp_path)
    crawl(root, "demo-weibo")
    before = len(landed(root, "demo-weibo"))
    answer = (200, "application/json", body)
    town.fault = lambda site, target: answer if "getIndex" in target else None
    _, report = crawl(root, "demo-weibo")
    assert report["verdict"] == verdict
    assert len(landed(root, "demo-weibo")) == before


@pytest.mark.parametrize("source", ["demo-forum", "demo-weibo"])
def test_a_site_may_move(town: Town, tmp_path: Path, source: str) -> None:
    """A card's new address goes on where the old one ended: later posts are found, nothing twice."""
    root = root_of(town, tmp_path)
    town.now = town.t0 + timedelta(minutes=30)
    crawl(root, source)
    moved = Town(town.t0)
    moved.now = moved.t0 + timedelta(minutes=179)
    moved.start()
    try:
        assert moved.world == town.world
        root_of(moved, tmp_path)
        code, report = crawl(root, source)
    finally:
        moved.stop()
    assert (code, report["verdict"]) == (0, "FRESH")
    assert {post.id for post in landed(root, source)} == moved.ids(source)


def test_a_gap_is_walked_after_the_site_has_moved(town: Town, tmp_path: Path) -> None:
    """A walk that ran out of pages goes on from there at the new address, until all has landed."""
    root = root_of(town, tmp_path)
    shipped = Path(__file__).resolve().parents[2] / "crawlers" / "sources" / "demo-shop.toml"
    card = shipped.read_text(encoding="utf-8").replace("per_target = 100", "per_target = 2")
    (root / "sources").mkdir()
    (root / "sources" / "demo-shop.toml").write_text(card, encoding="utf-8")
    code, report = crawl(root, "demo-shop")
    assert (code, report["verdict"]) == (3, "INCOMPLETE")
    moved = Town(town.t0)
    moved.start()
    try:
        root_of(moved, tmp_path)
        for _ in range(4):
            code, report = crawl(root, "demo-shop")
    finally:
        moved.stop()
    assert (code, report["new"]) == (0, 0)
    assert {post.id for post in landed(root, "demo-shop")} == moved.ids("demo-shop")
