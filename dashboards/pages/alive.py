"""Whether the process lives and whether it can answer: for supervisors, without login.

In:  nothing. Out: ok or fail, and nothing else that a stranger could learn from.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from dashboards.site import site_of
from keqing.errors import KeqingError
from keqing.workflow.accounts import any_account
from keqing.workflow.db import read

router = APIRouter()


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers; asks no store, so it shows the event loop alone."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(request: Request) -> Response:
    """Index and workflow store answer."""
    site = site_of(request)
    try:
        site.index.latest()
        with read(site.engine) as tx:
            any_account(tx)
    except KeqingError:
        return JSONResponse({"status": "fail"}, 503)
    return JSONResponse({"status": "ok"})
