"""Saved Tieba pages → Items: thread pages and forum lists.

In:  a Page with HTML as the browser kept it. Out: Items; rows with an empty data-field are adverts.
There is no live spider: the site of today answers by signed JSON only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from crawlers.pages.audit import first_words, not_as_expected
from crawlers.pages.markup import html_root
from crawlers.pages.page import Item, Page, Parsed
from crawlers.pages.tally import Tally
from crawlers.pages.text import Node, drop, image_alt, node_text, tree

ZONE = "Asia/Shanghai"
THREAD_ID = re.compile(r"/p/(\d+)")
FLOOR = re.compile(r"(\d+)楼")
WHEN = re.compile(r"\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{2}")
COMMENT = re.compile(r"<!--(.*?)-->", re.S)


def parse_tieba_thread(page: Page) -> Parsed:
    """`/p/TID`: one Item a floor."""
    tally = Tally(page, page.zone or ZONE)
    found_root = html_root(page, tally)
    if found_root is None:
        return tally.parsed()
    root, _ = found_root
    rows = root.xpath("//div[contains(concat(' ',@class,' '),' l_post ')]")
    if not rows:
        return not_as_expected(tally, page, ["div.l_post"])
    found = THREAD_ID.search(page.url) or next(
        (m for a in root.xpath("//a/@href") if (m := THREAD_ID.match(str(a)))), None
    )
    thread = found[1] if found else None
    return tally.parsed(item for row in rows for item in _post(row, thread, tally))


def parse_tieba_list(page: Page) -> Parsed:
    """`/f?kw=`: the list stands inside a comment of the page."""
    tally = Tally(page, page.zone or ZONE)
    found_root = html_root(page, tally)
    if found_root is None:
        return tally.parsed()
    root, text = found_root
    rows = _list_rows(root)
    if not rows:
        hidden = "".join(part for part in COMMENT.findall(text) if "j_thread_list" in part)
        inner = tree(hidden) if hidden else None
        rows = _list_rows(inner) if inner is not None else []
    if not rows:
        return not_as_expected(tally, page, ["li.j_thread_list"])
    return tally.parsed(item for row in rows for item in _thread(row, tally))


def _list_rows(root: Node) -> list[Node]:
    return list(root.xpath("//li[contains(concat(' ',@class,' '),' j_thread_list ')]"))


def _post(row: Node, thread: str | None, tally: Tally) -> Iterator[Item]:
    data = _data(row)
    content, author = _block(data, "content"), _block(data, "author")
    bodies = row.xpath(".//*[starts-with(@id,'post_content_')]")
    for button in row.xpath(".//div[contains(@class,'replace_tip')]"):
        drop(button)  # 点击展开，查看完整图片
    pid = first_words(content.get("post_id")) or (bodies[0].get("id")[13:] if bodies else None)
    if not data or pid is None:
        tally.skip("ad_row")
        return
    names = row.xpath(".//a[contains(@class,'p_author_name')]")
    tails = [node_text(n) for n in row.xpath(".//span[contains(@class,'tail-info')]")]
    places = [node_text(n) for n in row.xpath(".//*[contains(text(),'IP属地')]")]
    written = next((m[0] for tail in tails if (m := WHEN.search(tail))), content.get("date"))
    times, flags = tally.time(written)
    floor = content.get("post_no") or next((m[1] for t in tails if (m := FLOOR.match(t))), None)
    if not bodies:
        tally.skip("missing_text")
    yield Item(
        native_id=pid,
        thread_id=first_words(content.get("thread_id")) or thread,
        author_name=node_text(names[0], image_alt)
        if names
        else first_words(author.get("user_name")),
        author_id=first_words(author.get("user_id")),
        text=node_text(bodies[0], _emoticon) if bodies else None,
        floor=tally.number(floor),
        region=next((p.split("属地", 1)[1].strip(":： ") for p in places if "属地" in p), None),
        flags=flags,
        **times,
        **tally.counts(comments=content.get("comment_num")),
    )


def _thread(row: Node, tally: Tally) -> Iterator[Item]:
    data = _data(row)
    native = first_words(data.get("id"), row.get("data-tid"))
    titles = row.xpath(".//a[contains(@class,'j_th_tit')]")
    if native is None or not titles:
        tally.skip("ad_row")
        return
    texts = [node_text(n) for n in row.xpath(".//div[contains(@class,'threadlist_abs_onlyline')]")]
    written = row.xpath(".//span[contains(@class,'is_show_create_time')]")
    names = row.xpath(".//a[contains(@class,'frs-author-name')]")
    counted = row.xpath(".//span[contains(@class,'threadlist_rep_num')]")
    times, flags = tally.time(node_text(written[0]) if written else None)
    if times["created_precision"] == "month":  # old threads show 2020-05: no day is invented
        times["created_at"] = None
    replies = data.get("reply_num")
    yield Item(
        native_id=native,
        thread_id=native,
        title=titles[0].get("title") or node_text(titles[0]),
        text=next((text for text in texts if text), None),
        author_name=_listed_name(names) or first_words(data.get("author_name")),
        flags=flags,
        **times,
        **tally.counts(comments=node_text(counted[0]) if replies is None and counted else replies),
    )


def _listed_name(names: list[Node]) -> str | None:
    """The first run of letters: pictures cut a nickname in a list."""
    return first_words(*names[0].itertext()) if names else None


def _data(row: Node) -> dict[str, object]:
    try:
        value = json.loads(row.get("data-field") or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _block(data: dict[str, object], name: str) -> dict[str, object]:
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def _emoticon(node: Node) -> str:
    return f"[{node.get('text')}]" if node.get("text") else ""
