"""Send what is in the outbox: lease, build, send, write how it went.

In:  settings, the workflow engine, `now`, and receivers by channel (tests pass fakes).
Out: a NotifyReport. Nothing is decided here: who gets what was frozen when it was queued. One
receiver's failure does not stop the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from alerts.mail import build
from alerts.receivers.email import EmailReceiver
from alerts.receivers.outcome import Receiver
from alerts.receivers.spool import SpoolReceiver
from keqing.logs import get_logger
from keqing.records import Notification, Record
from keqing.settings import Settings, secret
from keqing.workflow import outbox
from keqing.workflow.db import Engine, begin

PER_RUN = 500
log = get_logger(__name__)


class NotifyReport(Record):
    """How a drain of the outbox went; `failed` are tried again later."""

    sent: int = 0
    failed: int = 0
    dead: int = 0
    paths: tuple[str, ...] = ()


def notify(
    settings: Settings,
    engine: Engine,
    now: datetime,
    receivers: Mapping[str, Receiver] | None = None,
) -> NotifyReport:
    """Send every notification that is due at `now`, at most 500."""
    receivers = _receivers(settings) if receivers is None else receivers
    ends: list[str] = []
    paths: list[str] = []
    for _ in range(PER_RUN):
        with begin(engine) as tx:
            notice = outbox.claim(tx, now)
        if notice is None:
            break
        state, path = _send(settings, engine, notice, receivers, now)
        ends.append(state)
        paths.extend([path] if path else [])
    return NotifyReport(
        sent=ends.count("sent"),
        failed=ends.count("queued"),
        dead=ends.count("dead"),
        paths=tuple(paths),
    )


def _send(
    settings: Settings,
    engine: Engine,
    notice: Notification,
    receivers: Mapping[str, Receiver],
    now: datetime,
) -> tuple[str, str | None]:
    receiver = receivers.get(notice.channel) or receivers["spool"]
    message = build(notice, settings.plan.smtp.sender, str(notice.payload["to"]))
    outcome = receiver.send(notice.id, message)
    with begin(engine) as tx:
        state = outbox.settle(
            tx, notice.id, outcome.kind, outcome.code, outcome.detail, receiver.channel, now
        )
    log.info("notification tried", id=notice.id, channel=receiver.channel, kind=outcome.kind)
    return state, outcome.path


def _receivers(settings: Settings) -> dict[str, Receiver]:
    """Without a mail server everything goes to the spool, and its rows say so."""
    made: dict[str, Receiver] = {"spool": SpoolReceiver(settings.var / "spool" / "mail")}
    if settings.plan.smtp.host:
        made["email"] = EmailReceiver(settings.plan.smtp, secret("KEQING__SMTP__PASSWORD"))
    return made
