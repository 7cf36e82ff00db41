"""`keqing crawl SOURCE`: visit one source once.

In:  settings, the workflow database, the card's name, a clock. Out: landed posts, the progress of
each target, the source's health, a CrawlReport. Scrapy's reactor runs once in a process: call this
in a process of its own.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from crawlers.keeper import Keeper, recover
from crawlers.politeness import Politeness, is_loopback, is_private
from crawlers.report import CrawlReport, next_state, report_of
from crawlers.walk import Job
from crawlers.walk import due as due_ratio
from keqing.errors import BadConfig, DoneInPart, UsageError
from keqing.landing import Landing
from keqing.privacy import author_key
from keqing.settings import Settings, SourceCard, Target
from keqing.workflow import targets
from keqing.workflow.db import Engine, begin, read

SIGNAL = "shutdown"  # Scrapy's word for it


def due_sources(settings: Settings, engine: Engine, now: datetime) -> list[str]:
    """Sources of the plan with a target that is due, the most overdue first."""
    worst: dict[str, float] = {}
    for target in settings.plan.watch.target:
        card = settings.cards[target.source]
        ratio = _overdue(card, target, engine, now)
        worst[card.name] = max(worst.get(card.name, 0.0), ratio)
    return sorted((name for name, ratio in worst.items() if ratio >= 1), key=lambda n: -worst[n])


def crawl(
    settings: Settings,
    engine: Engine,
    source: str,
    run_id: str,
    clock: Callable[[], datetime],
    only_due: bool = False,
) -> CrawlReport:
    """Visit the source's targets, all or those that are due, the most overdue first.

    Raises:
        UsageError: the plan watches nothing there.
        BadConfig: a site that is not on this machine, and no contact to name; an inner address.
        DoneInPart: a signal ended it; what was read has landed.
    """
    card = _card(settings, source)
    landing = Landing(settings.var / "landing")
    key = author_key(settings)
    with landing.writer(source, clock(), run_id) as writer:  # lands what a killed run left
        _recover(engine, landing, source)
        keeper = Keeper(engine, landing, writer, card, key, clock, run_id)
        job = Job(card, _targets(settings, engine, card, clock(), only_due), keeper, engine, clock)
        if job.targets:
            _run_spider(settings, job)
        files = writer.close()
    _look_at_end(job)
    report = report_of(source, keeper.tally, files)
    _put_state(engine, landing, card, report, run_id, clock())
    return report


def _look_at_end(job: Job) -> None:
    """What ended the crawl before it was through is told: it never looks like a calm source.

    Raises:
        DoneInPart: a signal; Scrapy cancels what waits.
    """
    if job.fault is not None and not isinstance(job.fault, CancelledError):
        raise job.fault
    if job.ended == SIGNAL and not job.walked:
        raise DoneInPart(
            f"{job.card.name}: ended by a signal; what was read is kept, the next crawl goes on"
        )
    if job.targets and not job.walked:
        job.keeper.tally.gaps.append(f"提前结束 (ended early): {job.ended or 'it did not begin'}")


def _card(settings: Settings, source: str) -> SourceCard:
    if source not in {target.source for target in settings.plan.watch.target}:
        watched = ", ".join(sorted({t.source for t in settings.plan.watch.target})) or "nothing"
        raise UsageError(
            f"{source!r} has no [[watch.target]] in keqing.toml; the plan watches {watched}"
        )
    card = settings.cards[source]
    host = urlsplit(card.base_url).hostname or ""
    if is_loopback(host):
        return card
    if is_private(host):
        raise BadConfig(f"source card {source}: {host} is an inner address; name a public site")
    if not settings.plan.operator.contact:
        raise BadConfig(
            f"keqing.toml: operator.contact is missing; {host} must be able to reach who crawls it"
        )
    return card


def _targets(
    settings: Settings, engine: Engine, card: SourceCard, now: datetime, only_due: bool
) -> list[Target]:
    mine = [target for target in settings.plan.watch.target if target.source == card.name]
    ratios = {t: _overdue(card, t, engine, now) for t in mine}
    wanted = [t for t in mine if ratios[t] >= 1 or not only_due]
    return sorted(wanted, key=lambda target: -ratios[target])


def _overdue(card: SourceCard, target: Target, engine: Engine, now: datetime) -> float:
    with read(engine) as tx:
        row = targets.target(tx, card.name, target.kind, target.key)
    return due_ratio(card, target, row, now)


def _recover(engine: Engine, landing: Landing, source: str) -> None:
    """Know what a killed run landed before it could remember it."""
    with read(engine) as tx:
        state = targets.state(tx, source)
    files = recover(engine, landing, source, state.landed_files if state else 0)
    if state is not None and files != state.landed_files:
        with begin(engine) as tx:
            targets.put_state(tx, replace(state, landed_files=files))


def _run_spider(settings: Settings, job: Job) -> None:
    from scrapy.crawler import AsyncCrawlerProcess

    from crawlers.spiders.base import SourceSpider

    process = AsyncCrawlerProcess(
        {
            "ADDONS": {Politeness: 0},
            "LOG_LEVEL": "WARNING",
            "KEQING_CARD": job.card,
            "KEQING_CONTACT": settings.plan.operator.contact,
        }
    )
    process.crawl(_spider(job.card, SourceSpider), job=job)
    process.start()


def _spider(card: SourceCard, base: type) -> type:
    from crawlers.spiders import discourse, feed, forum, review, weibo

    kinds = (
        discourse.DiscourseSpider,
        feed.FeedSpider,
        forum.ForumSpider,
        review.ReviewSpider,
        weibo.WeiboSpider,
    )
    return next(kind for kind in kinds if kind.name == card.spider and issubclass(kind, base))


def _put_state(
    engine: Engine,
    landing: Landing,
    card: SourceCard,
    report: CrawlReport,
    run_id: str,
    now: datetime,
) -> None:
    landed = len(landing.files(card.name))
    with begin(engine) as tx:
        old = targets.state(tx, card.name)
        row = next_state(card, old, report, run_id, now)
        targets.put_state(tx, replace(row, landed_files=landed))
