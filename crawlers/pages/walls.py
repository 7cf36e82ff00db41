"""What kind of answer a page is, before any parser looks at it.

In:  a Page and what its address should give (json, html or xml).
Out: an Answer. A wall is an outcome to be reported, never one to get round.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Literal
from urllib.parse import urlsplit

from crawlers.pages.page import Page


class Answer(StrEnum):
    """Kinds of answer; stable codes, also used as reasons in Parsed.skipped."""

    OK = "ok"
    EMPTY = "empty"
    LOGIN_WALL = "login_wall"
    CAPTCHA = "captcha"
    THROTTLED = "throttled"
    NO_PERMISSION = "no_permission"
    GONE = "gone"
    ROBOTS = "robots"
    CHANGED = "changed"


Expects = Literal["json", "html", "xml"]

STATUSES = {
    401: Answer.LOGIN_WALL,
    403: Answer.THROTTLED,
    404: Answer.GONE,
    410: Answer.GONE,
    414: Answer.THROTTLED,
    418: Answer.THROTTLED,
    429: Answer.THROTTLED,
    432: Answer.THROTTLED,
    451: Answer.GONE,
    503: Answer.THROTTLED,
}
TOLD_BY_BODY = (401, 403)
LOGIN_HOSTS = ("passport.weibo.com", "passport.weibo.cn", "login.sina.com.cn", "passport.baidu.com")
CAPTCHA_HOSTS = ("wappass.baidu.com", "security.weibo.com", "verify.meituan.com")

# (where it stands, mark, what it means); the first that matches wins.
MARKS: tuple[tuple[Expects, re.Pattern[str], Answer], ...] = (
    ("json", re.compile(r'"ok"\s*:\s*-100\b'), Answer.LOGIN_WALL),
    ("json", re.compile(r'"ok"\s*:\s*0\b.*"cards"\s*:\s*\[\s*\]', re.S), Answer.EMPTY),
    ("json", re.compile(r'"errno"\s*:\s*"?(?:100005|20003|-100)"?'), Answer.LOGIN_WALL),
    ("json", re.compile(r'"error_code"\s*:\s*"?(?:213\d\d|10013)\b'), Answer.LOGIN_WALL),
    ("json", re.compile(r'"error_code"\s*:\s*"?(?:1002[234])\b'), Answer.THROTTLED),
    ("json", re.compile(r'"error_code"\s*:\s*"?20101\b'), Answer.GONE),
    ("json", re.compile(r'"error_type"\s*:\s*"not_logged_in"'), Answer.LOGIN_WALL),
    ("json", re.compile(r'"error_type"\s*:\s*"rate_limit"'), Answer.THROTTLED),
    ("json", re.compile(r'"error_type"\s*:\s*"invalid_access"'), Answer.NO_PERMISSION),
    ("json", re.compile(r'"error_type"\s*:\s*"not_found"'), Answer.GONE),
    ("html", re.compile(r"百度安全验证|geetest|请完成安全验证|滑动验证|人机验证"), Answer.CAPTCHA),
    (
        "html",
        re.compile(r"<title>\s*(?:Sina Visitor System|新浪通行证|微博登录)"),
        Answer.LOGIN_WALL,
    ),
    ("html", re.compile(r"该(?:贴|帖)(?:子)?已被删除|贴吧404"), Answer.GONE),
)
_NOTICE = re.compile(r'id="messagetext"[^>]*>(.{0,800}?)</div>', re.S)
_NOTICES = (
    (re.compile(r"不存在|已被删除|正在被审核|找不到"), Answer.GONE),
    (re.compile(r"访问过于频繁|操作太快|稍后再试|请稍候"), Answer.THROTTLED),
    (re.compile(r"验证码"), Answer.CAPTCHA),
    (re.compile(r"阅读权限|没有权限|无权|用户组|付费|密码|积分"), Answer.NO_PERMISSION),
    (re.compile(r"登录|登陆|尚未登"), Answer.LOGIN_WALL),
)
# A long page is content: its posts may well speak of captchas. Marks count in walls only.
WALL_SIZE = 20_000


def classify(page: Page, expects: Expects) -> Answer:
    """What kind of answer this is; `changed` when the body is of another kind than expected."""
    host = urlsplit(page.url).hostname or ""
    if host in LOGIN_HOSTS:
        return Answer.LOGIN_WALL
    if host in CAPTCHA_HOSTS:
        return Answer.CAPTCHA
    text = _peek(page.body)
    by_status = STATUSES.get(page.status)
    if by_status:
        # a refusal whose body says why is that, e.g. one closed topic, and no throttle of the host
        told = _marks(text, "json") if page.status in TOLD_BY_BODY and expects == "json" else None
        return told or by_status
    if not text or (expects == "json" and text in {"{}", "[]", "null"}):
        return Answer.EMPTY
    if expects == "json" and text.startswith("<"):
        return _marks(text, "html") or Answer.LOGIN_WALL
    found = _marks(text, expects) if expects != "xml" else None
    if found:
        return found
    if expects == "html":
        return _notice(page) or Answer.OK
    return Answer.CHANGED if _other_kind(text, expects) else Answer.OK


def _peek(body: bytes) -> str:
    return body[:WALL_SIZE].decode("utf-8", "replace").lstrip("\ufeff").strip()


def _marks(text: str, where: Expects) -> Answer | None:
    if len(text) >= WALL_SIZE // 4 and where == "html":
        text = text[:1500]
    if where == "json":
        text = text[:600]
    return next((what for kind, mark, what in MARKS if kind == where and mark.search(text)), None)


def _notice(page: Page) -> Answer | None:
    """Discuz! puts its refusals into #messagetext of a page with status 200."""
    if b"messagetext" not in page.body or b"postmessage_" in page.body:
        return None
    for charset in ("utf-8", "gb18030"):
        found = _NOTICE.search(page.body.decode(charset, "replace"))
        for mark, what in _NOTICES if found else ():
            if found and mark.search(found[1]):
                return what
    return Answer.NO_PERMISSION


def _other_kind(text: str, expects: Expects) -> bool:
    if expects == "xml":
        return not text.startswith("<") or text[:300].lower().startswith(
            ("<!doctype html", "<html")
        )
    return False
