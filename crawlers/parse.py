"""`keqing parse KIND FILE`: a saved page → the parser's raw rows, before pseudonyms.

In:  a kind of page, a file. Out: rows and the audit; nothing lands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from crawlers.pages.appstore import parse_appstore
from crawlers.pages.discuz import parse_list, parse_thread
from crawlers.pages.feed import parse_feed
from crawlers.pages.json_sites import parse_discourse, parse_hupu, parse_jd
from crawlers.pages.page import Item, Page, Parsed
from crawlers.pages.schema_review import parse_reviews
from crawlers.pages.tieba import parse_tieba_list, parse_tieba_thread
from crawlers.pages.weibo import (
    parse_comments,
    parse_extend,
    parse_open_comments,
    parse_open_favorites,
    parse_open_statuses,
    parse_profile,
    parse_status,
    parse_timeline,
)
from keqing.errors import UsageError

KINDS: dict[str, Callable[[Page], Parsed]] = {
    "appstore_customerreviews_atom": parse_appstore,
    "discourse_topic_json": parse_discourse,
    "discuz_error_html": parse_thread,
    "discuz_list_html": parse_list,
    "discuz_viewthread_html": parse_thread,
    "hupu_threads_json": parse_hupu,
    "jd_productPageComments_jsonp": parse_jd,
    "rss_atom": parse_feed,
    "schemaorg_review_jsonld": parse_reviews,
    "tieba_forum_list_html": parse_tieba_list,
    "tieba_thread_html": parse_tieba_thread,
    "weibo_m_comments_hotflow": parse_comments,
    "weibo_m_error": parse_timeline,
    "weibo_m_extend_longtext": parse_extend,
    "weibo_m_getIndex_timeline": parse_timeline,
    "weibo_m_profile": parse_profile,
    "weibo_m_statuses_show": parse_status,
    "weibo_openapi_comments": parse_open_comments,
    "weibo_openapi_favorites": parse_open_favorites,
    "weibo_openapi_statuses": parse_open_statuses,
}
SHOWN = (
    "native_id", "author_name", "author_id", "text", "title", "created_raw", "likes", "comments",
    "reposts", "views", "rating", "floor", "region", "repost_of", "embedded", "truncated",
    "thread_id",
)  # fmt: skip
_ID_IN_NAME = re.compile(r"(\d{8,20})")


def parse_file(
    kind: str, path: Path, fetched_at: datetime | None = None, zone: str | None = None
) -> tuple[list[dict[str, object]], Parsed]:
    """Rows of a saved page and the parser's whole result.

    A long text names no post of its own: its id is taken from the file's name.

    Raises:
        UsageError: an unknown kind, or a file that cannot be read.
        UnreadablePage: the body is no text at all.
    """
    if kind not in KINDS:
        raise UsageError(f"{kind!r} is no kind of page; one of {', '.join(sorted(KINDS))}")
    try:
        body = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    found = _ID_IN_NAME.search(path.name)
    facts = {"mid": found[1]} if found else {}
    parsed = KINDS[kind](Page(body, "", fetched_at=fetched_at, zone=zone, facts=facts))
    return [_row(item) for item in parsed.items], parsed


def _row(item: Item) -> dict[str, object]:
    row: dict[str, object] = {name: getattr(item, name) for name in SHOWN}
    row["created_at"] = item.created_at.isoformat() if item.created_at else None
    row["flags"] = list(item.flags)
    return row
