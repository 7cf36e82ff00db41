"""Wiring of the pages: one ASGI application from its parts, and answers to what goes wrong.

In:  settings, workflow engine, index, segmenter, the clock. Out: an ASGI app. A route that does not
declare who may use it is a fault of ours, found at the start.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from dashboards.access import PUBLIC, BadForm, Forbidden, MustChange, Needs, NeedsLogin
from dashboards.filters import BadFilter
from dashboards.headers import Guard
from dashboards.pages import (
    alive,
    audit,
    corrections,
    event_links,
    events,
    health,
    incidents,
    login,
    mentions,
    overview,
    posts,
)
from dashboards.render import STATIC, in_lang, lang_of, page
from dashboards.site import Site, site_of
from index.query import IndexEngine
from keqing.errors import IndexFault, KeqingError, UsageError, WorkflowError
from keqing.logs import get_logger
from keqing.settings import Settings
from keqing.workflow.db import Engine

PAGES = (
    alive, login, overview, mentions, events, event_links, posts, corrections, incidents, health, audit,
)  # fmt: skip
log = get_logger(__name__)


class Kept(StaticFiles):
    """Static files; their address holds their hash, so a browser keeps them for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with permission to keep it."""
        answer = await super().get_response(path, scope)
        if answer.status_code == 200:
            answer.headers["cache-control"] = "public, max-age=31536000, immutable"
        return answer


def make_app(
    settings: Settings,
    engine: Engine,
    index: IndexEngine,
    segment: Callable[[str], Sequence[str]],
    now: Callable[[], datetime],
    insecure_dev: bool = True,
) -> ASGIApp:
    """The pages of one installation.

    Args:
        segment: words of a typed query, as the index was filled.
        insecure_dev: plain HTTP, allowed on loopback only; False promises TLS to the browser.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.site = Site(settings, engine, index, segment, now, insecure_dev)
    for module in PAGES:
        _declared(module.router.routes)
        app.include_router(module.router)
    app.mount("/static", GZipMiddleware(Kept(directory=STATIC)), name="static")
    for error, answer in (
        (NeedsLogin, _login), (MustChange, _change), (Forbidden, _forbidden), (BadForm, _bad_form),
        (BadFilter, _bad_filter), (UsageError, _unreadable), (IndexFault, _down),
        (WorkflowError, _down), (HTTPException, _http), (RequestValidationError, _unreadable),
    ):  # fmt: skip
        app.add_exception_handler(error, answer)
    app.middleware("http")(_known_host)
    return Guard(app, tls=not insecure_dev)


def _declared(routes: Sequence[object]) -> None:
    for route in routes:
        if not isinstance(route, APIRoute) or route.path in PUBLIC:
            continue
        calls = [part.call for part in route.dependant.dependencies]
        if not any(isinstance(call, Needs) for call in calls):
            raise KeqingError(f"route {route.path} does not say who may use it; add Needs(role)")


async def _known_host(request: Request, call: Callable[[Request], object]) -> Response:
    # A name of another site that points here (DNS rebinding) must not reach the pages.
    if not site_of(request).knows_host(request.headers.get("host", "")):
        return PlainTextResponse("unknown host", 400)
    answer: Response = await call(request)  # type: ignore[misc]
    return answer


def _login(request: Request, error: Exception) -> Response:
    if request.url.path.endswith((".json", ".csv")):
        return JSONResponse({"error": "login"}, 401)
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    asked = f"?next={quote(target)}" if request.method == "GET" and target != "/" else ""
    return RedirectResponse(in_lang(f"/login{asked}", lang_of(request)), 303)


def _change(request: Request, error: Exception) -> Response:
    return RedirectResponse(in_lang("/account", lang_of(request)), 303)


def _forbidden(request: Request, error: Exception) -> Response:
    return _fault(request, 403, "forbidden", str(error))


def _bad_form(request: Request, error: Exception) -> Response:
    return _fault(request, 403, "form")


def _bad_filter(request: Request, error: Exception) -> Response:
    return _fault(
        request, 422, "filter", f"{getattr(error, 'key', '')}={getattr(error, 'value', '')[:80]}"
    )


def _unreadable(request: Request, error: Exception) -> Response:
    return _fault(request, 422, "unreadable")


def _down(request: Request, error: Exception) -> Response:
    return _fault(request, 503, "down", type(error).__name__)


def _http(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    return _fault(request, status, "missing" if status == 404 else "other")


def _fault(request: Request, status: int, code: str, detail: str = "") -> Response:
    number = secrets.token_hex(2).upper()
    log.info("page refused", status=status, code=code, number=number, path=request.url.path)
    if request.url.path.endswith((".json", ".csv")):
        return JSONResponse({"error": code, "detail": detail, "number": number}, status)
    return page(request, "error.html", status, code=code, detail=detail, ticket=number)
