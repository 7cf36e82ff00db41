"""Fill an installation with the demo city's past: for screenshots and for tests of the pages.

In:  a folder with keqing.toml, `now`. Out: posts landed, scored, loaded and checked, and a crawl
ledger in which the shop was blind for a while. Nothing is fetched; all texts are invented.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from alerts.run import check, notify
from demo.world import MEDIA, OFFICIAL, Said, build, name_of
from index.engine import open_index
from index.run import load
from keqing.landing import Landing
from keqing.records import Author, Engagement, Kind, Post, Precision
from keqing.settings import Settings
from keqing.workflow import runs
from keqing.workflow.db import Engine, Tx, begin
from nlp.run import score

CRISIS = timedelta(hours=3)
SEEN_AFTER = timedelta(minutes=4)
BLIND = ("demo-shop", timedelta(hours=9), timedelta(hours=7))  # silent between these ages
SOURCES = ("demo-weibo", "demo-forum", "demo-shop", "demo-news")


def fill(
    settings: Settings, engine: Engine, now: datetime, days: int = 14, blind_now: bool = False
) -> None:
    """Bring the last `days` of the city into the index and open what must be opened.

    Args:
        blind_now: the shop's last crawls saw nothing, so the pages must say so.
    """
    posts = [
        p for p in _posts(now) if p.published_at and p.published_at > now - timedelta(days=days)
    ]
    for source in SOURCES:
        mine = [p for p in posts if p.source == source]
        with Landing(settings.var / "landing").writer(source, now, "fill") as writer:
            writer.append(mine)
    crawls(engine, now, blind_now)
    for name, stage in (("score", score), ("load", load)):
        with begin(engine) as tx:
            run_id = runs.start(tx, name, None, now - timedelta(minutes=3))
        stage(settings, engine, now)
        with begin(engine) as tx:
            runs.finish(tx, run_id, "ok", {"posts": len(posts)}, now - timedelta(minutes=2))
    opened = check(settings, engine, open_index(settings), now)
    sent = notify(settings, engine, now)
    counts = {
        "check": {"brands": opened.brands, "queued": opened.queued},
        "notify": {"sent": sent.sent},
    }
    with begin(engine) as tx:
        for name, found in counts.items():
            runs.finish(tx, runs.start(tx, name, None, now), "ok", found, now)


def crawls(engine: Engine, now: datetime, blind_now: bool = False) -> None:
    """Half-hourly crawls of two days; the shop saw nothing for two hours of the last night."""
    random = Random(5)
    with begin(engine) as tx:
        for half_hours in range(96, -1, -1):
            at = now - timedelta(minutes=30 * half_hours + 2)
            for source in SOURCES:
                _crawl(tx, source, at, now, random, blind_now)


def _crawl(
    tx: Tx, source: str, at: datetime, now: datetime, random: Random, blind_now: bool
) -> None:
    name, since, until = BLIND
    age = now - at
    blind = source == name and (until < age < since or (blind_now and age < timedelta(hours=1)))
    outcome = "BLOCKED_LOGIN" if blind else "FRESH" if random.random() < 0.8 else "ALL_DUPLICATE"
    new = random.randrange(1, 9) if outcome == "FRESH" else 0
    counts = {"fetched": 0 if blind else 3, "new": new, "duplicate": 0 if blind else 20 - new}
    run_id = runs.start(tx, "crawl", source, at, "fill")
    runs.finish(tx, run_id, outcome, counts, at + timedelta(seconds=20))


def _posts(now: datetime) -> Iterator[Post]:
    world = build(7, now - CRISIS)
    for said in world.weibo:
        yield from _with_comments(said, "demo-weibo", "weibo", Kind.POST, now)
    for said in world.threads:
        yield from _with_comments(said, "demo-forum", "discuz:qingyu", Kind.POST, now)
    for said in world.reviews:
        yield from _with_comments(said, "demo-shop", "shop:mujin", Kind.REVIEW, now)
    for said in world.articles:
        yield from _with_comments(said, "demo-news", "feed:qingyu", Kind.ARTICLE, now)


def _with_comments(
    said: Said, source: str, platform: str, kind: Kind, now: datetime
) -> Iterator[Post]:
    if said.at + SEEN_AFTER > now:
        return
    yield _post(said, source, platform, kind)
    for reply in said.comments:
        if reply.at + SEEN_AFTER <= now:
            yield _post(reply, source, platform, Kind.COMMENT)


def _post(said: Said, source: str, platform: str, kind: Kind) -> Post:
    known = said.author in (MEDIA, OFFICIAL)
    path = "comment/" if kind is Kind.COMMENT else ""
    author = Author(
        id=f"k1:{said.author * 2654435761 % 2**32:08x}{said.author:04x}",
        name=name_of(said.author) if known else None,
        followers=200_000 if known else said.author % 900,
        verified=known,
    )
    return Post(
        id=f"{platform}:{path}{said.id}",
        platform=platform,
        source=source,
        kind=kind,
        url=f"http://{source}.example.com/{path}{said.id}",
        author=author,
        text=said.text,
        title=said.title or None,
        rating=float(said.rating) if said.rating else None,
        engagement=Engagement(likes=said.likes, comments=len(said.comments), reposts=said.reposts),
        published_at=said.at,
        published_precision=Precision.SECOND,
        first_seen_at=said.at + SEEN_AFTER,
        collected_at=said.at + SEEN_AFTER,
        run_id="fill",
    )
