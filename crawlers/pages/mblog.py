"""One Weibo post or comment object → Items: the same shape in the mobile, desktop and open API.

In:  Fields of an `mblog` or comment. Out: its Item, and that of the retweeted original.
The same id is a text in one place and a number in another: it is a text here.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TypedDict

from crawlers.pages.audit import Fields, first_words
from crawlers.pages.page import Item
from crawlers.pages.tally import Tally
from crawlers.pages.text import Node, html_text

ZONE = "Asia/Shanghai"
MAX_NESTING = 4  # a site shows a repost of a repost as one, and replies under comments
KINDS_BELOW = 1000
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
    "source_url cardid jump_type live_photo pic_video reward_scheme pic_urls pid page_type picVideo is_vote appid adminType deletedtime filterID".split()
)


COMMENT_IGNORED = frozenset(
    "mid bid disable_reply isLikedByMblogAuthor liked pic reply_id reply_text reply_original_text "
    "rootidstr max_id total_number more_info more_info_users is_mblog_author url_objects vip_button "
    "text_raw isTop readtimetype match_ai_play_picture source_allowclick source_type mark_type "
    "allow_follow item_category degrade_type report_scheme feature_type cmt_type cut_tail filter_group "
    "reply_comment analysis_extra status created_timestamp isExpand comment_bubble safe_tags "
    "comment_badge urls".split()
)


def mblog(value: object, tally: Tally, where: str = "mblog") -> list[Item]:
    """The post, then its retweeted original as an `embedded` row; [] when it is no post."""
    if not isinstance(value, dict) or where.count(".") > MAX_NESTING:
        tally.skip("too_deep" if isinstance(value, dict) else "no_object")
        return []
    fields = Fields(value, where, tally)
    native = first_words(fields.take("idstr"), fields.take("id"), value.get("mid"))
    fields.take("mid")
    if native is None or not native.isdigit():
        tally.error(f"{where}: 没有可用的 id, 这一条无法登记。")
        return []
    retweeted = fields.take("retweeted_status")
    originals = mblog(retweeted, tally, f"{where}.retweeted_status") if retweeted else []
    item = _post(native, fields, tally)
    fields.leave(IGNORED)
    if originals:
        item = replace(item, repost_of=originals[0].native_id, kind="repost")
        originals = [replace(originals[0], embedded=True), *originals[1:]]
    return [item, *originals]


def comment(value: object, tally: Tally, parent: str | None, depth: int = 0) -> list[Item]:
    """A comment and the replies that stand under it."""
    if not isinstance(value, dict) or depth > MAX_NESTING:
        tally.skip("too_deep" if isinstance(value, dict) else "no_object")
        return []
    fields = Fields(value, "comment", tally)
    native = first_words(fields.take("idstr"), fields.take("id"), fields.take("mid"))
    if native is None:
        tally.skip("no_id")
        return []
    times, flags = tally.time(fields.take("created_at"))
    status = fields.block("status")
    parent = parent or first_words(status.get("idstr"), status.get("id"))
    likes, older = fields.take("like_count"), fields.take("like_counts")
    root = first_words(fields.take("rootid"), fields.take("rootidstr"))
    item = Item(
        native_id=native,
        text=_said(fields, tally)[0],
        kind="comment",
        flags=flags,
        floor=tally.number(fields.take("floor_number")),
        region=_region(fields.take("source")),
        thread_id=parent,
        parent_id=root if root not in (None, native) else parent,
        **_author(fields.block("user"), tally),
        **times,
        **tally.counts(likes=older if likes is None else likes),
    )
    _whole(item, tally)
    under = fields.rows("comments")
    replies = [reply for row in under for reply in comment(row, tally, parent, depth + 1)]
    fields.leave(COMMENT_IGNORED)
    return [item, *replies]


def _post(native: str, fields: Fields, tally: Tally) -> Item:
    times, flags = tally.time(fields.take("created_at"))
    text, truncated = _said(fields, tally)
    long = fields.take("isLongText") is True
    gone = text is not None and GONE.match(text) is not None
    author = _author(fields.block("user"), tally)
    bid, uid = fields.words("bid"), author["author_id"]
    title = fields.block("title").get("text")
    top, kind = fields.take("isTop"), fields.take("mblogtype")
    pinned = top == 1 or kind == 2 or title == "置顶"
    fields.take("source")
    item = Item(
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
    if not gone:
        _whole(item, tally)
    return item


def _whole(item: Item, tally: Tally) -> None:
    """Count what every post has and this one lacks."""
    if item.created_raw is None:
        tally.skip("missing_time")
    if item.author_id is None:
        tally.skip("missing_author")


def _said(fields: Fields, tally: Tally) -> tuple[str | None, bool]:
    """Words and whether they were cut; a text of another type is counted as missing."""
    value = fields.take("text")
    if not isinstance(value, str):
        tally.skip("missing_text")
    return _text(value)


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


def _author(user: dict[str, object], tally: Tally) -> _Author:
    kind = user.get("verified_type")
    known = isinstance(kind, int) and not isinstance(kind, bool) and abs(kind) < KINDS_BELOW
    return {
        "author_id": first_words(user.get("idstr"), user.get("id")),
        "author_name": first_words(user.get("screen_name"), user.get("name")),
        "followers": tally.number(user.get("followers_count")),
        "verified": user.get("verified") is True,
        "verified_type": int(str(kind)) if known else None,
    }
