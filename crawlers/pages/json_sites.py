"""JSON of three sites whose answers are flat: Discourse topics, JD comments, Hupu thread lists.

In:  a Page with JSON or JSONP. Out: Items.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator

from crawlers.pages.audit import Fields, first_words, load_json, not_as_expected
from crawlers.pages.page import Item, Page, Parsed
from crawlers.pages.tally import Tally
from crawlers.pages.text import Node, html_text, image_alt

NO_REVIEW = ("此用户未填写评价内容", "此用户没有填写评价")
LIKE = 2  # Discourse's action type
# What these sites say of rights, looks and the reader: nothing of a post stands in them.
DISCOURSE_IGNORED = frozenset(
    "accepted_answer admin avatar_template badges_granted bookmarked can_accept_answer can_delete "
    "can_edit can_recover can_see_hidden_post can_unaccept_answer can_view_edit_history can_vote "
    "can_wiki display_username edit_reason flair_bg_color flair_color flair_group_id flair_name "
    "flair_url incoming_link_count link_counts mentioned_users moderator name posts_count "
    "primary_group_name quote_count read readers_count reply_to_user score staff "
    "topic_accepted_answer topic_slug trust_level updated_at user_title version wiki yours".split()
)
JD_IGNORED = frozenset(
    "aesPin afterDays anonymousFlag days discussionId extMap firstCategory guid imageCount "
    "imageIntegral imageStatus images integral isDelete isTop mergeOrderStatus mobileVersion orderId "
    "ownId ownType plusAvailable productColor productSales productSize referenceId referenceImage "
    "referenceTime replies replyCount2 secondCategory status textIntegral thirdCategory topped "
    "userClient userImage userImageUrl vcontent".split()
)
HUPU_IGNORED = frozenset(
    "contentType fid jumpUrl lightReply lightReplyResult picList tagInfoList topThread topicIcon "
    "topicId topicName userHeader video videoThread".split()
)


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
    rows = [Fields(row, path[-1], tally) for row in value if isinstance(row, dict)]
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
    cooked = row.words("cooked")
    if cooked is None and not gone:
        tally.skip("missing_text")
    likes = next(
        (a.get("count") for a in row.rows("actions_summary")
         if isinstance(a, dict) and a.get("id") == LIKE), 0,
    )  # fmt: skip
    reply_to = row.words("reply_to_post_number")
    yield Item(
        native_id=native,
        author_name=row.words("username"),
        author_id=row.words("user_id"),
        text=None if gone or cooked is None else html_text(cooked, _emoji),
        floor=tally.number(row.take("post_number")),
        thread_id=row.words("topic_id"),
        parent_id=f"#{reply_to}" if reply_to else None,
        url=row.words("post_url"),
        flags=(*flags, "gone") if gone else flags,
        **times,
        **tally.counts(likes=likes, comments=row.take("reply_count"), views=row.take("reads")),
    )
    row.leave(DISCOURSE_IGNORED)


def _jd_comment(row: Fields, tally: Tally) -> Iterator[Item]:
    native = row.words("id")
    if native is None:
        tally.skip("no_id")
        return
    times, flags = tally.time(row.take("creationTime"))
    content = row.words("content")
    if content is None:
        tally.skip("missing_text")
    text = html.unescape(content or "").strip()
    empty = not text or any(text.startswith(words) for words in NO_REVIEW)
    name = row.words("nickname")
    item = Item(
        native_id=native,
        author_name=name,  # masked: no identity
        text=None if empty else html_text(text),
        rating=tally.stars(row.take("score")),
        region=first_words(row.take("location")),
        item=row.words("referenceName"),
        kind="review",
        flags=(*flags, "no_text") if empty else flags,
        **times,
        **tally.counts(likes=row.take("usefulVoteCount"), comments=row.take("replyCount")),
    )
    yield item
    yield from _jd_later(row, native, name, tally)
    row.leave(JD_IGNORED)


def _jd_later(row: Fields, parent: str, name: str | None, tally: Tally) -> Iterator[Item]:
    later = Fields(row.block("afterUserComment"), "afterUserComment", tally)
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
    title = row.words("title")
    if title is None:
        tally.skip("missing_text")
    yield Item(
        native_id=native,
        thread_id=native,
        author_name=row.words("userName"),
        author_id=row.words("puid"),
        text=title,
        flags=flags,
        **times,
        **tally.counts(
            likes=row.take("recommendCount"),
            comments=row.take("replies"),
            reposts=row.take("shareNum"),
        ),
    )
    row.leave(HUPU_IGNORED)


def _emoji(node: Node) -> str:
    return image_alt(node) if "emoji" in str(node.get("class") or "") else ""
