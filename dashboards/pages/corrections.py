"""改判: what a person says of one post, beside what the models said.

In:  the id of a post, `field:value`, a reason. Out: a row of corrections and one of the audit trail;
the post is shown by it at once, in lists, counts and alarms from then on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from dashboards.access import Needs, Visitor, check_form
from dashboards.frame import sees_post
from dashboards.render import in_lang, lang_of
from dashboards.site import Site, site_of
from index.newest import newest_mentions
from index.query import Hit
from keqing.errors import UsageError
from keqing.untrusted import clean
from keqing.workflow import corrections, overlay, trail
from keqing.workflow.accounts import Role
from keqing.workflow.db import begin

FIELDS = ("polarity", "intent", "severity", "emotion")
router = APIRouter()
Analyst = Annotated[Visitor, Depends(Needs(Role.ANALYST))]
Text = Annotated[str, Form(max_length=200)]


@dataclass(frozen=True)
class Choice:
    """One field that may be corrected and its values; `brand` is set where it is about one."""

    field: str
    brand: str
    values: tuple[str, ...]
    corrected: bool


@dataclass(frozen=True)
class Said:
    """A correction that stands: the model's value, the person's, who, when and why."""

    field: str
    brand: str
    model: str
    to: str
    by: str
    at: str
    reason: str


def choices(site: Site, visitor: Visitor, hit: Hit) -> tuple[Choice, ...]:
    """What this visitor may say of a post; nothing for a viewer."""
    if not visitor.user.may(Role.ANALYST):
        return ()
    done = {str(one["field"]) for one in hit.detail.get("corrected", ())}
    brands = [f"brand:{key}" for key in site.settings.plan.brands if visitor.user.sees(key)]
    return tuple(
        Choice(field, _brand(site, field), corrections.values(field), corrected=field in done)
        for field in (*FIELDS, *brands)
    )


def said(site: Site, hit: Hit) -> tuple[Said, ...]:
    """Corrections that stand of a post."""
    return tuple(_said(site, one) for one in hit.detail.get("corrected", ()))


@router.post("/post/correct")
def correct(
    request: Request, visitor: Analyst, id: Text = "", value: Text = "", reason: Text = "",
    csrf: Text = "",
) -> Response:  # fmt: skip
    """Record a correction and show the post again; 422 for a value that no field has."""
    site, user = site_of(request), visitor.user
    check_form(request, visitor.token, csrf)
    hits = site.index.get([id])
    if not hits or not sees_post(user, hits[0]):
        raise HTTPException(404)
    mention = newest_mentions(site.settings, site.engine, [id]).get(id)
    if mention is None:
        raise HTTPException(409)
    field, _, to = value.rpartition(":")
    if field.startswith("brand:") and field[6:] not in site.settings.plan.brands:
        raise UsageError(f"{field}: no such brand")
    with begin(site.engine) as tx:
        corrections.correct(
            tx, mention, field, to, by=user.name, reason=clean(reason), now=site.now()
        )
        trail.record(tx, user.name, f"correct {field} {to}", id, visitor.address, "ok", site.now())
    site.index.upsert(overlay.shown(site.engine, [mention]), site.now())
    site.index.refresh()
    return RedirectResponse(in_lang(f"/post?{urlencode({'id': id})}", lang_of(request)), 303)


def _said(site: Site, one: Any) -> Said:
    field = str(one["field"])
    return Said(field, _brand(site, field), str(one["model"]), str(one["to"]), clean(str(one["by"])),
                str(one["at"]), clean(str(one["reason"])))  # fmt: skip


def _brand(site: Site, field: str) -> str:
    return site.brand_name(field[6:]) if field.startswith("brand:") else ""
