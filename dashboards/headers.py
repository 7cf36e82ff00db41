"""Security headers on every answer, also on one that nobody planned.

In:  the whole ASGI application. Out: the same with headers. A middleware inside would not see the
answer of the error handler outside of it, so this wraps everything.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keqing.logs import get_logger

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
HSTS = {"strict-transport-security": "max-age=31536000"}
MOST_BODY, MOST_QUERY = 1_000_000, 4096
log = get_logger(__name__)


class Guard:
    """Headers and limits around an application."""

    def __init__(self, app: ASGIApp, tls: bool) -> None:
        self.app = app
        self.extra = HEADERS | (HSTS if tls else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a fault that reaches us is logged and becomes a bare 500."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = self._joined(message["headers"])
            await send(message)

        if refused := _too_big(scope):
            await _answer(with_headers, refused)
            return
        try:
            await self.app(scope, _limited(receive), with_headers)
        except TooMuch:
            await _answer(with_headers, 413)
        except Exception as error:  # the outermost border: nothing above could answer
            log.error("page failed", error=type(error).__name__, path=scope["path"])
            if not begun:
                await _answer(with_headers, 500)

    def _joined(self, given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        names = {name.lower() for name, _ in given}
        added = {k: v for k, v in self.extra.items() if k.encode() not in names}
        if b"cache-control" not in names:
            added["cache-control"] = "no-store"
        return [*given, *((k.encode(), v.encode()) for k, v in added.items())]


class TooMuch(Exception):
    """A body that is longer than it said or than we take."""


def _too_big(scope: Scope) -> int:
    if len(scope["query_string"]) > MOST_QUERY:
        return 414
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return 413 if not length.isdigit() or int(length) > MOST_BODY else 0


def _limited(receive: Receive) -> Receive:
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MOST_BODY:
            raise TooMuch
        return message

    return counted


async def _answer(send: Send, status: int) -> None:
    body = f"{status}".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
