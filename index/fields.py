"""The fields and values that staff may type, in Chinese and English.

In:  nothing. Out: tables name → field, and value → stored value.
"""

from __future__ import annotations

from typing import cast

from index.ast import Counter, Field
from keqing.errors import UsageError

COUNTED = ("source", "channel", "region", "polarity", "intent", "aspect", "severity", "topic", "event",
           "brand", "kind", "emotion", "platform", "segment")  # fmt: skip

FIELDS: dict[str, str] = {
    "标题": "title", "作者": "author", "来源": "source", "渠道": "channel", "地域": "region",
    "情感": "polarity", "意图": "intent", "维度": "aspect", "敏感": "severity", "话题": "topic",
    "事件": "event", "品牌": "brand", "类型": "kind", "情绪": "emotion", "平台": "platform",
    "群落": "segment",
    "title": "title", "author": "author", "source": "source", "channel": "channel",
    "region": "region", "polarity": "polarity", "intent": "intent", "aspect": "aspect",
    "severity": "severity", "topic": "topic", "event": "event", "brand": "brand", "kind": "kind",
    "emotion": "emotion", "story": "story", "platform": "platform",
    "segment": "segment",
}  # fmt: skip
COUNTERS: dict[str, str] = {
    "转发": "reposts", "评论": "comments", "点赞": "likes", "浏览": "views", "星级": "rating",
    "粉丝": "followers", "reposts": "reposts", "comments": "comments", "likes": "likes",
    "views": "views", "rating": "rating", "followers": "followers",
}  # fmt: skip
VALUES: dict[str, dict[str, str]] = {
    "polarity": {
        "负面": "negative", "负": "negative", "中性": "neutral", "中": "neutral",
        "正面": "positive", "正": "positive", "negative": "negative", "neutral": "neutral",
        "positive": "positive",
    },
    "channel": {
        "公开": "public", "呼叫中心": "call_centre", "门户": "portal", "社交媒体": "social",
        "短信": "sms", "门店": "store", "人工": "manual", "public": "public",
        "call_centre": "call_centre", "portal": "portal", "social": "social", "sms": "sms",
        "store": "store", "manual": "manual",
    },
    "segment": {
        "官方": "official", "政务": "government", "媒体": "media", "企业": "enterprise",
        "大V": "kol", "大v": "kol", "认证": "verified", "顾客": "customer", "员工": "employee?",
        "旁观": "observer", "协同": "suspected", "official": "official", "government": "government",
        "media": "media", "enterprise": "enterprise", "kol": "kol", "verified": "verified",
        "customer": "customer", "employee?": "employee?", "observer": "observer",
        "suspected": "suspected",
    },
}  # fmt: skip


def as_field(name: str) -> Field:
    """A checked field name as its type."""
    return cast(Field, FIELDS[name])


def as_counter(name: str) -> Counter:
    """A checked counter name as its type."""
    return cast(Counter, COUNTERS[name])


def check_counted(name: str) -> None:
    """Refuse a field whose values cannot be counted.

    Raises:
        UsageError: names the fields that can.
    """
    if name not in COUNTED:
        raise UsageError(f"counts_by: {name!r} is no tag field; use one of {COUNTED}")
