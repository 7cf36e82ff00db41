"""What could be seen: how fresh the data is, which sources are blind, and when nothing was seen.

In:  the run ledger, the newest first sight of the index, `now`.
Out: a Sight. A crawler that is dead looks like calm; these spans keep its silence from being a 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.health import SEES, ended_runs, sight_of
from keqing.settings import Settings
from keqing.workflow import runs
from keqing.workflow.db import Tx
from keqing.workflow.runs import Run

Span = tuple[datetime, datetime]
Spans = tuple[Span, ...]
AMBER, RED = timedelta(minutes=30), timedelta(hours=2)
LOOK_BACK = 1500  # crawls per source
ALWAYS = 2  # crawls in a row without sight that make a gap


@dataclass(frozen=True)
class Sight:
    """`freshness`: fresh | late | dead | none (nothing ever came); `coverage` None without sources."""

    as_of: datetime | None
    freshness: str
    coverage: float | None
    blind: tuple[str, ...]
    gaps: dict[str, Spans]

    @property
    def dead(self) -> bool:
        """Whether a count of 0 would mean nothing."""
        return self.freshness in ("dead", "none")

    def unseen(self, sources: Sequence[str], now: datetime) -> Spans:
        """Spans in which none of these sources (all if empty) could be seen."""
        names = list(sources) or list(self.gaps)
        found = [self.gaps.get(name, ()) for name in names]
        common: Spans = found[0] if found else ()
        for other in found[1:]:
            common = _intersect(common, other)
        tail = ((self.as_of, now),) if self.dead and self.as_of else ()
        return (*common, *tail)

    def dim(self, sources: Sequence[str]) -> Spans:
        """Spans in which at least one of these sources (any if empty) was blind."""
        names = list(sources) or list(self.gaps)
        return tuple(span for name in names for span in self.gaps.get(name, ()))

    def partial(self, start: datetime, end: datetime) -> dict[str, Spans]:
        """Gaps of each source within a window, cut to it."""
        cut = {
            name: tuple((max(a, start), min(b, end)) for a, b in spans if a < end and b > start)
            for name, spans in self.gaps.items()
        }
        return {name: spans for name, spans in cut.items() if spans}


def look(tx: Tx, settings: Settings, latest: datetime | None, now: datetime) -> Sight:
    """The Sight as of `now`; `latest` is the newest first sight in the index."""
    ended = ended_runs(tx, settings)
    seen = sight_of(ended)
    ledger = {name: runs.last(tx, "crawl", name, LOOK_BACK) for name in ended}
    goods = [run.ended_at for rows in ledger.values() for run in rows if run.ended_at and saw(run)]
    moments = [*goods, *([latest] if latest else [])]
    as_of = max(moments) if moments else None
    coverage = seen.coverage if ended else None
    gaps = {name: blind_spans(rows, now) for name, rows in ledger.items()}
    return Sight(as_of, _freshness(as_of, now), coverage, seen.blind, gaps)


def saw(run: Run) -> bool:
    """Whether a crawl saw its source, even if nothing new."""
    return run.outcome.lower() in SEES


def blind_spans(newest_first: Sequence[Run], now: datetime) -> Spans:
    """Spans from the last good crawl to the next one with two or more failed ones between."""
    spans: list[Span] = []
    since: datetime | None = None
    failed = 0
    for run in reversed(newest_first):
        if run.ended_at is None:
            continue
        if not saw(run):
            since, failed = since or run.started_at, failed + 1
            continue
        if since and failed >= ALWAYS:
            spans.append((since, run.started_at))
        since, failed = run.ended_at, 0
    if since and failed >= ALWAYS:
        spans.append((since, now))
    return tuple(spans)


def covered(spans: Spans, start: datetime, end: datetime, whole: bool = True) -> bool:
    """Whether [start, end) lies within one span (`whole`), or touches any."""
    if whole:
        return any(a <= start and end <= b for a, b in spans)
    return any(a < end and start < b for a, b in spans)


def _freshness(as_of: datetime | None, now: datetime) -> str:
    if as_of is None:
        return "none"
    age = now - as_of
    return "fresh" if age <= AMBER else "late" if age <= RED else "dead"


def _intersect(one: Spans, other: Spans) -> Spans:
    pairs = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return tuple(pair for pair in pairs if pair[0] < pair[1])
