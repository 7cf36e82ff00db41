"""The clocks of an incident: by when it must be acknowledged and closed.

In:  an Incident, its log, `now`. Out: Clocks. They start when the incident opens, not when a mail
arrives; 红 and 橙 run around the clock, 黄 and 蓝 in working hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboards.times import add_working
from keqing.records import Incident, Level
from keqing.workflow.incident_log import LogRow

WORKING_DAY = timedelta(hours=9)
ACK = {
    Level.RED: timedelta(minutes=15), Level.ORANGE: timedelta(minutes=30),
    Level.YELLOW: timedelta(hours=2), Level.BLUE: WORKING_DAY,
}  # fmt: skip
CLOSE = {
    Level.RED: timedelta(hours=24), Level.ORANGE: timedelta(days=3),
    Level.YELLOW: 7 * WORKING_DAY, Level.BLUE: 14 * WORKING_DAY,
}  # fmt: skip
SHOWN = ("open", "acknowledged", "handling", "watching")


@dataclass(frozen=True)
class Clock:
    """One clock: `done_at` when it was met, else `left_s` until (negative: since) the deadline."""

    name: str  # ack | close
    deadline: datetime
    done_at: datetime | None
    left_s: float

    @property
    def late(self) -> bool:
        """Whether the deadline passed before it was met."""
        return self.left_s < 0


def clocks(incident: Incident, log: Sequence[LogRow], now: datetime) -> tuple[Clock, Clock]:
    """The clocks of acknowledgement and of closing."""
    acked = _when(log, ("ack", "assign"), first=True)
    closed = _when(log, ("close", "merge", "recover"), first=False)
    ended = closed if incident.state not in SHOWN else None
    return (
        _clock("ack", incident, ACK, acked or ended, now),
        _clock("close", incident, CLOSE, ended, now),
    )


def ack_overdue(incident: Incident, now: datetime) -> bool:
    """超时未签收."""
    return incident.state == "open" and now > _deadline(incident, ACK)


def _clock(
    name: str,
    incident: Incident,
    spans: dict[Level, timedelta],
    done: datetime | None,
    now: datetime,
) -> Clock:
    deadline = _deadline(incident, spans)
    return Clock(name, deadline, done, (deadline - (done or now)).total_seconds())


def _deadline(incident: Incident, spans: dict[Level, timedelta]) -> datetime:
    span = spans[incident.level]
    if incident.level in (Level.RED, Level.ORANGE):
        return incident.opened_at + span
    return add_working(incident.opened_at, span)


def _when(log: Sequence[LogRow], acts: tuple[str, ...], first: bool) -> datetime | None:
    moments = [row.at for row in log if row.act in acts]
    return None if not moments else moments[0] if first else moments[-1]
