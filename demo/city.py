"""The demo city: five sites on loopback, one port each.

In:  seed, T0, a clock, ports (0 = a free one). Out: running servers, their addresses, the truth.
No request changes anything; the same seed, T0 and clock give the same bytes.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from demo import forum, shop, talk, weibo
from demo.world import World, build

Answer = tuple[int, str, bytes]
SITES = ("demo-weibo", "demo-forum", "demo-shop", "demo-news", "demo-talk")
POLL_S = 0.05  # how soon a server sees that it must close
WAIT_S = "1"  # Retry-After of a site that is busy
ROBOTS = {
    "demo-forum": "User-agent: *\nDisallow: /search.php\nDisallow: /*mod=redirect\nCrawl-delay: 0.02\n",
}


class City:
    """Servers that answer as of `clock()`."""

    def __init__(
        self,
        seed: int,
        t0: datetime,
        clock: Callable[[], datetime],
        ports: Mapping[str, int] | None = None,
    ) -> None:
        self.world, self.t0, self.clock = build(seed, t0), t0, clock
        wanted = ports or {}
        self._servers = {name: _server(self, name, wanted.get(name, 0)) for name in SITES}

    @property
    def sites(self) -> dict[str, str]:
        """Address of each site."""
        return {n: f"http://127.0.0.1:{s.server_port}/" for n, s in self._servers.items()}

    def start(self) -> None:
        """Serve in threads of their own."""
        for server in self._servers.values():
            threading.Thread(target=server.serve_forever, args=(POLL_S,), daemon=True).start()

    def stop(self) -> None:
        """Close all servers."""
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    def truth(self) -> World:
        """All that is ever said, with authors and times."""
        return self.world

    def answer(self, site: str, target: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer of one site to one request line's target and headers."""
        parts = urlsplit(target)
        query, now = dict(parse_qsl(parts.query)), self.clock()
        if parts.path == "/robots.txt":
            text = ROBOTS.get(site, "User-agent: *\nDisallow: /search\n")
            return 200, "text/plain; charset=utf-8", text.encode()
        if site == "demo-weibo":
            return weibo.answer(self.world, self.t0, now, parts.path, query, headers or {})
        if site == "demo-forum":
            return forum.answer(self.world, now, parts.path, query)
        if site == "demo-shop":
            return shop.reviews(self.world, now, parts.path, query)
        if site == "demo-talk":
            return talk.answer(self.world, now, parts.path, parts.query)
        return shop.feeds(self.world, now, parts.path)


def _server(city: City, site: str, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        """GET only."""

        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet: else each answer waits 40 ms for its ACK

        def do_GET(self) -> None:
            """Answer, with an ETag that a conditional GET may hold against us."""
            status, kind, body = city.answer(site, self.path, dict(self.headers))
            tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            fresh = status == 200 and self.headers.get("If-None-Match") == tag
            self.send_response(304 if fresh else status)
            self.send_header("Content-Type", kind)
            self.send_header("ETag", tag)
            if status == 429:
                self.send_header("Retry-After", WAIT_S)
            self.send_header("Content-Length", "0" if fresh else str(len(body)))
            self.end_headers()
            if not fresh:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the crawler's ledger tells what was asked."""

    try:
        return ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError:
        if port == 0:
            raise
        return ThreadingHTTPServer(("127.0.0.1", 0), Handler)  # taken: a free one
