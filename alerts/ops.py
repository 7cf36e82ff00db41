"""Trouble of the system itself, told to who runs it: a task that failed, a line that is late.

In:  what is in trouble, how (`failed`, `late`), one sentence. Out: a row of the run ledger, and one
notification an hour per thing and receiver in the outbox: a task that fails every minute is one mail.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from alerts.mail import OPS
from alerts.notices import NOBODY
from keqing.records import Notification, utc_text
from keqing.settings import Receiver, Settings
from keqing.workflow import outbox, runs
from keqing.workflow.db import Engine, begin

CHINA = ZoneInfo("Asia/Shanghai")
STAGE = "trouble"
LONGEST = 2000


class TroubleReport(BaseModel):
    """What was told; `queued` is 0 when the same was told within this hour."""

    what: str
    outcome: str
    queued: int


def trouble(
    settings: Settings, engine: Engine, what: str, outcome: str, detail: str, now: datetime
) -> TroubleReport:
    """Write it down and queue a mail to the operator, or to every receiver if the plan names none."""
    facts: dict[str, object] = {
        "what": what,
        "outcome": outcome,
        "detail": detail[:LONGEST],
        "frozen_at": utc_text(now),
        "link": settings.plan.dashboards.base_url or "",
    }
    with begin(engine) as tx:
        run_id = runs.start(tx, STAGE, what, now)
        runs.finish(tx, run_id, outcome, {}, now, detail[:LONGEST])
        notices = [_notice(name, to, facts, now) for name, to in _told(settings).items()]
        queued = sum(outbox.queue(tx, notice) for notice in notices)
    return TroubleReport(what=what, outcome=outcome, queued=queued)


def _told(settings: Settings) -> dict[str, Receiver]:
    contact = settings.plan.operator.contact or ""
    if not contact.startswith("mailto:"):
        return dict(settings.plan.receivers or NOBODY)
    channel = "email" if settings.plan.smtp.host else "spool"
    return {"operator": Receiver(channel=channel, to=contact.removeprefix("mailto:"))}


def _notice(name: str, receiver: Receiver, facts: dict[str, object], now: datetime) -> Notification:
    same = json.dumps([facts["what"], facts["outcome"], f"{now.astimezone(CHINA):%Y%m%d%H}"])
    scope = f"ops-{hashlib.sha256(same.encode()).hexdigest()[:12]}"
    return Notification(
        id=f"{scope}.1.{name}",
        incident=scope,
        receiver=name,
        channel=receiver.channel,
        reason=OPS,
        payload=facts | {"to": receiver.to},
        content_hash=hashlib.sha256(f"{scope}.{name}".encode()).hexdigest(),
        created_at=now,
    )
