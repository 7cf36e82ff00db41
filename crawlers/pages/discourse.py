"""Discourse lists of topics, and which posts of a topic its first page leaves out.

In:  a Page with JSON. Out: references to topics; ids of posts. The posts themselves are read by
`json_sites.parse_discourse`.
"""

from __future__ import annotations

from crawlers.pages.audit import Fields, first_words, load_json, not_as_expected
from crawlers.pages.page import Page, Parsed, Ref
from crawlers.pages.tally import Tally


def parse_topics(page: Page) -> Parsed:
    """`/latest.json`, `/c/<slug>/<id>.json`: one Ref a topic; its facts tell whether it moved."""
    tally = Tally(page, page.zone)
    value = load_json(page, tally)
    block = value.get("topic_list") if isinstance(value, dict) else None
    topics = block.get("topics") if isinstance(block, dict) else None
    if value is None:
        return tally.parsed()
    if not isinstance(block, dict) or not isinstance(topics, list):
        return not_as_expected(tally, page, ["topic_list.topics"])
    if not topics:
        tally.skip("empty")
    rows = [row for row in topics if isinstance(row, dict)]
    if len(rows) < len(topics):
        tally.skip("no_object", len(topics) - len(rows))
    refs = [ref for row in rows for ref in _topic(row, tally)]
    return tally.parsed((), refs, first_words(block.get("more_topics_url")))


def unread_ids(page: Page) -> list[str]:
    """Ids that `/t/ID.json` names without their posts, in the topic's order."""
    value = load_json(page, Tally(page, None))
    stream = value.get("post_stream") if isinstance(value, dict) else None
    if not isinstance(stream, dict):
        return []
    shown = {row.get("id") for row in _list(stream.get("posts")) if isinstance(row, dict)}
    return [str(i) for i in _list(stream.get("stream")) if isinstance(i, int) and i not in shown]


def title_of(page: Page) -> str | None:
    """Title of a topic's first page."""
    value = load_json(page, Tally(page, None))
    return first_words(value.get("title")) if isinstance(value, dict) else None


def _topic(row: dict[str, object], tally: Tally) -> list[Ref]:
    fields = Fields(row, "topics", tally)
    number = fields.words("id")
    if number is None:
        tally.skip("no_id")
        return []
    moved = first_words(row.get("last_posted_at"), row.get("bumped_at")) or ""
    pinned = "1" if row.get("pinned") else ""
    mark = f"{row.get('posts_count')}|{moved}"
    return [Ref("thread", number, facts={"mark": mark, "pinned": pinned})]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
