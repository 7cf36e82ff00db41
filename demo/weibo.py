"""The Weibo site: mobile API answers in their true shapes.

In:  a World, the moment, the path and query, the request's headers. Out: (status, content type, body).
Some accounts are traps of the site itself: one meets the visitor wall, one a throttle, one a page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from demo.texts import script
from demo.traps import DELETED, HUGE
from demo.world import BIG, MEDIA, OFFICIAL, PROVINCES, Said, World, name_of

CST = timezone(timedelta(hours=8))
DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
PAGE, REPLIES, CUT = 10, 20, 140
GUEST_REPLIES = 100  # what a guest sees of the comments of one post; then the wall
TO_MEMBERS, TOO_OFTEN, AS_PAGE = "1090", "1091", "1092"
SEARCH = "100103type=1&q="
WALL = {"ok": -100, "url": "https://passport.weibo.com/sso/signin"}
GONE = "抱歉，作者已设置仅展示半年内微博，此微博已不可见。"
Answer = tuple[int, str, bytes]


def answer(
    world: World,
    t0: datetime,
    now: datetime,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
) -> Answer:
    """One request; inside a blind window every one meets the login wall."""
    minute = (now - t0).total_seconds() / 60
    if any(begin <= minute < end for begin, end in script()["blind"]):
        return _json(WALL)
    shown = (post for post in world.weibo if post.at <= now and DELETED not in post.flags)
    posts = {post.id: post for post in shown}
    container = query.get("containerid", "")
    if path == "/api/container/getIndex" and container.startswith("100103"):
        return _search(posts, now, container, headers)
    if path == "/api/container/getIndex":
        return _strange(container) or _timeline(posts, now, query)
    post = posts.get(int(query.get("id", "0")) if query.get("id", "0").isdigit() else 0)
    if post is None:
        return _json({"ok": 0, "msg": "微博不存在或暂无查看权限"})
    if path == "/statuses/show":
        return _json({"ok": 1, "data": mblog(post, now)})
    if path == "/statuses/extend":
        counts = _counts(post, now)
        return _json({"ok": 1, "data": {"ok": 1, "longTextContent": post.text, **counts}})
    if path == "/comments/hotflow":
        return _comments(post, now, query)
    return 404, "text/html", b"<html>404</html>"


def mblog(post: Said, now: datetime, cut: bool = False) -> dict[str, object]:
    """A post as the API gives it."""
    text = post.text.replace("\n", "<br />")
    long = len(post.text) > CUT
    if cut and long:
        text = f'{post.text[:CUT]}...<a href="/status/{post.id}">全文</a>'
    value: dict[str, object] = {
        "id": str(post.id), "mid": str(post.id), "bid": bid(post.id), "text": text,
        "created_at": written(post.at), "source": "微博客户端", "user": _user(post.author),
        "isLongText": long, "mblogtype": 2 if "pinned" in post.flags else 0,
        "region_name": f"发布于 {PROVINCES[post.author % len(PROVINCES)]}", **_counts(post, now),
    }  # fmt: skip
    if "pinned" in post.flags:
        value |= {"isTop": 1, "title": {"text": "置顶", "base_color": 1}}
    if post.repost_of is not None:
        gone = DELETED in post.repost_of.flags
        value["retweeted_status"] = (
            _gone(post.repost_of) if gone else mblog(post.repost_of, now, cut)
        )
    return value


def _gone(post: Said) -> dict[str, object]:
    """What a repost shows of an original that its author took away."""
    return {"id": str(post.id), "mid": str(post.id), "bid": bid(post.id), "text": GONE,
            "created_at": written(post.at), "user": None}  # fmt: skip


def _strange(container: str) -> Answer | None:
    """Accounts that no guest can read."""
    uid = container.removeprefix("107603")
    if uid == TO_MEMBERS:
        return _json(WALL)
    if uid == TOO_OFTEN:
        return 432, "text/html", b""
    if uid == AS_PAGE:
        page = "<!DOCTYPE html><html><head><title>Sina Visitor System</title></head></html>"
        return 200, "text/html; charset=utf-8", page.encode()
    return None


def _search(
    posts: Mapping[int, Said], now: datetime, container: str, headers: Mapping[str, str]
) -> Answer:
    """Newest posts with these words, for who signed in; a guest meets the wall."""
    if "SUB=" not in headers.get("Cookie", ""):
        return _json(WALL)
    words = container.removeprefix(SEARCH)
    found = [post for post in reversed(list(posts.values())) if words in post.text][:PAGE]
    cards = [{"card_type": 9, "mblog": mblog(post, now, cut=True)} for post in found]
    return _json({"ok": 1, "data": {"cardlistInfo": {"total": len(found)}, "cards": cards}})


def bid(mid: int) -> str:
    """Base 62 in groups of seven digits, from the right."""
    groups, rest = [], str(mid)
    while rest:
        groups.append(int(rest[-7:]))
        rest = rest[:-7]
    coded = [_base62(group) for group in reversed(groups)]
    return coded[0] + "".join(code.rjust(4, "0") for code in coded[1:])


def written(at: datetime) -> str:
    """`Sat Nov 21 12:00:00 +0800 2026`."""
    local = at.astimezone(CST)
    return (
        f"{DAYS[local.weekday()]} {MONTHS[local.month - 1]} {local:%d %H:%M:%S} +0800 {local.year}"
    )


def _timeline(posts: Mapping[int, Said], now: datetime, query: Mapping[str, str]) -> Answer:
    uid = query.get("containerid", "").removeprefix("107603")
    mine = sorted((p for p in posts.values() if str(p.author) == uid), key=lambda p: -p.id)
    pinned = [post for post in mine if "pinned" in post.flags]
    rest = [post for post in mine if "pinned" not in post.flags]
    number = int(query.get("page", "1")) if query.get("page", "1").isdigit() else 1
    since = query.get("since_id", "")
    if since.isdigit():  # the other way of paging: whatever is older than this post
        number, rest = 2, [post for post in rest if post.id < int(since)]
        shown = rest[:PAGE]
    else:
        shown = rest[(number - 1) * PAGE : number * PAGE]
    if not shown and not (number == 1 and pinned):
        return _json({"ok": 0, "msg": "这里还没有内容", "data": {"cards": []}})
    cards: list[dict[str, object]] = [
        {"card_type": 9, "mblog": mblog(post, now, cut=True)}
        for post in (pinned if number == 1 else []) + shown
    ]
    if number == 1 and len(cards) > 2:  # the last of a page stands in a group, as on the site
        cards[-1] = {"card_type": 11, "card_group": [cards[-1]]}
    info: dict[str, object] = {"containerid": f"107603{uid}", "total": len(mine)}
    if shown and shown[-1] is not rest[-1]:
        by_id = since.isdigit() or uid == str(OFFICIAL)
        info |= {"since_id": shown[-1].id} if by_id else {"page": number + 1}
    return _json({"ok": 1, "data": {"cardlistInfo": info, "cards": cards}})


def _comments(post: Said, now: datetime, query: Mapping[str, str]) -> Answer:
    seen = [reply for reply in reversed(post.comments) if reply.at <= now]
    start = int(query.get("max_id", "0")) if query.get("max_id", "0").isdigit() else 0
    if start >= GUEST_REPLIES:
        return _json(WALL)
    rows = [
        _comment(reply, now, len(seen) - start - n)
        for n, reply in enumerate(seen[start : start + REPLIES])
    ]
    if not rows:
        return _json({"ok": 0, "msg": "还没有人评论哦~快来抢沙发！", "data": {"cards": []}})
    following = start + REPLIES if start + REPLIES < len(seen) else 0
    data = {"data": rows, "max_id": following, "max_id_type": 0, "total_number": len(seen)}
    return _json({"ok": 1, "data": data})


def _comment(reply: Said, now: datetime, floor: int, root: int = 0) -> dict[str, object]:
    """A comment; `comments` is false, or the list of what was answered to it."""
    under = [_comment(a, now, n + 1, reply.id) for n, a in enumerate(reply.comments) if a.at <= now]
    return {
        "id": str(reply.id), "rootid": str(root or reply.id), "floor_number": floor,
        "text": reply.text, "created_at": written(reply.at), "like_count": reply.likes,
        "user": _user(reply.author), "comments": under or False,
        "source": f"来自{PROVINCES[reply.author % len(PROVINCES)]}",
    }  # fmt: skip


def _counts(post: Said, now: datetime) -> dict[str, object]:
    said = [reply for reply in post.comments if reply.at <= now]
    comments = len(said) + sum(under.at <= now for reply in said for under in reply.comments)
    likes: object = post.likes if post.likes < 1000 else f"{post.likes / 10000:.1f}万"
    if post.likes >= HUGE:
        likes = "100万+"
    return {"reposts_count": post.reposts, "comments_count": comments, "attitudes_count": likes}


def _user(author: int) -> dict[str, object]:
    kind = {OFFICIAL: 2, MEDIA: 3, BIG: 0}.get(author, -1)
    followers: object = {OFFICIAL: "35.2万", MEDIA: "120万", BIG: "86.5万"}.get(
        author, author % 700
    )
    return {"id": author, "screen_name": name_of(author), "followers_count": followers,
            "verified": kind >= 0, "verified_type": kind}  # fmt: skip


def _base62(number: int) -> str:
    out = ""
    while number:
        number, digit = divmod(number, 62)
        out = DIGITS[digit] + out
    return out or "0"


def _json(value: object) -> Answer:
    body = json.dumps(value, ensure_ascii=False).encode()
    return 200, "application/json; charset=utf-8", body
