"""Blindness: a source whose last two runs brought nothing, and what share of sources answers.

In:  the run ledger and the plan's sources.
Out: Sight, blindness Proposals, names of sources that answer again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from alerts.assess import Proposal, Sight
from alerts.severity import VERSION
from keqing.records import Incident, Level
from keqing.settings import Settings
from keqing.words import word
from keqing.workflow import runs
from keqing.workflow.db import Tx
from keqing.workflow.incidents import incident_id
from keqing.workflow.runs import Run

NO_BRAND = "-"
REASON = "blind_source"
RUNS = 2
SEES = ("ok", "fresh", "all_duplicate", "empty_by_source", "all_filtered", "incomplete")


def ended_runs(tx: Tx, settings: Settings) -> dict[str, list[Run]]:
    """The two newest ended crawls of each source of the plan, newest first."""
    sources = sorted({target.source for target in settings.plan.watch.target})
    return {
        source: [r for r in runs.last(tx, "crawl", source, 10) if r.outcome != "running"][:RUNS]
        for source in sources
    }


def sight_of(ended: Mapping[str, list[Run]]) -> Sight:
    """Coverage and blind sources; a source that never ran is not blind yet."""
    blind = tuple(source for source, last in ended.items() if is_blind(last))
    return Sight(1.0 - len(blind) / len(ended) if ended else 1.0, blind)


def is_blind(last: list[Run]) -> bool:
    """Whether the two newest ended runs both saw nothing."""
    return len(last) == RUNS and all(run.outcome.lower() not in SEES for run in last)


def answers_again(last: list[Run]) -> bool:
    """Whether the newest ended run saw something."""
    return bool(last) and last[0].outcome.lower() in SEES


def blind_proposals(
    settings: Settings, ended: Mapping[str, list[Run]], sight: Sight, now: datetime
) -> list[Proposal]:
    """One proposal per blind source."""
    return [_proposal(settings, source, ended[source], sight, now) for source in sight.blind]


def scope_of(source: str) -> str:
    """Scope of a source's blindness."""
    return f"blind:{source}"


def blind_facts(title: str, outcomes: list[str], sight: Sight) -> dict[str, object]:
    """Mail facts of a source's blindness or return."""
    said = "、".join(word(f"crawl.{outcome.lower()}") for outcome in outcomes)
    return {
        "lead": f"信源“{title}”最近的采集结果：{said}。",
        "posts": 0,
        "stories": 0,
        "negative_share": "–",
        "sensitive": "–",
        "coverage": f"{sight.coverage:.0%}",
        "why": [word(f"verdict.{REASON}")],
    }


def _proposal(
    settings: Settings, source: str, last: list[Run], sight: Sight, now: datetime
) -> Proposal:
    title = settings.cards[source].title
    incident = Incident(
        id=incident_id(NO_BRAND, scope_of(source), last[-1].started_at),
        brand=NO_BRAND,
        scope=scope_of(source),
        level=Level.YELLOW,
        reason=REASON,
        title=f"信源“{title}”连续无数据",
        started_at=last[-1].started_at,
        opened_at=now,
        observed=0.0,
        expected=0.0,
        low=0.0,
        high=0.0,
        window_s=0,
        score=float(len(last)),
        threshold=float(RUNS),
        severity=0.0,
        coverage=sight.coverage,
        blind=sight.blind,
        rule_version=VERSION,
        plan_version=settings.config_hash,
    )
    facts = blind_facts(title, [run.outcome for run in last], sight)
    return Proposal(incident, frozenset(), facts)
