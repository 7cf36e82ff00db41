"""What detectors hand on: a Proposal, an incident as seen now with its posts and mail facts.

In:  index hits of one brand, a verdict or a severity class, coverage.
Out: Proposals with frozen evidence. Whether one opens, joins or is known is keqing.workflow's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from alerts.severity import SURE, Severity, SeverityPost
from index.body import ASSERTED
from index.query import Hit
from keqing.records import Engagement, Evidence, Incident, Level, Polarity
from keqing.settings import Settings
from keqing.words import word

EVIDENCE = 5
STALE = timedelta(hours=24)  # older windows and posts send nothing


@dataclass(frozen=True)
class Proposal:
    """An incident as it looks now."""

    incident: Incident
    posts: frozenset[str]
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Sight:
    """How much of the sources answers: share 0..1 and the names of those that do not."""

    coverage: float = 1.0
    blind: tuple[str, ...] = ()


def severity_post(hit: Hit, brand: str) -> SeverityPost:
    """What of a hit counts for one brand: polarity towards it, not of the whole post."""
    return SeverityPost(
        story=hit.story,
        author=hit.author or hit.id,
        platform=hit.platform,
        polarity=polarity_towards(hit, brand),
        published_at=hit.published_at,
        likes=hit.likes or 0,
        comments=hit.comments or 0,
        reposts=hit.reposts or 0,
        followers=hit.followers or 0,
        classes=tuple(classes_of(hit).items()),
    )


def polarity_towards(hit: Hit, brand: str) -> Polarity | None:
    """Negative only where the brand itself is meant: a rival's trouble is not ours."""
    if brand in hit.negative_brands:
        return Polarity.NEGATIVE
    if hit.polarity is None:
        return None
    return Polarity.NEUTRAL if hit.polarity == "negative" else Polarity(hit.polarity)


def classes_of(hit: Hit) -> dict[str, float]:
    """Severity classes of a post with the surest confidence of each."""
    found: dict[str, float] = {}
    for entry in hit.detail.get("severity", ()):
        found[entry["name"]] = max(float(entry["confidence"]), found.get(entry["name"], 0.0))
    return found


def doubtful(hit: Hit) -> tuple[str, ...]:
    """Classes that a post is shown under and that it only likely asserts."""
    return tuple(name for name, sure in classes_of(hit).items() if ASSERTED <= sure < SURE)


def freeze(hits: Iterable[Hit], brand: str) -> tuple[Evidence, ...]:
    """The riskiest posts of distinct stories, as shown at this moment."""
    chosen: dict[str, Hit] = {}
    against = [h for h in hits if polarity_towards(h, brand) is not Polarity.POSITIVE]
    for hit in sorted(against, key=lambda h: (-(h.risk or h.p_negative), h.published_at, h.id)):
        chosen.setdefault(hit.story, hit)
    return tuple(_evidence(hit) for hit in list(chosen.values())[:EVIDENCE])


def mail_facts(
    hits: Sequence[Hit], brand: str, seen: Severity, sight: Sight, reason: str, lead: str
) -> dict[str, object]:
    """The numbers of a mail; every one of them counts `hits`."""
    negative = sum(polarity_towards(h, brand) is Polarity.NEGATIVE for h in hits)
    return {
        "lead": lead,
        "posts": len(hits),
        "stories": len({h.story for h in hits}),
        "negative_share": f"{negative / len(hits):.0%}" if hits else "–",
        "sensitive": _sensitive(hits),
        "coverage": f"{sight.coverage:.0%}",
        "why": [word(f"verdict.{reason}"), *(word(f"floor.{rule}") for rule in seen.rules)],
    }


def _sensitive(hits: Sequence[Hit]) -> str:
    """Classes that a post surely asserts, and apart from them those that are only likely."""
    surest: dict[str, float] = {}
    for hit in hits:
        for name, confidence in classes_of(hit).items():
            surest[name] = max(confidence, surest.get(name, 0.0))
    sure = "、".join(sorted(name for name, p in surest.items() if p >= SURE)) or "无"
    likely = "、".join(sorted(name for name, p in surest.items() if ASSERTED <= p < SURE))
    return f"{sure}（疑似 {likely}）" if likely else sure


def where_and_when(settings: Settings, hits: Sequence[Hit]) -> str:
    """`2 个平台，首发于 青屿生活论坛`: how wide, and where it began."""
    if not hits:
        return ""
    first = min(hits, key=lambda h: (h.published_at, h.id))
    return f"{len({h.platform for h in hits})} 个平台，首发于 {settings.source_title(first.source)}"


def higher(one: Level, other: Level) -> Level:
    """The graver of two levels."""
    return one if one.rank >= other.rank else other


def _evidence(hit: Hit) -> Evidence:
    return Evidence(
        post_id=hit.id,
        url=hit.url,
        source=hit.source,
        text=hit.text or "",
        title=hit.title,
        published_at=hit.published_at,
        first_seen_at=hit.first_seen_at,
        polarity=None if hit.polarity is None else Polarity(hit.polarity),
        p_negative=hit.p_negative,
        severity=hit.severity,
        likely=doubtful(hit),
        engagement=Engagement(likes=hit.likes, comments=hit.comments, reposts=hit.reposts),
        story=hit.story,
        raw_sha256=hit.evidence,
    )
