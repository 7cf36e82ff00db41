"""A Discourse forum needs only a source card: lists, long topics, later replies."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.crawlers.town import crawl, landed

CARD = """
title = "讨论区"
spider = "discourse"
platform = "discourse:town"
base_url = "{base}"
channel = "social"
[pace]
min_delay_s = 0.0
"""
PLAN = """
[brands.a]
name = "木槿壶"
aliases = ["木槿壶"]
[watch]
target = [{ source = "talk", kind = "category", key = "latest" }]
"""
PER_PAGE, SHOWN = 2, 20


class Talk:
    """A forum under a folder; `topics` maps an id to its number of posts."""

    def __init__(self) -> None:
        self.topics = {1: 3, 2: 45, 3: 1}
        self.closed = {3}
        self.asked: list[str] = []

    def answer(self, target: str) -> tuple[int, object]:
        """One request."""
        self.asked.append(target)
        parts = urlsplit(target)
        path, query = parts.path.removeprefix("/talk"), parse_qs(parts.query)
        if path == "/latest.json":
            return 200, self._list(int(query.get("page", ["0"])[0]))
        pieces = path.strip("/").removesuffix(".json").split("/")
        topic = int(pieces[1]) if pieces[0] == "t" else 0
        if topic in self.closed:
            return 403, {"errors": ["no"], "error_type": "invalid_access"}
        if topic not in self.topics:
            return 404, {"error_type": "not_found"}
        numbers = range(1, self.topics[topic] + 1)
        if len(pieces) == 3:
            wanted = {int(i) for i in query["post_ids[]"]}
            return 200, {
                "post_stream": {
                    "posts": [p for p in self._posts(topic, numbers) if p["id"] in wanted]
                }
            }
        stream = [topic * 1000 + n for n in numbers]
        shown = self._posts(topic, numbers)[:SHOWN]
        return 200, {"title": f"主题{topic}", "post_stream": {"posts": shown, "stream": stream}}

    def _list(self, page: int) -> dict[str, object]:
        ids = sorted(self.topics)[page * PER_PAGE : (page + 1) * PER_PAGE]
        rows = [{"id": i, "posts_count": self.topics[i], "last_posted_at": None} for i in ids]
        more = (page + 1) * PER_PAGE < len(self.topics)
        block: dict[str, object] = {"topics": rows}
        return {
            "topic_list": block
            | ({"more_topics_url": f"/talk/latest?page={page + 1}"} if more else {})
        }

    def _posts(self, topic: int, numbers: range) -> list[dict[str, object]]:
        return [
            {
                "id": topic * 1000 + n, "username": f"u{n}", "user_id": n, "post_type": 1,
                "cooked": f"<p>木槿壶第{n}句</p>", "created_at": "2026-11-20T08:00:00.000Z",
                "post_number": n, "topic_id": topic, "post_url": f"/talk/t/x/{topic}/{n}",
            }
            for n in numbers
        ]  # fmt: skip

    def ids(self) -> set[str]:
        """Every post that a guest may read."""
        return {
            f"discourse:town:{t * 1000 + n}"
            for t, count in self.topics.items()
            if t not in self.closed
            for n in range(1, count + 1)
        }


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    talk = Talk()

    class Handler(BaseHTTPRequestHandler):
        wbufsize = -1

        def do_GET(self) -> None:
            status, value = (404, {}) if self.path == "/robots.txt" else talk.answer(self.path)
            body = json.dumps(value, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "sources").mkdir()
    base = f"http://127.0.0.1:{server.server_port}/talk/"
    (tmp_path / "sources" / "talk.toml").write_text(CARD.format(base=base), encoding="utf-8")
    (tmp_path / "keqing.toml").write_text(PLAN, encoding="utf-8")
    yield talk
    server.shutdown()
    server.server_close()


def test_all_topics_and_all_their_posts(talk: Talk, tmp_path: Path) -> None:
    """Both list pages, a topic of 45 posts by twenties; a closed one is noted and holds back nobody."""
    code, report = crawl(tmp_path, "talk")
    assert (code, report["verdict"]) == (0, "FRESH")
    posts = landed(tmp_path, "talk")
    assert {post.id for post in posts} == talk.ids()
    assert len(posts) == len(talk.ids())
    assert report["notes"] == {"thread_no_permission": 1}
    first = next(post for post in posts if post.id == "discourse:town:2001")
    assert (first.title, first.kind, first.thread_id) == ("主题2", "post", "discourse:town:2")
    assert (first.url or "").endswith("/talk/t/x/2/1")


def test_only_what_moved_is_read_again(talk: Talk, tmp_path: Path) -> None:
    """An unchanged forum costs its first list page; a reply costs its topic, and lands alone."""
    crawl(tmp_path, "talk")
    talk.asked.clear()
    assert crawl(tmp_path, "talk")[1]["new"] == 0
    assert talk.asked == ["/talk/latest.json"]
    talk.topics[1] += 1
    assert crawl(tmp_path, "talk")[1]["new"] == 1
    assert {post.id for post in landed(tmp_path, "talk")} == talk.ids()
