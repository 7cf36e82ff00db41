"""The demo city is the same city each time, in the shapes that the parsers read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawlers.pages.discuz import parse_list, parse_thread
from crawlers.pages.feed import parse_feed
from crawlers.pages.page import Page, Parsed
from crawlers.pages.schema_review import parse_reviews
from crawlers.pages.walls import Answer, classify
from crawlers.pages.weibo import parse_comments, parse_extend, parse_timeline
from demo.city import City
from demo.world import BIG, OFFICIAL
from keqing.privacy import mask

T0 = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = T0 + timedelta(minutes=180)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def city() -> City:
    return City(7, T0, Clock())


def page(city: City, site: str, target: str) -> Page:
    status, kind, body = city.answer(site, target)
    facts = {"mid": target.partition("id=")[2].partition("&")[0]}
    return Page(
        body,
        city.sites[site] + target[1:],
        status,
        {"content-type": kind},
        city.clock(),
        facts=facts,
    )


def at(city: City, minutes: float) -> None:
    city.clock.now = T0 + timedelta(minutes=minutes)  # type: ignore[attr-defined]


def test_the_same_seed_is_the_same_city(city: City) -> None:
    """Two cities of one seed, T0 and clock answer with the same bytes."""
    at(city, 180)
    twin = City(7, T0, city.clock)
    for site, target in [
        ("demo-weibo", f"/api/container/getIndex?containerid=107603{BIG}"),
        ("demo-forum", "/forum.php?mod=forumdisplay&fid=3&page=1"),
        ("demo-shop", "/item/P1"),
        ("demo-news", "/rss.xml"),
    ]:
        assert city.answer(site, target) == twin.answer(site, target)
    twin._servers["demo-weibo"].server_close()


def walk(city: City, site: str, target: str, read: object) -> list[Parsed]:
    found, following = [], target
    for _ in range(60):
        parsed = read(page(city, site, following))  # type: ignore[operator]
        found.append(parsed)
        if not parsed.next_page:
            break
        address = parsed.next_page
        following = f"{target}&{address}" if "=" in address and "?" not in address else (
            address if address.startswith("/") else f"/{address}")  # fmt: skip
    return found


def test_timelines_are_read_whole(city: City) -> None:
    """All posts of an account that are said by now come back, each once, the pinned one marked."""
    at(city, 180)
    pages = walk(
        city, "demo-weibo", f"/api/container/getIndex?containerid=107603{OFFICIAL}", parse_timeline
    )
    ids = [item.native_id for parsed in pages for item in parsed.items if not item.embedded]
    said = [p for p in city.truth().weibo if p.author == OFFICIAL and p.at <= city.clock()]
    assert sorted(ids) == sorted(str(p.id) for p in said)
    assert sum(item.pinned for parsed in pages for item in parsed.items) == 1
    assert not any(parsed.bad or parsed.unknown_fields for parsed in pages)
    long = next(ref for parsed in pages for ref in parsed.refs)
    assert (
        len(
            parse_extend(page(city, "demo-weibo", f"/statuses/extend?id={long.key}")).items[0].text
            or ""
        )
        > 200
    )


def test_the_crisis_is_seen_in_its_comments(city: City) -> None:
    """The big account's post draws many voices, read page by page."""
    at(city, 180)
    post = next(p for p in city.truth().weibo if p.author == BIG)
    pages = walk(
        city, "demo-weibo", f"/comments/hotflow?id={post.id}&mid={post.id}", parse_comments
    )
    ids = [item.native_id for parsed in pages for item in parsed.items]
    said = [c for c in post.comments if c.at <= city.clock()]
    assert len(ids) == len(set(ids)) == len(said) > 25


def test_the_forum_is_read_whole(city: City) -> None:
    """Every thread is listed once, sticky ones marked; GBK, quotes and anonymous posts are read."""
    at(city, 180)
    pages = walk(city, "demo-forum", "/forum.php?mod=forumdisplay&fid=3&page=1", parse_list)
    ids = [item.native_id for parsed in pages for item in parsed.items]
    said = [t for t in city.truth().threads if t.board == 3 and t.at <= city.clock()]
    assert sorted(ids) == sorted(str(t.id) for t in said)
    thread = max(said, key=lambda t: len(t.comments))
    floors = walk(city, "demo-forum", f"/forum.php?mod=viewthread&tid={thread.id}", parse_thread)
    items = [item for parsed in floors for item in parsed.items]
    assert len(items) == 1 + sum(c.at <= city.clock() for c in thread.comments)
    assert items[0].text == thread.text
    assert [item.floor for item in items] == list(range(1, len(items) + 1))
    refused = next(t for t in city.truth().threads if "noperm" in t.flags)
    answer = page(city, "demo-forum", f"/forum.php?mod=viewthread&tid={refused.id}")
    assert classify(answer, "html") is Answer.NO_PERMISSION


def test_reviews_and_feeds_are_read(city: City) -> None:
    """Reviews in two syntaxes count once and keep their stars; articles keep their times."""
    at(city, 180)
    pages = walk(city, "demo-shop", "/item/P1?page=1", parse_reviews)
    items = [item for parsed in pages for item in parsed.items]
    said = [r for r in city.truth().reviews if r.board == 1 and r.at <= city.clock()]
    assert len({item.native_id for item in items}) == len(items) == len(said)
    stars = {f"R{r.id}": float(r.rating) for r in said}
    assert all(item.rating == stars[item.native_id or ""] for item in items if item.rating)
    for target in ("/rss.xml", "/atom.xml"):
        articles = parse_feed(page(city, "demo-news", target)).items
        assert len(articles) == 40
        assert all(item.created_at for item in articles)


@pytest.mark.parametrize(
    ("minute", "blind"), [(60, False), (80, True), (120, False), (215, True), (231, False)]
)
def test_blindness_comes_as_scripted(city: City, minute: int, blind: bool) -> None:
    """Inside the two windows the Weibo site is a login wall, outside it is not."""
    at(city, minute)
    answer = page(city, "demo-weibo", f"/api/container/getIndex?containerid=107603{OFFICIAL}")
    assert (classify(answer, "json") is Answer.LOGIN_WALL) == blind


def test_the_city_has_its_traps(city: City) -> None:
    """Look-alikes, spam with contacts and thousands of varied posts are there."""
    texts = [p.text for p in city.truth().weibo] + [t.text for t in city.truth().threads]
    assert sum("木槿壶口瀑布" in text for text in texts) > 5
    assert any(mask(text) != text for text in texts)
    assert len(set(texts)) > 900
