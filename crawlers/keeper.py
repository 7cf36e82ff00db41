"""Keeps what a crawl reads, in an order in which a kill loses nothing and repeats little.

In:  parsed pages. Out: Posts landed (fsynced), then their ids remembered; the tally of the run.
Each row is new, updated, duplicate, filtered or refused; none vanishes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crawlers.pages.page import Item, Page, Parsed
from crawlers.posts import Origin, post_id, post_of, text_hash
from keqing.errors import LandingError
from keqing.landing import Landing, SegmentWriter
from keqing.logs import get_logger
from keqing.records import Post
from keqing.settings import SourceCard
from keqing.workflow import crawl
from keqing.workflow.db import Engine, begin, read

MAX_BAD_SHARE = 0.2
# What every row of its kind of page has: many rows without it are another page, not other rows.
MISSING = ("missing_text", "missing_time", "missing_author")
MANY_MISSING = 3
# Reasons of Parsed.skipped that leave out a row; the others speak of a field or of the page.
ROWS_LEFT_OUT = ("ad_row", "app_entry", "no_id", "no_object", "system_post", "too_deep")
log = get_logger(__name__)


@dataclass
class Tally:
    """What a run counts."""

    fetched_pages: int = 0
    parsed: int = 0
    new: int = 0
    updated: int = 0
    duplicate: int = 0
    filtered: Counter[str] = field(default_factory=Counter)  # rows left out, by reason
    refused: Counter[str] = field(default_factory=Counter)
    blocked: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)  # what pages lacked besides rows
    speaking_targets: int = 0
    empty_targets: int = 0  # the source says that nothing is there
    silent: list[str] = field(default_factory=list)  # nothing where there were posts before
    unknown_fields: set[str] = field(default_factory=set)
    unreachable: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    wait_s: float | None = None
    newest_post_at: datetime | None = None


@dataclass(frozen=True)
class Sight:
    """An item and when its id was first seen before this page; None if never."""

    item: Item
    seen_at: datetime | None


class Keeper:
    """Lands what is new; one per run."""

    def __init__(
        self,
        engine: Engine,
        landing: Landing,
        writer: SegmentWriter,
        card: SourceCard,
        key: bytes,
        clock: Callable[[], datetime],
        run_id: str,
    ) -> None:
        self.engine, self.card, self.clock, self.tally = engine, card, clock, Tally()
        self._landing, self._writer, self._key, self._run_id = landing, writer, key, run_id

    def audit(self, page: Page, parsed: Parsed) -> str | None:
        """Count what a page left out; a sentence if too much of it was unreadable."""
        tally = self.tally
        left_out = {k: n for k, n in parsed.skipped.items() if k in ROWS_LEFT_OUT}
        tally.parsed += sum(left_out.values()) + len(parsed.bad)
        tally.filtered.update(left_out)
        tally.notes.update({k: n for k, n in parsed.skipped.items() if k not in left_out})
        tally.refused.update({"unreadable": len(parsed.bad)} if parsed.bad else {})
        tally.unknown_fields |= set(parsed.unknown_fields) - set(self.card.ignored_fields)
        rows = len(parsed.items) + len(parsed.bad)
        if len(parsed.bad) > MAX_BAD_SHARE * rows:
            return f"{page.url}: {len(parsed.bad)} of {rows} unreadable: {parsed.bad[0]}"
        name = max(MISSING, key=lambda reason: parsed.skipped.get(reason, 0))
        without = parsed.skipped.get(name, 0)
        if without >= MANY_MISSING and without > MAX_BAD_SHARE * rows:
            return f"{page.url}: {name} in {without} of {rows} rows"
        return None

    def sights(self, items: Sequence[Item]) -> list[Sight]:
        """When each item was first seen."""
        with read(self.engine) as tx:
            known = crawl.known(tx, [post_id(item, self.card.platform) for item in items])
        found = [known.get(post_id(item, self.card.platform)) for item in items]
        return [Sight(i, f[1] if f else None) for i, f in zip(items, found, strict=True)]

    def take(self, items: Sequence[Item], body: bytes, first_walk: bool) -> None:
        """Land what is new or changed, then remember it."""
        rows = {post_id(item, self.card.platform): item for item in items}
        with read(self.engine) as tx:
            known = crawl.known(tx, list(rows))
        fresh = {i: item for i, item in rows.items() if _is_fresh(item, known.get(i))}
        self.tally.parsed += len(items)
        self.tally.duplicate += len(items) - len(fresh)
        if not fresh:
            return
        evidence = self._landing.keep_raw(body) if self.card.keep_raw and body else None
        now = self.clock()
        origin = Origin(self.card, self._key, now, self._run_id, first_walk, evidence)
        seen = {i: known[i][1] if i in known else now for i in fresh}
        made = [(i, self._made(item, origin, seen[i])) for i, item in fresh.items()]
        posts = {i: post for i, post in made if post is not None}
        self._writer.append(list(posts.values()))
        updated = sum(i in known for i in posts)
        self.tally.updated += updated
        self.tally.new += len(posts) - updated
        self._remember(list(posts.values()), [text_hash(fresh[i]) for i in posts])

    def _made(self, item: Item, origin: Origin, first_seen_at: datetime) -> Post | None:
        """The item's Post; one that no Post can hold costs itself and no other row."""
        try:
            return post_of(item, origin, first_seen_at)
        except ValueError as error:
            self.tally.refused["invalid_post"] += 1
            log.warning("row refused", source=self.card.name, error=type(error).__name__)
            return None

    def _remember(self, posts: Sequence[Post], hashes: Sequence[str]) -> None:
        times = [p.published_at for p in posts if p.published_at]
        newest = max([*times, *filter(None, [self.tally.newest_post_at])], default=None)
        self.tally.newest_post_at = newest
        rows = [(p.id, h, p.first_seen_at) for p, h in zip(posts, hashes, strict=True)]
        with begin(self.engine) as tx:
            crawl.remember(tx, rows)


def recover(engine: Engine, landing: Landing, source: str, done_files: int) -> int:
    """Remember posts that landed in a run that was killed before it could; gives the file count.

    A lost `crawl_seen` table is rebuilt by this from the first file on (done_files = 0).
    """
    files = landing.files(source)
    for file in files[done_files:]:
        try:
            posts = list(landing.read(file))
        except LandingError as error:  # `verify` tells it; its posts are collected again
            log.warning("landed file damaged", source=source, reason=str(error))
            continue
        with begin(engine) as tx:
            known = crawl.known(tx, [post.id for post in posts])
            crawl.remember(
                tx, [(p.id, _landed_hash(p), p.first_seen_at) for p in posts if p.id not in known]
            )
    return len(files)


def _landed_hash(post: Post) -> str:
    seen = post.engagement
    return text_hash(
        Item(
            post.id,
            text=post.text,
            title=post.title,
            likes=seen.likes,
            comments=seen.comments,
            reposts=seen.reposts,
        )
    )


def _is_fresh(item: Item, known: tuple[str, datetime] | None) -> bool:
    """A cut text never replaces the whole one that we have."""
    if known is None:
        return True
    return not item.truncated and not item.embedded and known[0] != text_hash(item)
