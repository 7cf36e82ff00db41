"""Where a story was seen, and by whom first: one row a brand, story and platform.

In:  a transaction; call it inside the one that records the batch, so that a kill undoes both.
Out: the way of an event over platforms, first post first. Rows hang on stories, not on events: an
event that is merged or split takes its stories' rows along. Times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Integer, String, Table, delete, select, update

from keqing.workflow.db import METADATA, Tx
from keqing.workflow.event_tables import MEMBERS
from keqing.workflow.many import among, parts

SIGHTINGS = Table(
    "nlp_story_platforms",
    METADATA,
    Column("brand", String(128), primary_key=True),
    Column("story", String(512), primary_key=True),
    Column("platform", String(64), primary_key=True),
    Column("first_at_s", BigInteger, nullable=False),
    Column("first_post", String(512), nullable=True, index=True),  # None: it was erased
    Column("posts", Integer, nullable=False),
)
Place = tuple[str, str, str]  # brand, story, platform


@dataclass(frozen=True)
class Sighting:
    """A post of a story about a brand."""

    brand: str
    story: str
    platform: str
    at_s: int
    post_id: str

    @property
    def place(self) -> Place:
        """What is counted together."""
        return self.brand, self.story, self.platform


@dataclass(frozen=True)
class Reached:
    """One platform that an event reached: when, by which post (None: erased), posts since."""

    platform: str
    first_at_s: int
    first_post: str | None
    posts: int


def add(tx: Tx, sightings: Sequence[Sighting]) -> None:
    """Count the posts of one batch; a post that was said earlier becomes the first."""
    new: dict[Place, Reached] = {}
    for one in sorted(sightings, key=lambda one: (one.at_s, one.post_id)):
        had = new.get(one.place)
        new[one.place] = Reached(
            one.platform, *((had.first_at_s, had.first_post) if had else (one.at_s, one.post_id)),
            (had.posts if had else 0) + 1,
        )  # fmt: skip
    known = _known(tx, {story for _, story, _ in new})
    changed = [place for place in new if place in known]
    for part in parts(changed):
        keys = (SIGHTINGS.c.brand, SIGHTINGS.c.story, SIGHTINGS.c.platform)
        tx.execute(delete(SIGHTINGS).where(among(tx, keys, part)))
    rows = [(place, _earlier(known.get(place), reached)) for place, reached in new.items()]
    if rows:
        tx.execute(
            SIGHTINGS.insert(),
            [{"brand": b, "story": s, **vars(reached)} for (b, s, _), reached in rows],
        )


def of_events(tx: Tx, events: Collection[str]) -> dict[str, list[Reached]]:
    """The platforms that each event reached, first reached first."""
    joined = SIGHTINGS.join(
        MEMBERS,
        (MEMBERS.c.brand == SIGHTINGS.c.brand) & (MEMBERS.c.story == SIGHTINGS.c.story),
    )
    found: dict[tuple[str, str], Reached] = {}
    for part in parts(sorted(events)):
        query = select(MEMBERS.c.event, SIGHTINGS).select_from(joined)
        query = query.where(among(tx, MEMBERS.c.event, part))
        # SQLite and PostgreSQL put NULL at different ends
        order = SIGHTINGS.c.first_at_s, SIGHTINGS.c.first_post.asc().nulls_first()
        for row in tx.execute(query.order_by(*order)):
            key = row.event, row.platform
            new = Reached(row.platform, row.first_at_s, row.first_post, row.posts)
            found[key] = _earlier(found.get(key), new)
    ways: dict[str, list[Reached]] = {}
    for (event, _), reached in sorted(found.items(), key=lambda one: one[1].first_at_s):
        ways.setdefault(event, []).append(reached)
    return ways


def forget_posts(tx: Tx, post_ids: Collection[str]) -> int:
    """Take the ids of erased posts out; that the platform was reached, and when, stays."""
    gone = 0
    for part in parts(sorted(post_ids)):
        erased = among(tx, SIGHTINGS.c.first_post, part)
        gone += tx.execute(update(SIGHTINGS).where(erased).values(first_post=None)).rowcount
    return gone


def _earlier(one: Reached | None, other: Reached) -> Reached:
    """Both counted; the earlier one is first."""
    if one is None:
        return other
    first = min(one, other, key=lambda reached: (reached.first_at_s, reached.first_post or ""))
    return Reached(one.platform, first.first_at_s, first.first_post, one.posts + other.posts)


def _known(tx: Tx, stories: Collection[str]) -> dict[Place, Reached]:
    found: dict[Place, Reached] = {}
    for part in parts(sorted(stories)):
        for row in tx.execute(select(SIGHTINGS).where(among(tx, SIGHTINGS.c.story, part))):
            place = row.brand, row.story, row.platform
            found[place] = Reached(row.platform, row.first_at_s, row.first_post, row.posts)
    return found
