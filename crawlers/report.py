"""What a run reports: empty is not one thing.

In:  the tally of a run, the source's former state. Out: CrawlReport with a verdict and an exit code,
and the source's new state. A blind crawler is a fact, never calm.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel

from crawlers.keeper import Tally
from crawlers.pages.walls import Answer
from keqing.settings import SourceCard
from keqing.workflow.targets import StateRow

BLIND_AFTER = 2
OVER_FILTERING_AFTER = 3


class Verdict(StrEnum):
    """Outcome of a crawl; stable codes."""

    FRESH = "FRESH"
    ALL_DUPLICATE = "ALL_DUPLICATE"
    EMPTY_BY_SOURCE = "EMPTY_BY_SOURCE"
    ALL_FILTERED = "ALL_FILTERED"
    FETCHED_NOTHING = "FETCHED_NOTHING"
    BLOCKED_LOGIN = "BLOCKED_LOGIN"
    BLOCKED_CAPTCHA = "BLOCKED_CAPTCHA"
    BLOCKED_THROTTLED = "BLOCKED_THROTTLED"
    BLOCKED_ROBOTS = "BLOCKED_ROBOTS"
    BLOCKED_PERMISSION = "BLOCKED_PERMISSION"
    UNREACHABLE = "UNREACHABLE"
    CHANGED = "CHANGED"
    INCOMPLETE = "INCOMPLETE"


BLOCKED = {
    Answer.LOGIN_WALL: Verdict.BLOCKED_LOGIN,
    Answer.CAPTCHA: Verdict.BLOCKED_CAPTCHA,
    Answer.THROTTLED: Verdict.BLOCKED_THROTTLED,
    Answer.ROBOTS: Verdict.BLOCKED_ROBOTS,
    Answer.NO_PERMISSION: Verdict.BLOCKED_PERMISSION,
}
ERRORS = {
    Verdict.BLOCKED_ROBOTS: "RobotsRefused",
    Verdict.UNREACHABLE: "Unreachable",
    Verdict.CHANGED: "SourceChanged",
}
IN_PART = (Verdict.FETCHED_NOTHING, Verdict.INCOMPLETE)
SAW_NOTHING = (Verdict.FETCHED_NOTHING, Verdict.UNREACHABLE)


class CrawlReport(BaseModel):
    """parsed = new + updated + duplicate + filtered + refused; `error` names the error's class."""

    source: str
    verdict: Verdict
    fetched_pages: int = 0
    parsed: int = 0
    new: int = 0
    updated: int = 0
    duplicate: int = 0
    filtered: dict[str, int] = {}
    refused: dict[str, int] = {}
    blocked: dict[str, int] = {}
    notes: dict[str, int] = {}
    unknown_fields: list[str] = []
    gaps: list[str] = []
    files: list[str] = []
    newest_post_at: datetime | None = None
    error: str | None = None
    message: str | None = None

    @property
    def exit_code(self) -> int:
        """0 done, 3 in part, 1 failed."""
        return 1 if self.error else 3 if self.verdict in IN_PART else 0


def verdict_of(tally: Tally) -> Verdict:
    """The one code of a run: what kept it from seeing comes before what it saw."""
    for answer, verdict in BLOCKED.items():
        if tally.blocked[str(answer)]:
            return verdict
    if tally.unreachable:
        return Verdict.UNREACHABLE
    if tally.changed:
        return Verdict.CHANGED
    if tally.silent and not tally.speaking_targets:
        return Verdict.FETCHED_NOTHING
    if tally.gaps and not tally.fetched_pages:
        return Verdict.FETCHED_NOTHING
    if tally.gaps or tally.silent or tally.blocked:
        return Verdict.INCOMPLETE
    if tally.new or tally.updated:
        return Verdict.FRESH
    if tally.duplicate:
        return Verdict.ALL_DUPLICATE
    return Verdict.ALL_FILTERED if tally.parsed else Verdict.EMPTY_BY_SOURCE


def report_of(source: str, tally: Tally, files: list[str]) -> CrawlReport:
    """The report of a run that ended."""
    verdict = verdict_of(tally)
    error = ERRORS.get(verdict) or ("Blocked" if verdict in BLOCKED.values() else None)
    said = [*tally.faults, *tally.unreachable, *tally.changed]
    silent = [f"{target}: 此前有内容, 本次为空" for target in tally.silent]
    return CrawlReport(
        source=source,
        verdict=verdict,
        fetched_pages=tally.fetched_pages,
        parsed=tally.parsed,
        new=tally.new,
        updated=tally.updated,
        duplicate=tally.duplicate,
        filtered=dict(tally.filtered),
        refused=dict(tally.refused),
        blocked=dict(tally.blocked),
        notes=dict(tally.notes),
        unknown_fields=sorted(tally.unknown_fields),
        gaps=[*tally.gaps, *silent],
        files=files,
        newest_post_at=tally.newest_post_at,
        error=error,
        message="; ".join(said[:3]) or None if error else None,
    )


def next_state(
    card: SourceCard, old: StateRow | None, report: CrawlReport, run_id: str, now: datetime
) -> StateRow:
    """The source's health after a run; `since` moves only when the state changes."""
    before = old or StateRow(card.name, "unknown", now, "", 0, run_id)
    repeats = before.repeats + 1 if before.verdict == report.verdict else 1
    newest = max(filter(None, [before.newest_post_at, report.newest_post_at]), default=None)
    state = _state(card, report, repeats, newest, now)
    return replace(
        before,
        state=state,
        since=before.since if before.state == state else now,
        verdict=str(report.verdict),
        repeats=repeats,
        run_id=run_id,
        last_ok_at=before.last_ok_at if report.error else now,
        newest_post_at=newest,
    )


def _state(
    card: SourceCard, report: CrawlReport, repeats: int, newest: datetime | None, now: datetime
) -> str:
    if report.verdict in BLOCKED.values():
        return "blocked"
    if report.verdict is Verdict.CHANGED:
        return "changed"
    if report.verdict in SAW_NOTHING:
        return "blind" if repeats >= BLIND_AFTER else "late"
    if report.verdict is Verdict.ALL_FILTERED and repeats >= OVER_FILTERING_AFTER:
        return "over-filtering"
    if report.verdict is Verdict.INCOMPLETE:
        return "partial"
    quiet = timedelta(hours=card.expected.quiet_hours_max)
    return "late" if newest and now - newest > quiet else "healthy"
