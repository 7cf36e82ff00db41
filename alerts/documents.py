"""Document alarms: one post that asserts a severity class is enough, without volume.

In:  the index, posts that already belong to an incident of the same brand and class.
Out: one Proposal per brand and class with something new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from alerts.assess import (
    STALE,
    Proposal,
    Sight,
    classes_of,
    freeze,
    mail_facts,
    polarity_towards,
    severity_post,
    where_and_when,
)
from alerts.severity import SURE, VERSION, History, Severity, severity
from index.query import Hit, IndexEngine, Window
from keqing.records import Incident, Level, Polarity
from keqing.settings import Settings
from keqing.workflow.incidents import incident_id

# A journalist's interest widens an incident but is no danger by itself.
NEVER_ALONE = ("媒体介入",)
REASON = "document"
TERM_MAX = 16  # characters of a title; a danger that no word names is told by its clause


def document_proposals(
    settings: Settings,
    index: IndexEngine,
    now: datetime,
    known: Callable[[str, str], set[str]],
    sight: Sight,
) -> list[Proposal]:
    """Proposals from posts first seen and published within the last 24 h.

    Args:
        known: ids of the posts that joined any incident of a brand and scope before.
    """
    groups: dict[tuple[str, str], list[Hit]] = {}
    for hit in index.document_alarms(Window(now - STALE, now, "first_seen"), SURE):
        if hit.published_at < now - STALE:
            continue  # an old post that is imported today sends nothing
        for brand in _meant(settings, hit):
            for name in _alarming(hit):
                groups.setdefault((brand, name), []).append(hit)
    found = []
    for (brand, name), hits in sorted(groups.items()):
        fresh = [hit for hit in hits if hit.id not in known(brand, scope_of(name))]
        if fresh:
            found.append(_proposal(settings, brand, name, hits, fresh, now, sight))
    return found


def scope_of(name: str) -> str:
    """Scope of a class's incident."""
    return f"document:{name}"


def _meant(settings: Settings, hit: Hit) -> list[str]:
    """Our brands that a post accuses; where it accuses none by name, those it is about."""
    brands = hit.negative_brands or hit.brands
    ours = [b for b in brands if b in settings.plan.brands and settings.plan.brands[b].ours]
    return [b for b in ours if polarity_towards(hit, b) is not Polarity.POSITIVE]


def _alarming(hit: Hit) -> list[str]:
    return [n for n, sure in classes_of(hit).items() if sure >= SURE and n not in NEVER_ALONE]


def _proposal(
    settings: Settings,
    brand: str,
    name: str,
    hits: Sequence[Hit],
    fresh: Sequence[Hit],
    now: datetime,
    sight: Sight,
) -> Proposal:
    seen = severity([severity_post(h, brand) for h in hits], History(), now, document=True)
    first = min(fresh, key=lambda hit: (hit.first_seen_at, hit.id))
    incident = _incident(settings, brand, name, hits, first, seen, now, sight)
    lead = f"{len({h.author or h.id for h in hits})} 位作者提到{name}。{where_and_when(settings, hits)}。"
    facts = mail_facts(hits, brand, seen, sight, REASON, lead)
    return Proposal(incident, frozenset(hit.id for hit in hits), facts)


def _incident(
    settings: Settings,
    brand: str,
    name: str,
    hits: Sequence[Hit],
    first: Hit,
    seen: Severity,
    now: datetime,
    sight: Sight,
) -> Incident:
    assert seen.level is not None  # a document alarm is at least blue  # noqa: S101  # narrows the type; the caller has looked
    term = next(e["term"] for e in first.detail["severity"] if e["name"] == name)
    voices = len({h.author or h.id for h in hits})
    return Incident(
        id=incident_id(brand, scope_of(name), first.first_seen_at),
        brand=brand,
        scope=scope_of(name),
        level=seen.level or Level.BLUE,
        reason=REASON,
        title=f"{settings.plan.brands[brand].name}：{name}（{_short(term)}）",
        started_at=first.first_seen_at,
        opened_at=now,
        observed=float(voices),
        expected=0.0,
        low=0.0,
        high=0.0,
        window_s=int(STALE.total_seconds()),
        score=max(classes_of(h).get(name, 0.0) for h in hits),
        threshold=SURE,
        severity=seen.score,
        parts=seen.parts,
        floors=tuple(rule.value for rule in seen.rules),
        evidence=freeze(hits, brand),
        coverage=sight.coverage,
        blind=sight.blind,
        rule_version=VERSION,
        plan_version=settings.config_hash,
    )


def _short(term: str) -> str:
    return term if len(term) <= TERM_MAX else term[:TERM_MAX] + "…"
