"""审计: who did what when, newest first, with the state of the chain.

In:  a lead or administrator. Out: rows of the audit trail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from dashboards.access import Needs, Visitor
from dashboards.frame import frame_of
from dashboards.render import page, twin
from dashboards.site import Site, site_of
from keqing.errors import WorkflowError
from keqing.workflow import trail
from keqing.workflow.accounts import Role
from keqing.workflow.db import read
from keqing.workflow.trail import AuditRow

SHOWN = 200
router = APIRouter()
Lead = Annotated[Visitor, Depends(Needs(Role.LEAD))]


@dataclass(frozen=True)
class Audit:
    """The newest rows; `broken` says which row does not agree with the chain."""

    rows: tuple[AuditRow, ...]
    total: int | None
    broken: str


def answer(site: Site) -> Audit:
    """The trail as of now."""
    with read(site.engine) as tx:
        rows = tuple(trail.newest(tx, SHOWN))
        try:
            return Audit(rows, trail.verify(tx), "")
        except WorkflowError as error:
            return Audit(rows, None, str(error))


@router.get("/audit.json")
def as_json(request: Request, visitor: Lead) -> Response:
    """The page's numbers."""
    return twin(answer(site_of(request)))


@router.get("/audit")
def show(request: Request, visitor: Lead) -> Response:
    """The page."""
    site = site_of(request)
    return page(request, "audit.html", frame=frame_of(site, visitor), audit=answer(site))
