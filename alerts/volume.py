"""Volume incidents: a brand's negative voices rise over what is usual.

In:  the index, our brands, the ticks to walk, live incidents.
Out: at most one Proposal per brand, however many ticks were walked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from alerts.assess import STALE, Proposal, Sight, freeze, mail_facts, severity_post, where_and_when
from alerts.detect import STEP_S, Score, Thresholds, judge, newest_tail
from alerts.severity import VERSION, History, Severity, severity
from index.query import Hit, IndexEngine, Series, Tag, Window
from keqing.records import Incident, Level
from keqing.settings import Settings
from keqing.workflow.incidents import LIVE, incident_id

SCOPE = "brand"
CHINA = ZoneInfo("Asia/Shanghai")
MEMORY = timedelta(days=28)
HOUR = timedelta(hours=1)
STEP = timedelta(seconds=STEP_S)
SAMPLE = 500  # newest posts of an incident that are scored
ENOUGH = 100  # posts from which a brand's own negative share is known


def volume_proposals(
    settings: Settings,
    index: IndexEngine,
    thresholds: Thresholds,
    ticks: Sequence[datetime],
    newest: Mapping[tuple[str, str], Incident],
    sight: Sight,
) -> list[Proposal]:
    """Proposals of all our brands as of the last tick.

    Args:
        ticks: moments to look at, oldest first; the last one is now.
        newest: the newest incident of each (brand, scope) of the last day, live or closed.
    """
    brands = [key for key, brand in settings.plan.brands.items() if brand.ours]
    now = ticks[-1]
    grids = index.counts(brands, Window(now - MEMORY, now), STEP_S)
    found = [
        _brand(settings, index, thresholds, key, grids[key], ticks, newest.get((key, SCOPE)), sight)
        for key in brands
        if key in grids
    ]
    return [proposal for proposal in found if proposal is not None]


def _brand(
    settings: Settings,
    index: IndexEngine,
    thresholds: Thresholds,
    brand: str,
    grid: Series,
    ticks: Sequence[datetime],
    last: Incident | None,
    sight: Sight,
) -> Proposal | None:
    begun = next((n for n, posts in enumerate(grid.posts) if posts), None)
    if begun is None:
        return None
    # Before the first post there was no collection: no data is not zero.
    starts, voices = grid.starts[begun:], np.asarray(grid.negative_voices[begun:], dtype=float)
    rows = sorted({row for tick in ticks if (row := _row(starts[0], len(starts), tick)) >= 0})
    if not rows:
        return None
    scores = dict(zip(rows, judge(voices, _local(starts[0]), thresholds, rows), strict=True))
    live = last if last and last.state in LIVE else None
    old = last if live is None else None
    alarms = [row for row in rows if scores[row].alert and _over(scores[row], old)]
    if not alarms and live is None:
        return None
    row = alarms[-1] if alarms else rows[-1]
    started = live.started_at if live else starts[alarms[0]]
    now = ticks[-1]
    hits = _hits(index, brand, max(started - HOUR, now - STALE), now)
    own = sum(grid.negative) / sum(grid.posts) if sum(grid.posts) >= ENOUGH else None
    history = History(tail=newest_tail(voices[: row + 1]), negative_share=own)
    seen = severity([severity_post(hit, brand) for hit in hits], history, now)
    if seen.level is None:
        return None  # a rise that is not grave is buzz
    proposal = _proposal(settings, brand, started, scores[row], seen, seen.level, hits, sight, now)
    incident = proposal.incident
    if live and not alarms:  # it goes on without a new record: why it was opened still holds
        kept = {"reason": live.reason, "score": live.score}
        incident = incident.model_copy(update=kept)
    return Proposal(incident, proposal.posts, dict(proposal.facts) | {"chart": _chart(grid, now)})


def _proposal(
    settings: Settings,
    brand: str,
    started: datetime,
    score: Score,
    seen: Severity,
    level: Level,
    hits: Sequence[Hit],
    sight: Sight,
    now: datetime,
) -> Proposal:
    band, name = score.band, settings.plan.brands[brand].name
    incident = Incident(
        id=incident_id(brand, SCOPE, started),
        brand=brand,
        scope=SCOPE,
        level=level,
        reason=score.verdict.value,
        title=f"{name}：负面声音上升",
        started_at=started,
        opened_at=now,
        observed=band.observed,
        expected=band.expected,
        low=band.low,
        high=band.high,
        window_s=3600,
        score=score.score,
        threshold=score.threshold,
        severity=seen.score,
        parts=seen.parts,
        floors=tuple(rule.value for rule in seen.rules),
        evidence=freeze(hits, brand),
        coverage=sight.coverage,
        blind=sight.blind,
        rule_version=VERSION,
        plan_version=settings.config_hash,
    )
    lead = (
        f"近 1 小时负面声音 {band.observed:.0f} 人，预期 {band.low:.0f}–{band.high:.0f}。"
        f"{where_and_when(settings, hits)}。"
    )
    facts = mail_facts(hits, brand, seen, sight, incident.reason, lead)
    return Proposal(incident, frozenset(hit.id for hit in hits), facts)


def _over(score: Score, old: Incident | None) -> bool:
    """Whether an alarm goes beyond the incident that staff closed within the last day."""
    return old is None or score.score > old.score or score.band.observed > old.observed


def _hits(index: IndexEngine, brand: str, start: datetime, end: datetime) -> tuple[Hit, ...]:
    return index.search(Tag("brand", brand), Window(start, end), size=SAMPLE).hits


def _row(first: datetime, n: int, tick: datetime) -> int:
    """Index of the last step that began before a tick; negative before the first."""
    return min(n - 1, int(np.ceil((tick - first) / STEP)) - 1)


def _local(moment: datetime) -> datetime:
    return moment.astimezone(CHINA)


def _chart(grid: Series, now: datetime) -> dict[str, object]:
    """Negative voices of the hour before each half hour of the last day."""
    voices = np.asarray(grid.negative_voices, dtype=float)
    total = np.concatenate([[0.0], np.cumsum(voices)])
    ends = [end for end in range(len(voices), 0, -6) if now - grid.starts[end - 1] <= STALE][::-1]
    return {
        "starts": [(min(grid.starts[end - 1] + STEP, now)).isoformat() for end in ends],
        "values": [float(total[end] - total[max(0, end - 12)]) for end in ends],
    }
