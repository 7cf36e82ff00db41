"""The Weibo site: mobile API answers in their true shapes.

In:  a World, the moment, the path and query. Out: (status, content type, body).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from demo.texts import script
from demo.world import BIG, MEDIA, OFFICIAL, PROVINCES, Said, World, name_of

CST = timezone(timedelta(hours=8))
DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
PAGE, REPLIES, CUT = 10, 20, 140
Answer = tuple[int, str, bytes]


def answer(
    world: World, t0: datetime, now: datetime, path: str, query: Mapping[str, str]
) -> Answer:
    """One request; inside a blind window every one meets the login wall."""
    minute = (now - t0).total_seconds() / 60
    if any(begin <= minute < end for begin, end in script()["blind"]):
        return _json({"ok": -100, "url": "https://passport.weibo.com/sso/signin"})
    posts = {post.id: post for post in world.weibo if post.at <= now}
    if path == "/api/container/getIndex":
        return _timeline(posts, now, query)
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
        value["retweeted_status"] = mblog(post.repost_of, now, cut)
    return value


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
    shown = rest[(number - 1) * PAGE : number * PAGE]
    if not shown and not (number == 1 and pinned):
        return _json({"ok": 0, "msg": "这里还没有内容", "data": {"cards": []}})
    cards: list[dict[str, object]] = [
        {"card_type": 9, "mblog": mblog(post, now, cut=True)}
        for post in (pinned if number == 1 else []) + shown
    ]
    if number == 1 and len(cards) > 2:  # the last of a page stands in a group, as on the site
        cards[-1] = {"card_type": 11, "card_group": [cards[-1]]}
    more = number + 1 if number * PAGE < len(rest) else None
    info = {"containerid": f"107603{uid}", "total": len(mine)} | ({"page": more} if more else {})
    return _json({"ok": 1, "data": {"cardlistInfo": info, "cards": cards}})


def _comments(post: Said, now: datetime, query: Mapping[str, str]) -> Answer:
    seen = [reply for reply in reversed(post.comments) if reply.at <= now]
    start = int(query.get("max_id", "0")) if query.get("max_id", "0").isdigit() else 0
    rows = [
        {
            "id": str(reply.id), "rootid": str(reply.id), "floor_number": len(seen) - start - n,
            "text": reply.text, "created_at": written(reply.at), "like_count": reply.likes,
            "user": _user(reply.author), "comments": False,
            "source": f"来自{PROVINCES[reply.author % len(PROVINCES)]}",
        }
        for n, reply in enumerate(seen[start : start + REPLIES])
    ]  # fmt: skip
    if not rows:
        return _json({"ok": 0, "msg": "还没有人评论哦~快来抢沙发！", "data": {"cards": []}})
    following = start + REPLIES if start + REPLIES < len(seen) else 0
    data = {"data": rows, "max_id": following, "max_id_type": 0, "total_number": len(seen)}
    return _json({"ok": 1, "data": data})


def _counts(post: Said, now: datetime) -> dict[str, object]:
    comments = sum(reply.at <= now for reply in post.comments)
    likes: object = post.likes if post.likes < 1000 else f"{post.likes / 10000:.1f}万"
    if post.likes >= 1_000_000:
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
