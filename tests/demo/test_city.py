"""The demo city is the same city each time, in the shapes that the parsers read."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from crawlers.pages.appstore import parse_appstore
from crawlers.pages.discourse import unread_ids
from crawlers.pages.discuz import parse_list, parse_thread
from crawlers.pages.feed import parse_feed
from crawlers.pages.json_sites import parse_discourse
from crawlers.pages.page import Page, Parsed
from crawlers.pages.schema_review import parse_reviews
from crawlers.pages.walls import Answer, classify
from crawlers.pages.weibo import parse_comments, parse_extend, parse_timeline
from demo import talk, weibo
from demo.city import City
from demo.said import CITIZENS
from demo.shop import MERCHANT
from demo.traps import SHIELDED, VANISHED
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
    first = [c for c in post.comments if c.at <= city.clock()]
    said = [*first, *(a for c in first for a in c.comments if a.at <= city.clock())]
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


def test_what_the_weibo_site_does_to_a_guest(city: City) -> None:
    """Wall, throttle and HTML for JSON each have their account; the search wants a credential."""
    at(city, 400)
    timeline = "/api/container/getIndex?containerid=107603"
    for uid, answer in (
        (weibo.TO_MEMBERS, Answer.LOGIN_WALL),
        (weibo.TOO_OFTEN, Answer.THROTTLED),
        (weibo.AS_PAGE, Answer.LOGIN_WALL),
        ("999", Answer.EMPTY),
    ):
        assert classify(page(city, "demo-weibo", timeline + uid), "json") is answer
    search = "/api/container/getIndex?containerid=100103type%3D1%26q%3D" + quote("木槿壶")
    assert classify(page(city, "demo-weibo", search), "json") is Answer.LOGIN_WALL
    status, kind, body = city.answer("demo-weibo", search, {"Cookie": "SUB=of-an-operator"})
    found = parse_timeline(Page(body, "https://a.example", status, {"content-type": kind}))
    assert len(found.items) >= 10
    assert all("木槿壶" in (item.text or "") for item in found.items if not item.embedded)
    hot = max(city.truth().weibo, key=lambda p: len(p.comments))
    last = page(city, "demo-weibo", f"/comments/hotflow?id={hot.id}&max_id={weibo.GUEST_REPLIES}")
    assert len(hot.comments) > weibo.GUEST_REPLIES
    assert classify(last, "json") is Answer.LOGIN_WALL


def test_weibo_traps_are_read(city: City) -> None:
    """Reposts of deleted posts, 100万+, both ways of paging, replies under comments."""
    at(city, 180)
    items, styles = [], set()
    for uid in (OFFICIAL, *CITIZENS):
        target = f"/api/container/getIndex?containerid=107603{uid}"
        for parsed in walk(city, "demo-weibo", target, parse_timeline):
            items += parsed.items
            styles |= {(parsed.next_page or "=").partition("=")[0]} - {""}
    assert styles == {"since_id", "page"}
    gone = [item for item in items if "gone" in item.flags]
    assert {item.embedded for item in gone} == {True}
    assert {(item.text, item.author_id) for item in gone} == {(None, None)}
    assert len(gone) >= 3
    assert [item.likes for item in items if "likes" in item.at_least] == [1_000_000]
    assert any(item.rounded for item in items)
    mine = {item.native_id for item in items if not item.embedded}
    assert not mine & {item.native_id for item in gone}
    answered = next(
        (p, c)
        for p in city.truth().weibo
        for c in p.comments
        if c.comments and c.comments[0].at < T0
    )
    comments = walk(city, "demo-weibo", f"/comments/hotflow?id={answered[0].id}", parse_comments)
    under = [i for parsed in comments for i in parsed.items if i.parent_id == str(answered[1].id)]
    assert [item.author_name for item in under] == ["木槿壶"]


def test_forum_and_shop_traps_are_read(city: City) -> None:
    """Threads that vanish between list and reading, shielded posts; days without a clock, replies."""
    at(city, 180)
    threads = city.truth().threads
    gone = next(t for t in threads if VANISHED in t.flags)
    listed = walk(
        city, "demo-forum", f"/forum.php?mod=forumdisplay&fid={gone.board}&page=1", parse_list
    )
    assert str(gone.id) in {item.native_id for parsed in listed for item in parsed.items}
    answer = page(city, "demo-forum", f"/forum.php?mod=viewthread&tid={gone.id}")
    assert (answer.status, classify(answer, "html")) == (404, Answer.GONE)
    hidden = next(t for t in threads if t.at < T0 and any(SHIELDED in c.flags for c in t.comments))
    floors = walk(city, "demo-forum", f"/forum.php?mod=viewthread&tid={hidden.id}", parse_thread)
    shown = [item for parsed in floors for item in parsed.items if "shielded" in item.flags]
    assert shown
    assert all(item.text is None for item in shown)
    reviews = [
        item
        for product in "123"
        for parsed in walk(city, "demo-shop", f"/item/P{product}?page=1", parse_reviews)
        for item in parsed.items
    ]
    assert any(item.created_raw and len(item.created_raw) == 10 for item in reviews)
    assert "no_text" in {flag for item in reviews for flag in item.flags}
    assert MERCHANT not in {item.text for item in reviews}


def test_other_shapes(city: City) -> None:
    """App Store reviews behind the app's own entry, Discourse topics, a site that is busy."""
    at(city, 180)
    store = parse_appstore(page(city, "demo-news", "/appstore.xml"))
    assert (len(store.items), dict(store.skipped)) == (40, {"app_entry": 1})
    assert {item.created_at.utcoffset() for item in store.items if item.created_at} == {
        timedelta(hours=-7)
    }
    busy = page(city, "demo-news", "/busy.xml")
    assert classify(busy, "xml") is Answer.THROTTLED
    topic = max(city.truth().topics, key=lambda t: len(t.comments))
    first = page(city, "demo-talk", f"/t/{topic.id}.json")
    assert len(unread_ids(first)) == len(topic.comments) + 1 - talk.SHOWN
    assert {"gone"} <= {flag for item in parse_discourse(first).items for flag in item.flags}
    assert parse_discourse(first).skipped == {"system_post": 1}


