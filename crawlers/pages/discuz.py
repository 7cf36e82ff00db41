"""Discuz! X pages → Items: board lists (references to threads) and threads (posts).

In:  a Page with HTML; older sites are GBK. Out: Items, threads to visit, the next page.
A refusal is HTTP 200 with #messagetext: it is counted, never an empty list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from urllib.parse import parse_qs, urlsplit

from crawlers.pages.audit import not_as_expected
from crawlers.pages.markup import html_root
from crawlers.pages.page import Item, Page, Parsed, Ref
from crawlers.pages.tally import Tally
from crawlers.pages.text import Node, drop, image_alt, node_text

ZONE = "Asia/Shanghai"
FLOORS = {"楼主": 1, "沙发": 2, "板凳": 3, "地板": 4}
ANONYMOUS = ("匿名", "匿名者")
ROW = re.compile(r"(normal|stick)thread_(\d+)$")
THREAD_ID = re.compile(r"(?:[?&]tid=|thread-)(\d+)")


def parse_list(page: Page) -> Parsed:
    """`mod=forumdisplay`: one Item a thread (no text), and a Ref to visit it."""
    tally = Tally(page, page.zone or ZONE)
    found_root = html_root(page, tally)
    if found_root is None:
        return tally.parsed()
    root, _ = found_root
    rows = [(row, found) for row in root.iter("tbody") if (found := ROW.match(row.get("id", "")))]
    if not rows and root.xpath("//table[@id='threadlisttableid']") == []:
        return not_as_expected(tally, page, ["#threadlisttableid", "tbody#normalthread_*"])
    if not rows:
        tally.skip("empty")
    items = [item for row, found in rows for item in _thread_row(row, found, tally)]
    last = {found[2]: _last_post(row) for row, found in rows}
    refs = [
        Ref("thread", item.native_id or "", item.url, {"last": last.get(item.native_id or "", "")})
        for item in items
    ]
    return tally.parsed(items, refs, _next(root))


def parse_thread(page: Page) -> Parsed:
    """`mod=viewthread`: one Item a floor; title, replies and views stand on the first floor."""
    tally = Tally(page, page.zone or ZONE)
    found_root = html_root(page, tally)
    if found_root is None:
        return tally.parsed()
    root, _ = found_root
    posts = root.xpath("//div[starts-with(@id,'post_') and number(substring(@id,6))]")
    if not posts:
        return not_as_expected(tally, page, ["#postlist", "div#post_*"])
    head = _Head(root, page)
    items = [item for post in posts for item in _post(post, head, tally)]
    return tally.parsed(items, (), _next(root))


class _Head:
    """What a thread page says of the whole thread."""

    def __init__(self, root: Node, page: Page) -> None:
        subject = root.xpath("//*[@id='thread_subject']")
        self.title = node_text(subject[0]) if subject else None
        counted = root.xpath("//div[contains(@class,'hm')]/span[@class='xi1']")
        words = [node_text(node) for node in counted[:2]]
        known = len(words) == 2
        self.views: str | None = words[0] if known else None
        self.replies: str | None = words[1] if known else None
        found = THREAD_ID.search(page.url) or next(
            (m for a in root.xpath("//h1/following::a/@href") if (m := THREAD_ID.search(a))), None
        )
        self.thread_id = found[1] if found else page.facts.get("tid")


def _thread_row(row: Node, found: re.Match[str], tally: Tally) -> Iterator[Item]:
    titles = row.xpath(".//a[contains(@class,'xst')]")
    cells = row.xpath(".//td[@class='by']")
    if not titles or not cells:
        tally.skip("ad_row")
        return
    author = cells[0].xpath(".//cite//a")
    written = cells[0].xpath(".//em//span")
    told = cells[0].xpath(".//em//span/@title")
    times, flags = tally.time(told[0] if told else _words(written))
    numbers = row.xpath(".//td[@class='num']")
    replies = numbers[0].xpath("./a") if numbers else []
    views = numbers[0].xpath("./em") if numbers else []
    name, uid, anonymous = _author(author[0] if author else None)
    yield Item(
        native_id=found[2],
        thread_id=found[2],
        title=node_text(titles[0]),
        author_name=name,
        author_id=uid,
        url=titles[0].get("href"),
        pinned=found[1] == "stick",
        kind="thread",
        flags=(*flags, *anonymous),
        **times,
        **tally.counts(
            comments=node_text(replies[0]) if replies else None,
            views=node_text(views[0]) if views else None,
        ),
    )


def _last_post(row: Node) -> str:
    """When the newest reply was written, as the page says it; moves with each reply."""
    cells = row.xpath("(.//td[@class='by'])[last()]//em//a")
    if not cells:
        return ""
    told = cells[0].xpath(".//span/@title")
    return str(told[0]) if told else node_text(cells[0])


def _post(post: Node, head: _Head, tally: Tally) -> Iterator[Item]:
    pid = post.get("id", "")[5:]
    authors = post.xpath(".//div[@class='authi']/a[contains(@class,'xw1')]")
    written = post.xpath(f".//em[@id='authorposton{pid}']")
    titled = written[0].xpath(".//span/@title") if written else []
    times, time_flags = tally.time(titled[0] if titled else _words(written))
    if not written:
        tally.skip("missing_time")
    floor = _floor(post, pid, tally)
    name, uid, anonymous = _author(authors[0] if authors else None)
    text, quoted, flags = _words_of(post, pid, tally)
    first = floor == 1
    yield Item(
        native_id=pid,
        thread_id=head.thread_id,
        author_name=name,
        author_id=uid,
        text=text,
        quoted=quoted,
        floor=floor,
        title=head.title if first else None,
        kind="post" if first else "comment",
        flags=(*time_flags, *anonymous, *flags),
        **times,
        **tally.counts(
            comments=head.replies if first else None, views=head.views if first else None
        ),
    )


def _words_of(
    post: Node, pid: str, tally: Tally
) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    """Text without what is quoted and what the software adds; the quotes; flags."""
    bodies = post.xpath(f".//*[@id='postmessage_{pid}']")
    locked = post.xpath(".//div[@class='locked']")
    if not bodies and not locked:
        tally.skip("missing_text")
        return None, (), ()
    if not bodies:
        notice = node_text(locked[0]) if locked else ""
        return None, (), ("banned_author" if "作者被禁止或删除" in notice else "shielded",)
    body = deepcopy(bodies[0])
    flags = [f for f, path in _MARKS if body.xpath(path)]
    quoted = tuple(node_text(node) for node in body.xpath(".//div[@class='quote']"))
    for node in body.xpath(_NOT_WORDS):
        drop(node)
    return node_text(body, _smiley), quoted, tuple(flags)


_MARKS = (
    ("quote", ".//div[@class='quote']"),
    ("edited", ".//i[@class='pstatus']"),
    ("url", ".//a[@href and not(ancestor::div[@class='quote']) and not(ancestor::i)]"),
    ("img", ".//img[contains(@class,'zoom') or @aid or @file]"),
)
_NOT_WORDS = (
    ".//div[@class='quote'] | .//i[@class='pstatus'] | .//ignore_js_op | .//script | .//style"
    " | .//div[contains(@class,'attach_nopermission')] | .//div[contains(@class,'tip_')]"
)


def _smiley(node: Node) -> str:
    return image_alt(node) if node.get("smilieid") else ""


def _floor(post: Node, pid: str, tally: Tally) -> int | None:
    marks = post.xpath(f".//a[@id='postnum{pid}']")
    words = node_text(marks[0]).rstrip("#楼 ") if marks else ""
    return FLOORS.get(node_text(marks[0]) if marks else "") or tally.number(words)


def _author(link: Node | None) -> tuple[str | None, str | None, tuple[str, ...]]:
    """Name, uid and flags; an author without a link is anonymous."""
    if link is None or node_text(link) in ANONYMOUS:
        return None, None, ("anonymous",)
    query = parse_qs(urlsplit(str(link.get("href", ""))).query)
    found = re.search(r"space-uid-(\d+)", str(link.get("href", "")))
    uid = found[1] if found else next(iter(query.get("uid", ())), None)
    return node_text(link), uid, ()


def _words(nodes: list[Node]) -> str | None:
    return node_text(nodes[0]) if nodes else None


def _next(root: Node) -> str | None:
    links = root.xpath("//div[contains(@class,'pg')]/a[contains(@class,'nxt')]/@href")
    return str(links[0]) if links else None
