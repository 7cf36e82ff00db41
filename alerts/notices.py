"""Who is told: one frozen notification per receiver, in the transaction of the change.

In:  a stored Incident, why it is told, the mail's facts.
Out: rows of the outbox. The id is `<incident>.<notice>.<receiver>`, so a repeat queues nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from alerts.health import NO_BRAND
from keqing.records import Incident, Level, Notification, utc_text
from keqing.settings import Receiver, Settings
from keqing.workflow import outbox
from keqing.workflow.db import Tx

# A plan without receivers still leaves readable mails.
NOBODY = {"local": Receiver(channel="spool", to="duty@localhost")}


class Reason(StrEnum):
    """Why a notification is sent."""

    FIRST = "first"
    LEVEL_UP = "level_up"
    BLIND = "blind"
    BLIND_OVER = "blind_over"


def queue_notices(
    tx: Tx,
    settings: Settings,
    incident: Incident,
    reason: Reason,
    facts: Mapping[str, object],
    now: datetime,
    previous: Level | None = None,
) -> int:
    """Queue a notification for each receiver whose level and brands fit; how many were new."""
    receivers = settings.plan.receivers or NOBODY
    notices = [
        _notice(settings, incident, reason, facts, now, previous, name, receiver)
        for name, receiver in receivers.items()
        if _wants(receiver, incident)
    ]
    return sum(outbox.queue(tx, notice) for notice in notices)


def _wants(receiver: Receiver, incident: Incident) -> bool:
    if incident.level.rank < Level(receiver.min_level).rank:
        return False
    return incident.brand == NO_BRAND or bool({"*", incident.brand} & set(receiver.brands))


def _notice(
    settings: Settings,
    incident: Incident,
    reason: Reason,
    facts: Mapping[str, object],
    now: datetime,
    previous: Level | None,
    name: str,
    receiver: Receiver,
) -> Notification:
    base = settings.plan.dashboards.base_url
    payload = dict(facts) | {
        "reason": reason.value,
        "incident": incident.model_dump(mode="json"),
        "titles": {e.source: settings.source_title(e.source) for e in incident.evidence},
        "previous_level": previous.value if previous else None,
        "frozen_at": utc_text(now),
        "link": f"{base.rstrip('/')}/incidents/{incident.id}" if base else "",
        "to": receiver.to,
    }
    said = json.dumps([incident.id, incident.notice, reason, incident.level], sort_keys=True)
    return Notification(
        id=f"{incident.id}.{incident.notice}.{name}",
        incident=incident.id,
        receiver=name,
        channel=receiver.channel,
        reason=reason.value,
        payload=payload,
        content_hash=hashlib.sha256(said.encode()).hexdigest(),
        created_at=now,
    )
