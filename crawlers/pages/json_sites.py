"""JSON of three sites whose answers are flat: Discourse topics, JD comments, Hupu thread lists.

In:  a Page with JSON or JSONP. Out: Items.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator

from crawlers.pages.audit import Fields, Tally, as_words, first_words, load_json, not_as_expected
from crawlers.pages.counts import parse_count
from crawlers.pages.page import Item, Page, Parsed
from crawlers.pages.text import Node, html_text, image_alt

NO_REVIEW = ("此用户未填写评价内容", "此用户没有填写评价")
LIKE = 2  # Discourse's action type


def parse_discourse(page: Page) -> Parsed:
    """`/t/ID.json` and `/t/ID/posts.json`: posts of type 1; removed ones keep no text."""
    tally = Tally(page, page.zone)
    return _each(page, tally, ("post_stream", "posts"), _discourse_post)


def parse_jd(page: Page) -> Parsed:
    """`productPageComments.action`: reviews, and what was added to them later."""
    tally = Tally(page, page.zone or "Asia/Shanghai")
    return _each(page, tally, ("comments",), _jd_comment)


def parse_hupu(page: Page) -> Parsed:
    """A list of threads: titles only, times without a year."""
    tally = Tally(page, page.zone or "Asia/Shanghai")
    return _each(page, tally, ("threadList",), _hupu_thread)


def _each(
    page: Page,
    tally: Tally,
    path: tuple[str, ...],
    read: Callable[[Fields, Tally], Iterator[Item]],
) -> Parsed:
    value = load_json(page, tally)
    if value is None:
        return tally.parsed()
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, list):
        return not_as_expected(tally, page, [".".join(path)])
    if not value:
        tally.skip("empty")
    rows = [Fields(row, path[-1]) for row in value if isinstance(row, dict)]
    tally.skip("no_object", len(value) - len(rows)) if len(rows) < len(value) else None
    return tally.parsed(item for row in rows for item in read(row, tally))


def _discourse_post(row: Fields, tally: Tally) -> Iterator[Item]:
    native, kind = row.words("id"), row.take("post_type")
    if native is None or kind not in (None, 1):
        tally.skip("no_id" if native is None else "system_post")
        return
    times, flags = tally.time(row.take("created_at"))
    gone = (
        bool(row.take("hidden")) or bool(row.take("deleted_at")) or bool(row.take("user_deleted"))
    )
    cooked = row.words("cooked") or ""
    likes = next(
        (a.get("count") for a in row.rows("actions_summary")
         if isinstance(a, dict) and a.get("id") == LIKE), 0,
    )  # fmt: skip
    reply_to = row.words("reply_to_post_number")
    yield Item(
        native_id=native,
        author_name=row.words("username"),
        author_id=row.words("user_id"),
        text=None if gone else html_text(cooked, _emoji),
        floor=parse_count(row.take("post_number")).value,
        thread_id=row.words("topic_id"),
        parent_id=f"#{reply_to}" if reply_to else None,
        url=row.words("post_url"),
        flags=(*flags, "gone") if gone else flags,
        **times,
        **tally.counts(likes=likes, comments=row.take("reply_count"), views=row.take("reads")),
    )


def _jd_comment(row: Fields, tally: Tally) -> Iterator[Item]:
    native = row.words("id")
    if native is None:
        tally.skip("no_id")
        return
    times, flags = tally.time(row.take("creationTime"))
    text = html.unescape(row.words("content") or "").strip()
    empty = not text or any(text.startswith(words) for words in NO_REVIEW)
    name = row.words("nickname")
    score = parse_count(row.take("score")).value
    item = Item(
        native_id=native,
        author_name=name,  # masked: no identity
        text=None if empty else html_text(text),
        rating=float(score) if score else None,
        region=first_words(row.take("location")),
        item=row.words("referenceName"),
        kind="review",
        flags=(*flags, "no_text") if empty else flags,
        **times,
        **tally.counts(likes=row.take("usefulVoteCount"), comments=row.take("replyCount")),
    )
    yield item
    yield from _jd_later(row, native, name, tally)


def _jd_later(row: Fields, parent: str, name: str | None, tally: Tally) -> Iterator[Item]:
    later = Fields(row.block("afterUserComment"), "afterUserComment")
    inner = later.block("hAfterUserComment")
    text = first_words(inner.get("content"), later.take("content"))
    native = first_words(inner.get("id"), later.take("id"))
    if not text or not native:
        return
    times, flags = tally.time(first_words(inner.get("created"), later.take("created")))
    yield Item(
        native_id=native,
        author_name=name,
        text=html_text(html.unescape(text)),
        parent_id=parent,
        kind="review",
        flags=flags,
        **times,
    )


def _hupu_thread(row: Fields, tally: Tally) -> Iterator[Item]:
    native = row.words("tid")
    if native is None:
        tally.skip("no_id")
        return
    times, flags = tally.time(row.take("time"))
    yield Item(
        native_id=native,
        thread_id=native,
        author_name=row.words("userName"),
        author_id=row.words("puid"),
        text=as_words(row.take("title")),
        flags=flags,
        **times,
        **tally.counts(
            likes=row.take("recommendCount"),
            comments=row.take("replies"),
            reposts=row.take("shareNum"),
        ),
    )


def _emoji(node: Node) -> str:
    return image_alt(node) if "emoji" in str(node.get("class") or "") else ""
