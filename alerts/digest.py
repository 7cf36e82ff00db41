"""Daily report (日报): the last 24 hours in one mail, also when nothing happened.

In:  settings, stores, now. Out: one notification per receiver and day in the outbox. The mail is the
heartbeat: a morning without it means that keqing stands still. It carries the heads of the landing's
chains, so that a rewritten landing disagrees with a copy outside.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from alerts.health import ended_runs, sight_of
from alerts.mail import DIGEST
from alerts.notices import NOBODY
from index.answers import IndexEngine, Window
from index.ast import All
from keqing.landing import Landing
from keqing.records import Notification, utc_text
from keqing.settings import Receiver, Settings
from keqing.words import word
from keqing.workflow import incidents, outbox, runs
from keqing.workflow.db import Engine, Tx, begin

CHINA = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
RUNS_A_DAY = 2000


class DigestReport(BaseModel):
    """Whose day it was, how many notifications are new."""

    day: str
    queued: int


def digest(settings: Settings, engine: Engine, index: IndexEngine, now: datetime) -> DigestReport:
    """Queue the report of the 24 hours before `now`; once a Beijing day and receiver."""
    day = f"{now.astimezone(CHINA):%Y-%m-%d}"
    brands = _brands(settings, index, now)
    heads = Landing(settings.var / "landing").heads()
    with begin(engine) as tx:
        facts: dict[str, object] = {
            "subject": f"【客情日报】{day} {_headline(brands)}",
            "day": day,
            "brands": brands,
            "alerts": _alerts(tx),
            "sources": _sources(tx, settings, now),
            "coverage": f"{sight_of(ended_runs(tx, settings)).coverage:.0%}",
            "heads": heads,
            "link": settings.plan.dashboards.base_url or "",
        }
        receivers = settings.plan.receivers or NOBODY
        queued = [
            outbox.queue(tx, _notice(day, name, receiver, facts, now))
            for name, receiver in receivers.items()
        ]
    return DigestReport(day=day, queued=sum(queued))


def _brands(settings: Settings, index: IndexEngine, now: datetime) -> list[dict[str, object]]:
    last = {b.value: b for b in index.counts_by("brand", All(), Window(now - DAY, now))}
    before = {b.value: b for b in index.counts_by("brand", All(), Window(now - 2 * DAY, now - DAY))}
    rows: list[dict[str, object]] = []
    for key, brand in settings.plan.brands.items():
        mine, former = last.get(key), before.get(key)
        rows.append(
            {
                "name": brand.name,
                "ours": brand.ours,
                "posts": mine.posts if mine else 0,
                "negative": mine.negative if mine else 0,
                "negative_before": former.negative if former else 0,
            }
        )
    return rows


def _headline(brands: list[dict[str, object]]) -> str:
    ours = [f"{row['name']} 负面 {row['negative']}" for row in brands if row["ours"]]
    return "，".join(ours)


def _alerts(tx: Tx) -> list[dict[str, str]]:
    live = [i for i in incidents.list_incidents(tx) if i.state in incidents.LIVE]
    return [
        {"level": word(f"level.{i.level}"), "title": i.title, "state": word(f"state.{i.state}")}
        for i in sorted(live, key=lambda i: (-i.level.rank, i.opened_at))
    ]


def _sources(tx: Tx, settings: Settings, now: datetime) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for source in dict.fromkeys(target.source for target in settings.plan.watch.target):
        ended = [r for r in runs.last(tx, "crawl", source, RUNS_A_DAY) if r.started_at > now - DAY]
        said = word(f"crawl.{ended[0].outcome.lower()}") if ended else "未采集"
        new = sum(run.counts.get("new", 0) for run in ended)
        title = settings.cards[source].title
        rows.append({"title": title, "runs": len(ended), "new": new, "last": said})
    return rows


def _notice(
    day: str, name: str, receiver: Receiver, facts: dict[str, object], now: datetime
) -> Notification:
    scope = f"digest-{day.replace('-', '')}"
    return Notification(
        id=f"{scope}.1.{name}",
        incident=scope,
        receiver=name,
        channel=receiver.channel,
        reason=DIGEST,
        payload=facts | {"to": receiver.to, "frozen_at": utc_text(now)},
        content_hash=hashlib.sha256(json.dumps([scope, name]).encode()).hexdigest(),
        created_at=now,
    )
