"""A small HTTP server that answers as told: for headers, status codes and storms.

In:  a function from a request to an answer. Out: its address and what it was asked. `forward` hands
requests on to a real node, so that a fake may stand before one.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

PRODUCT = {"X-Elastic-Product": "Elasticsearch"}
VENDOR = "application/vnd.elasticsearch+json;compatible-with=9"


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The body as lines of JSON."""
        return [json.loads(line) for line in self.body.splitlines()]


@dataclass(frozen=True)
class Told:
    """One answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {**PRODUCT, "Content-Type": VENDOR})


Rule = Callable[[Asked], Told | None]


def told(status: int, body: object, **headers: str) -> Told:
    """An answer in JSON, with the headers of an Elasticsearch 9 unless others are given."""
    plain = {**PRODUCT, "Content-Type": VENDOR} if not headers else headers
    named = {name.replace("_", "-"): value for name, value in plain.items()}
    return Told(status, json.dumps(body).encode(), named)


def refusal(status: int, kind: str, why: str = "said so") -> Told:
    """An error as the server words it."""
    cause = {"type": kind, "reason": why}
    return told(status, {"error": {"root_cause": [cause], **cause}, "status": status})


@dataclass
class Fake:
    """A running fake."""

    url: str
    asked: list[Asked]

    def of(self, path: str) -> list[Asked]:
        """Requests whose path ends like this."""
        return [asked for asked in self.asked if asked.path.partition("?")[0].endswith(path)]


@contextmanager
def fake(rule: Rule) -> Iterator[Fake]:
    """A server on a free loopback port; what the rule leaves is a 404."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size)
            request = Asked(self.command, self.path, dict(self.headers.items()), body)
            asked.append(request)
            answer = rule(request) or refusal(404, "none", "the fake has no rule")
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Fake(f"http://127.0.0.1:{server.server_address[1]}", asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def forward(url: str, asked: Asked) -> Told:
    """The answer of a real node."""
    kept = {k: v for k, v in asked.headers.items() if k.lower() in ("accept", "content-type")}
    request = urllib.request.Request(  # a node that the tests started
        url + asked.path, asked.body or None, kept, method=asked.method
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return _passed(answer.status, answer.read(), dict(answer.headers.items()))
    except urllib.error.HTTPError as error:
        return _passed(error.code, error.read(), dict(error.headers.items()))


def _passed(status: int, body: bytes, headers: Mapping[str, str]) -> Told:
    wanted = {
        k: v for k, v in headers.items() if k.lower() in ("content-type", "x-elastic-product")
    }
    return Told(status, body, wanted)
