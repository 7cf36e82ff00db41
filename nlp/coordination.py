"""Suspected coordination (疑似水军) of one author: signs with points, a flag, never a deletion.

In:  an author's last posts on us, with whom the same was told within a minute, marks. Out: Signs and
their sum. One sign alone never flags: an angry customer repeats himself, fans repost together, a
lottery asks for the same sentence; what was asked for by a lottery does not count at all.
Source of the co-telling sign: Pacheco et al. 2021, ICWSM 15, 455-466 (co-sharing networks).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import combinations, pairwise
from statistics import median

from keqing.records import Sign
from keqing.workflow.authors import Company, Seen, Telling

FLAG = 60.0  # points from which an author is suspected
MINUTE_S = 60
DAY_S = 86_400
FEWEST_COPIES, SHARE_OF_COPIES = 3, 0.6
TOGETHER = 3  # accounts, this one among them, in so many stories
RING = 3  # accounts that each tell one story so many times within a day
CROWD = 60  # reposters in one minute that are a wave, not a group
NEAREST = 30  # others that are remembered a story
GAPS, SPREAD = 5, 0.10  # so many gaps with a deviation of at most this share of their median
LONGEST_GAP_S = 7200  # who posts daily at nine is a person with habits
BURST, BURST_SHARE = 5, 0.8  # tellers of one story in a day, share of them that is new
DEFAULT_NAME = re.compile(r"(?:手机)?用户[\-_]?\d{5,}|(?:user|id)[\-_]?\d{6,}", re.IGNORECASE)


class Code(StrEnum):
    """Why; the points stand in POINTS."""

    COPIES = "copies"  # most of the author's posts on us are others' words
    TOLD_TOGETHER = "told_together"  # the same accounts within a minute, over several stories
    REPOSTED_TOGETHER = "reposted_together"  # as above, with a link to what is repeated
    RING = "ring"  # several accounts say one thing again and again
    REGULAR_GAPS = "regular_gaps"
    NEWCOMERS = "newcomers"  # came with a story that nearly only newcomers tell
    DEFAULT_NAME = "default_name"


POINTS = {
    Code.COPIES: 40.0,
    Code.TOLD_TOGETHER: 40.0,
    Code.REPOSTED_TOGETHER: 20.0,
    Code.RING: 30.0,
    Code.REGULAR_GAPS: 20.0,
    Code.NEWCOMERS: 20.0,
    Code.DEFAULT_NAME: 10.0,
}


def signs(
    posts: Sequence[Seen], company: Iterable[Company], marks: Collection[str], name: str | None
) -> tuple[Sign, ...]:
    """Signs of one author, in the order of Code.

    Args:
        posts: last posts, oldest first.
        company: whom the author told stories with, within a minute.
        marks: codes found on whole stories (ring, newcomers).
        name: public name where it is known (checked organisations alone), else None.
    """
    rows = list(company)
    found = {
        Code.COPIES: _copies(posts),
        Code.TOLD_TOGETHER: together(row for row in rows if not row.linked),
        Code.REPOSTED_TOGETHER: together(row for row in rows if row.linked),
        Code.RING: Code.RING in marks,
        Code.REGULAR_GAPS: regular(posts),
        Code.NEWCOMERS: Code.NEWCOMERS in marks,
        Code.DEFAULT_NAME: bool(name and DEFAULT_NAME.fullmatch(name)),
    }
    return tuple(Sign(code=code, points=POINTS[code]) for code, holds in found.items() if holds)


def score(found: Sequence[Sign]) -> float:
    """Sum of the points, at most 100."""
    return min(100.0, sum(sign.points for sign in found))


def _copies(posts: Sequence[Seen]) -> bool:
    on_us = [seen.how for seen in posts if seen.how in ("own", "copy", "linked")]
    copies = on_us.count("copy")
    return copies >= FEWEST_COPIES and copies >= SHARE_OF_COPIES * len(on_us)


def together(company: Iterable[Company]) -> bool:
    """Whether two others stood beside the author in the same three stories."""
    stories: dict[str, set[str]] = {}
    for row in company:
        for other in row.others:
            stories.setdefault(other, set()).add(row.story)
    often = sorted(o for o, where in stories.items() if len(where) >= TOGETHER)
    return any(
        len(stories[one] & stories[two]) >= TOGETHER
        for one, two in combinations(often[:NEAREST], 2)
    )


def regular(posts: Sequence[Seen]) -> bool:
    """Whether posts on us come like a clock's: gaps of less than two hours that hardly differ."""
    moments = [seen.at_s for seen in posts if seen.how not in ("", "called") and seen.exact]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    if len(gaps) < GAPS:
        return False
    middle = median(gaps)
    spread = median(abs(gap - middle) for gap in gaps)
    return 2 * MINUTE_S <= middle <= LONGEST_GAP_S and spread <= SPREAD * middle


def companions(told: Sequence[Telling]) -> Iterator[Company]:
    """Who told one story within a minute of whom, of tellings with exact times."""
    exact = sorted((t for t in told if t.exact), key=lambda t: (t.at_s, t.post_id))
    first = 0
    for n, mine in enumerate(exact):
        while exact[first].at_s < mine.at_s - MINUTE_S:
            first += 1
        last = n
        while last + 1 < len(exact) and exact[last + 1].at_s <= mine.at_s + MINUTE_S:
            last += 1
        others = {one.author for one in exact[first : last + 1]} - {mine.author}
        wave = mine.linked and len(others) > CROWD
        if len(others) >= TOGETHER - 1 and not wave:
            near = sorted(others)[:NEAREST]
            yield Company(mine.author, mine.story, mine.linked, mine.at_s, tuple(near))


def story_marks(told: Sequence[Telling], grown: bool) -> Iterator[tuple[str, Code]]:
    """Authors of one story and a day with what the whole story says of them.

    Args:
        told: all tellings of the story within a day.
        grown: we have watched for long enough to know who is new.
    """
    unlinked = Counter(one.author for one in told if not one.linked)
    ring = [author for author, count in unlinked.items() if count >= RING]
    if len(ring) >= TOGETHER:
        yield from ((author, Code.RING) for author in sorted(ring))
    everyone = {one.author for one in told}
    new = {one.author for one in told if one.new}
    if grown and len(everyone) >= BURST and len(new) >= BURST_SHARE * len(everyone):
        yield from ((author, Code.NEWCOMERS) for author in sorted(new))