def test_decoys_look_like_a_crisis(city: City) -> None:
    """Many posts of few voices, a rival's storm, a burst of praise: on quiet days, long before T0."""
    threads = city.truth().threads
    army = next(t for t in threads if t.title == "木槿壶真的好喝吗")
    assert (len(army.comments), len({c.author for c in army.comments})) == (40, 3)
    rival = next(t for t in threads if t.title == "青稚茶又翻车了")
    assert len({c.author for c in rival.comments}) > 30
    hype = max((p for p in city.truth().weibo if p.at < T0), key=lambda p: len(p.comments))
    assert hype.author == OFFICIAL
    assert all(post.at < T0 - timedelta(days=5) for post in (army, rival, hype))


def test_the_city_has_its_traps(city: City) -> None:
    """Look-alikes, spam with contacts and thousands of varied posts are there."""
    texts = [p.text for p in city.truth().weibo] + [t.text for t in city.truth().threads]
    assert sum("木槿壶口瀑布" in text for text in texts) > 5
    assert any(mask(text) != text for text in texts)
    assert len(set(texts)) > 900


def test_the_city_has_its_day(city: City) -> None:
    """Nights are quiet and noons are not; texts are passed on, copied and repeated by many."""
    quiet = [post for post in city.truth().weibo if post.at < T0]
    hours = Counter((post.at.hour + 8) % 24 for post in quiet)
    assert sum(hours[h] for h in (2, 3, 4)) < 0.3 * sum(hours[h] for h in (11, 12, 13))
    assert sum(post.repost_of is not None for post in quiet) > 20
    by_text: dict[str, set[int]] = {}
    for post in (*quiet, *city.truth().threads):
        by_text.setdefault(post.text, set()).add(post.author)
    assert sum(len(authors) > 2 for authors in by_text.values()) > 5
    said = [*quiet, *city.truth().threads, *city.truth().reviews]
    assert len(said) + sum(len(post.comments) for post in said) > 2500
