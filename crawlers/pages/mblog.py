"""One Weibo post or comment object → Items: the same shape in the mobile, desktop and open API.

In:  Fields of an `mblog` or comment. Out: its Item, and that of the retweeted original.
The same id is a text in one place and a number in another: it is a text here.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TypedDict

from crawlers.pages.audit import Fields, Tally, first_words
from crawlers.pages.counts import parse_count
from crawlers.pages.page import Item
from crawlers.pages.text import Node, html_text

ZONE = "Asia/Shanghai"
GONE = re.compile(r"^抱歉，(?:此微博|作者已|该微博|由于作者|此内容)|该(?:微博|内容)(?:已被|因被)")
FULL_TEXT = re.compile(
    r"(?:\.{3}|…)?\s*<a [^>]*href=[\"'](?:https?://m\.weibo\.cn)?/status/\d+[\"'][^>]*>全文</a>\s*$"
)
# Looks, menus and rights of the app: nothing of a post stands in them.
IGNORED = frozenset(
    "visible can_edit edit_count edit_at version show_additional_indication textLength favorited "
    "pic_ids pic_types is_paid mblog_vip_type pending_approval_count reward_exhibition_type "
    "hide_flag mlevel darwin_tags rid more_info_type extern_safe enable_comment_guide content_auth "
    "safe_tags pic_num fid alchemy_params mblog_menu_new_style edit_config page_info "
    "thumbnail_pic bmiddle_pic original_pic picStatus number_display_strategy pics repost_type "
    "raw_text geo in_reply_to_status_id in_reply_to_user_id in_reply_to_screen_name annotations "
    "biz_feature biz_ids hasActionTypeCard hot_weibo_tags is_show_bulletin isImportant "
    "is_imported_topic longText mark mblog_template multi_attitude text_tag_tips topic_id "
    "truncated url_objects userType gif_ids cmt_type comment_manage_info positive_recom_flag "
    "expire_time ad_state pic_infos pic_bg topic_struct url_struct buttons created_timestamp "
    "sync_mblog reads_count analysis_extra timestamp_text obj_ext picStatus pic_focus_point "
    "comment_guide_type source_type source_allowclick weibo_position screen_name_suffix_new "
    "deleted attitude_dynamic_adid share_repost_type attitude_dynamic_members_message "
    "hide_multi_attitude mblogid region_opt annotations_new mixed_count live "
    "source_url picVideo is_vote appid adminType deletedtime filterID".split()
)


def mblog(value: object, tally: Tally, where: str = "mblog") -> list[Item]:
    """The post, then its retweeted original as an `embedded` row; [] when it is no post."""
    if not isinstance(value, dict):
        return []
    fields = Fields(value, where)
    native = first_words(fields.take("idstr"), fields.take("id"), value.get("mid"))
    fields.take("mid")
    if native is None or not native.isdigit():
        tally.skip("no_id")
        tally.error(f"{where}: 没有可用的 id, 这一条无法登记。")
        return []
    retweeted = fields.take("retweeted_status")
    originals = mblog(retweeted, tally, f"{where}.retweeted_status") if retweeted else []
    item = _post(native, fields, tally)
    fields.leave(IGNORED, tally)
    if originals:
        item = replace(item, repost_of=originals[0].native_id, kind="repost")
        originals = [replace(originals[0], embedded=True), *originals[1:]]
    return [item, *originals]


def comment(value: object, tally: Tally, parent: str | None) -> list[Item]:
    """A comment and the replies that stand under it."""
    if not isinstance(value, dict):
        return []
    fields = Fields(value, "comment")
    native = first_words(fields.take("idstr"), fields.take("id"), fields.take("mid"))
    if native is None:
        tally.skip("no_id")
        return []
    times, flags = tally.time(fields.take("created_at"))
    status = fields.block("status")
    parent = parent or first_words(status.get("idstr"), status.get("id"))
    likes = first_words(fields.take("like_count"), fields.take("like_counts"))
    root = first_words(fields.take("rootid"), fields.take("rootidstr"))
    item = Item(
        native_id=native,
        text=_text(fields.take("text"))[0],
        kind="comment",
        flags=flags,
        floor=parse_count(fields.take("floor_number")).value,
        region=_region(fields.take("source")),
        thread_id=parent,
        parent_id=root if root not in (None, native) else parent,
        **_author(fields.take("user")),
        **times,
        **tally.counts(likes=likes),
    )
    replies = [reply for row in fields.rows("comments") for reply in comment(row, tally, parent)]
    return [item, *replies]


def _post(native: str, fields: Fields, tally: Tally) -> Item:
    times, flags = tally.time(fields.take("created_at"))
    text, truncated = _text(fields.take("text"))
    long = fields.take("isLongText") is True
    gone = text is not None and GONE.match(text) is not None
    author = _author(fields.take("user"))
    bid, uid = fields.words("bid"), author["author_id"]
    title = fields.block("title").get("text")
    top, kind = fields.take("isTop"), fields.take("mblogtype")
    pinned = top == 1 or kind == 2 or title == "置顶"
    fields.take("source")
    return Item(
        native_id=native,
        text=None if gone else text,
        truncated=truncated or (long and text is not None and text.endswith(("...", "…"))),
        flags=(*flags, "gone") if gone else flags,
        region=_region(fields.take("region_name")),
        url=f"https://weibo.com/{uid}/{bid or native}" if uid else None,
        pinned=pinned,
        **author,
        **times,
        **tally.counts(
            likes=fields.take("attitudes_count"),
            comments=fields.take("comments_count"),
            reposts=fields.take("reposts_count"),
        ),
    )


def _text(value: object) -> tuple[str | None, bool]:
    """Words as the page shows them, and whether they were cut at 全文."""
    if not isinstance(value, str):
        return None, False
    cut = FULL_TEXT.search(value)
    body = value[: cut.start()] if cut else value
    return html_text(body.replace("\u200b", ""), _emoticon), cut is not None


def plain(value: str) -> str:
    """A long text's words."""
    return _text(value)[0] or ""


def _emoticon(node: Node) -> str:
    alt = str(node.get("alt") or "")
    return alt if alt.startswith("[") else ""


def _region(value: object) -> str | None:
    words = first_words(value)
    if words is None or "<" in words:
        return None
    found = re.match(r"(?:发布于|来自|IP属地[:：]?)\s*(\S{2,12})$", words)
    return found[1] if found else None


class _Author(TypedDict):
    author_id: str | None
    author_name: str | None
    followers: int | None
    verified: bool
    verified_type: int | None


def _author(value: object) -> _Author:
    user = value if isinstance(value, dict) else {}
    kind = user.get("verified_type")
    return {
        "author_id": first_words(user.get("idstr"), user.get("id")),
        "author_name": first_words(user.get("screen_name"), user.get("name")),
        "followers": parse_count(user.get("followers_count")).value,
        "verified": user.get("verified") is True,
        "verified_type": kind if isinstance(kind, int) and not isinstance(kind, bool) else None,
    }
