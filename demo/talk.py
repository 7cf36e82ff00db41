"""The Discourse forum: lists of topics and topics, in the true JSON shapes.

In:  a World, the moment, the path, the raw query. Out: (status, content type, body). One topic is
closed to guests, one post was taken away by its author, one is the system's.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs

from demo.world import Said, World, name_of

PER_PAGE, SHOWN = 10, 20
CLOSED = 3  # id of the topic for members
GONE, SYSTEM = 7, 9  # every post of this number is gone, or the system's
Answer = tuple[int, str, bytes]


def answer(world: World, now: datetime, path: str, query: str) -> Answer:
    """One request."""
    topics = {topic.id: topic for topic in world.topics if topic.at <= now}
    if path == "/latest.json":
        page = parse_qs(query).get("page", ["0"])[0]
        return _list(list(topics.values()), now, int(page) if page.isdigit() else 0)
    pieces = path.removesuffix(".json").strip("/").split("/")
    topic = topics.get(int(pieces[1])) if pieces[0] == "t" and pieces[1:2] and pieces[1].isdigit() else None  # fmt: skip
    if topic is None:
        return _json(404, {"errors": ["not found"], "error_type": "not_found"})
    if topic.id == CLOSED:
        return _json(403, {"errors": ["no"], "error_type": "invalid_access"})
    posts = _posts(topic, now)
    if pieces[2:] == ["posts"]:
        wanted = {int(i) for i in parse_qs(query).get("post_ids[]", []) if i.isdigit()}
        return _json(200, {"post_stream": {"posts": [p for p in posts if p["id"] in wanted]}})
    stream = {"posts": posts[:SHOWN], "stream": [post["id"] for post in posts]}
    return _json(200, {"id": topic.id, "title": topic.title, "post_stream": stream})


def _list(topics: list[Said], now: datetime, page: int) -> Answer:
    newest = sorted(topics, key=lambda t: -_last(t, now).timestamp())
    rows = [
        {"id": t.id, "title": t.title, "posts_count": len(_posts(t, now)), "pinned": False,
         "last_posted_at": _written(_last(t, now))}
        for t in newest[page * PER_PAGE : (page + 1) * PER_PAGE]
    ]  # fmt: skip
    block: dict[str, object] = {"topics": rows}
    if (page + 1) * PER_PAGE < len(newest):
        block["more_topics_url"] = f"/latest?page={page + 1}"
    return _json(200, {"topic_list": block})


def _posts(topic: Said, now: datetime) -> list[dict[str, object]]:
    said = [topic, *(post for post in topic.comments if post.at <= now)]
    return [_post(topic, post, number) for number, post in enumerate(said, start=1)]


def _post(topic: Said, post: Said, number: int) -> dict[str, object]:
    return {
        "id": topic.id * 1000 + number, "username": name_of(post.author), "user_id": post.author,
        "post_type": 3 if number == SYSTEM else 1, "cooked": f"<p>{post.text}</p>",
        "created_at": _written(post.at), "post_number": number, "topic_id": topic.id,
        "reply_to_post_number": 1 if number == 4 else None, "reply_count": 0, "reads": number * 3,
        "user_deleted": number == GONE, "hidden": False, "deleted_at": None,
        "actions_summary": [{"id": 2, "count": number}] if number % 2 else [],
        "post_url": f"/t/topic/{topic.id}/{number}",
    }  # fmt: skip


def _last(topic: Said, now: datetime) -> datetime:
    return max([topic.at, *(post.at for post in topic.comments if post.at <= now)])


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _json(status: int, value: object) -> Answer:
    body = json.dumps(value, ensure_ascii=False).encode()
    return status, "application/json; charset=utf-8", body
