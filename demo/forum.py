"""The forum: lists and threads with the ids and classes of a Discuz! X site; the markup is our own.

In:  a World, the moment, the query. Out: (status, content type, body). Board 3 answers in GBK.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from html import escape

from demo.traps import SHIELDED, VANISHED
from demo.world import Said, World, name_of

CST = timezone(timedelta(hours=8))
THREADS, POSTS = 20, 10
FLOORS = {1: "楼主", 2: "沙发", 3: "板凳", 4: "地板"}
Answer = tuple[int, str, bytes]
HEAD = '<!DOCTYPE html><html><head><meta charset="{charset}"><meta name="generator" content="Discuz! X3.5"><title>{title}</title></head><body>'


def answer(world: World, now: datetime, path: str, query: Mapping[str, str]) -> Answer:
    """One request."""
    if path != "/forum.php":
        return 404, "text/html", b"<html>404</html>"
    number = int(query.get("page", "1")) if query.get("page", "1").isdigit() else 1
    if query.get("mod") == "forumdisplay":
        return _list(world, now, int(query.get("fid", "0")), number)
    thread = next((t for t in world.threads if str(t.id) == query.get("tid") and t.at <= now), None)
    if thread is None or VANISHED in thread.flags:
        return _notice(404, "抱歉，指定的主题不存在或已被删除或正在被审核")
    if "noperm" in thread.flags:
        return _notice(200, "抱歉，本帖要求阅读权限高于 200 才能浏览")
    return _thread(thread, now, number)


def _list(world: World, now: datetime, fid: int, number: int) -> Answer:
    mine = [thread for thread in world.threads if thread.board == fid and thread.at <= now]
    sticky = [thread for thread in mine if "sticky" in thread.flags]
    rest = sorted(
        (t for t in mine if "sticky" not in t.flags), key=lambda t: -_last(t, now).timestamp()
    )
    shown = rest[(number - 1) * THREADS : number * THREADS]
    rows = [_row("stick", t, now) for t in sticky] + [_row("normal", t, now) for t in shown]
    more = number * THREADS < len(rest)
    address = f"forum.php?mod=forumdisplay&amp;fid={fid}&amp;page={number + 1}"
    body = f'<table id="threadlisttableid">{"".join(rows)}</table>{_pager(address if more else "")}'
    return _page("青屿生活论坛", body, fid)


def _row(kind: str, thread: Said, now: datetime) -> str:
    replies = sum(post.at <= now for post in thread.comments)
    link = f"forum.php?mod=viewthread&amp;tid={thread.id}"
    day = thread.at.astimezone(CST)
    return (
        f'<tbody id="{kind}thread_{thread.id}"><tr><td class="icn"></td>'
        f'<th class="new"><a href="{link}" class="s xst">{escape(thread.title)}</a></th>'
        f'<td class="by"><cite><a href="home.php?mod=space&amp;uid={thread.author}">'
        f"{name_of(thread.author)}</a></cite><em><span>{day.year}-{day.month}-{day.day}</span></em></td>"
        f'<td class="num"><a href="{link}" class="xi2">{replies}</a><em>{replies * 37 + 12}</em></td>'
        f'<td class="by"><em><a href="forum.php?mod=redirect&amp;tid={thread.id}">'
        f'<span title="{_last(thread, now).astimezone(CST):%Y-%m-%d %H:%M}">最近</span></a></em></td>'
        "</tr></tbody>"
    )


def _thread(thread: Said, now: datetime, number: int) -> Answer:
    posts = [thread, *(post for post in thread.comments if post.at <= now)]
    shown = list(enumerate(posts, start=1))[(number - 1) * POSTS : number * POSTS]
    floors = "".join(_post(thread, post, floor, now) for floor, post in shown)
    head = (
        f'<div class="hm ptn"><span>查看:</span> <span class="xi1">{len(posts) * 37}</span>'
        f'<span>回复:</span> <span class="xi1">{len(posts) - 1}</span></div>'
        f'<h1 class="ts"><span id="thread_subject">{escape(thread.title)}</span></h1>'
        f'<a href="forum.php?mod=viewthread&amp;tid={thread.id}">[复制链接]</a>'
    )
    address = f"forum.php?mod=viewthread&amp;tid={thread.id}&amp;page={number + 1}"
    more = number * POSTS < len(posts)
    body = f'<div id="postlist">{head}{floors}</div>{_pager(address if more else "")}'
    return _page(thread.title, body, thread.board)


def _post(thread: Said, post: Said, floor: int, now: datetime) -> str:
    pid = thread.id * 1000 if post is thread else post.id
    anonymous = "anonymous" in post.flags
    who = (
        '<div class="authi">匿名</div>'
        if anonymous
        else f'<div class="authi"><a href="home.php?mod=space&amp;uid={post.author}" class="xw1">'
        f"{name_of(post.author)}</a></div>"
    )
    mark = FLOORS.get(floor, f"<em>{floor}</em>")
    return (
        f'<div id="post_{pid}"><table><tr><td class="pls">{who}</td><td class="plc">'
        f'<a href="forum.php?mod=redirect&amp;pid={pid}" id="postnum{pid}">{mark}</a>'
        f'<em id="authorposton{pid}">发表于 {_moment(post.at, now)}</em>'
        f"{_words(thread, post, pid)}</td></tr></table></div>"
    )


def _words(thread: Said, post: Said, pid: int) -> str:
    if "banned" in post.flags:
        return '<div class="locked">提示: <em>作者被禁止或删除 内容自动屏蔽</em></div>'
    if SHIELDED in post.flags:
        return '<div class="locked">提示: <em>该帖被管理员或版主屏蔽</em></div>'
    quote = f'<div class="quote"><blockquote>{escape(thread.text[:20])}</blockquote></div>'
    edited = '<i class="pstatus"> 本帖最后由 作者 编辑 </i>'
    before = (quote if "quote" in post.flags else "") + (edited if "edited" in post.flags else "")
    return f'<table><tr><td class="t_f" id="postmessage_{pid}">{before}{escape(post.text)}</td></tr></table>'


def _moment(at: datetime, now: datetime) -> str:
    local = at.astimezone(CST)
    full = f"{local.year}-{local.month}-{local.day} {local:%H:%M:%S}"
    hours = int((now - at).total_seconds() // 3600)
    if 0 < hours < 24:
        return f'<span title="{full}">{hours}&nbsp;小时前</span>'
    return full


def _last(thread: Said, now: datetime) -> datetime:
    return max([thread.at, *(post.at for post in thread.comments if post.at <= now)])


def _pager(address: str) -> str:
    return f'<div class="pg"><a href="{address}" class="nxt">下一页</a></div>' if address else ""


def _notice(status: int, words: str) -> Answer:
    body = f'<div id="messagetext" class="alert_error"><p>{words}</p></div>'
    return status, *_page("提示信息", body, 2)[1:]


def _page(title: str, body: str, board: int) -> Answer:
    charset = "gbk" if board == 3 else "utf-8"
    text = HEAD.format(charset=charset, title=escape(title)) + body + "</body></html>"
    return 200, f"text/html; charset={charset}", text.encode(charset, "xmlcharrefreplace")
