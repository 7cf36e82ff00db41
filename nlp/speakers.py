"""Posts of a batch → their Speakers: role, influence, suspected coordination, region.

In:  posts with what they say and their stories, a transaction. Out: one Verdict a post, and the rows
that the next batch is folded against. Every post of a batch sees the whole batch, so their order in
it changes nothing; call it once a batch, in the order of the batch log, and a replay says the same.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from keqing.records import Mention, Post, Precision, Sign, Speaker
from keqing.settings import Brand
from keqing.workflow import authors as kept
from keqing.workflow.authors import Author, Company, Mark, Seen, Telling
from keqing.workflow.db import Tx
from nlp import authors, coordination
from nlp.authors import Role
from nlp.coordination import DAY_S, MINUTE_S, NEAREST
from nlp.influence import influence
from nlp.region import Regions, plain_parts
from nlp.said import Reading
from nlp.stories import Place

LAST = 40  # posts of an author that are remembered; the echo reads the newest 20
EXACT = frozenset({Precision.SECOND, Precision.MINUTE})
TELLINGS_DAYS, MARKS_DAYS, AUTHORS_DAYS = 7, 30, 730
GROWN_DAYS = 7  # watching for less, everybody is new
LOTTERY = re.compile(
    r"抽奖|转发抽|[抽揪]\s?[\d一二两三四五六七八九十百]{1,4}\s?[位名个人份]|抽[取送]|福袋|开奖|中奖|求中|抽我|转评赞|锦鲤"
)
SPREAD = {"original": "own", "copy": "copy", "repost": "linked"}


@dataclass(frozen=True)
class Verdict:
    """What goes into one Mention."""

    role: Role
    influence: float
    coordinated: bool
    speaker: Speaker


@dataclass(frozen=True)
class Heard:
    """One post of the batch, read."""

    post: Post
    parts: tuple[str, str]  # title and own words, flat
    words: authors.Said
    seen: Seen


def fold(
    tx: Tx, brands: Mapping[str, Brand],
    read: Sequence[tuple[Post, Reading]], places: Sequence[Place], now: datetime,
) -> list[Verdict]:  # fmt: skip
    """Verdicts of the posts of one batch, in their order.

    Raises:
        BadConfig: a store of the plan lies in no place of the register.
    """
    regions = Regions(brands)
    _forget(tx, now)
    called = _called(tx, [post for post, _ in read])
    heard = [
        _heard(post, said, place, brands, post.id in called)
        for (post, said), place in zip(read, places, strict=True)
    ]
    known = _remembered(tx, heard)
    company, marks = _groups(tx, heard, known)
    names = _names(heard)
    found = {
        name: coordination.signs(one.posts, company[name], marks[name], names.get(name))
        for name, one in known.items()
    }
    return [
        _verdict(one, said, brands, regions, known, found)
        for one, (_, said) in zip(heard, read, strict=True)
    ]


def told(mention: Mention, verdict: Verdict) -> Mention:
    """The Mention with its Speaker; the post's region becomes the better known one.

    Risk is a key for sorting, never for alarms: influence adds up to 20.
    """
    risk = None if mention.risk is None else round(mention.risk + 0.2 * verdict.influence, 4)
    changed: dict[str, object] = {
        "author_role": verdict.role.value, "influence": verdict.influence,
        "coordinated": verdict.coordinated, "speaker": verdict.speaker, "risk": risk,
    }  # fmt: skip
    region = verdict.speaker.region
    if region is not None and region != mention.post.region:
        changed["post"] = mention.post.model_copy(update={"region": region})
    return mention.model_copy(update=changed)


def _forget(tx: Tx, now: datetime) -> None:
    days = TELLINGS_DAYS, MARKS_DAYS, AUTHORS_DAYS
    kept.forget(tx, *(int((now - timedelta(days=count)).timestamp()) for count in days))


def _names(heard: Sequence[Heard]) -> dict[str, str]:
    authors_ = (one.post.author for one in heard)
    return {author.id: author.name for author in authors_ if author.id and author.name}


def _called(tx: Tx, posts: Sequence[Post]) -> set[str]:
    """Posts that a lottery asks for, and those that ask."""
    asking = {post.id: _at_s(post) for post in posts if LOTTERY.search(post.text or "")}
    above = {post.id: {post.parent_id, post.thread_id, post.repost_of} - {None} for post in posts}
    looked_up = {*asking, *(id_ for ids in above.values() for id_ in ids if id_)}
    known = kept.calls(tx, looked_up)
    kept.add_calls(tx, {id_: at for id_, at in asking.items() if id_ not in known})
    calls = known | set(asking)
    return {post.id for post in posts if post.id in calls or above[post.id] & calls}


def _heard(
    post: Post, said: Reading, place: Place, brands: Mapping[str, Brand], called: bool
) -> Heard:
    parts = plain_parts(post)
    about_us = any(brands[hit.brand].ours for hit in said.matches.hits if hit.brand in brands)
    words = authors.said(f"{parts[0]}\n{parts[1]}", about_us)
    how = ("called" if called else SPREAD[place.role]) if about_us else ""
    exact = post.published_at is not None and post.published_precision in EXACT
    seen = Seen(post.id, _at_s(post), exact, _interactions(post), how, place.story, words.lived)
    return Heard(post, parts, words, seen)


def _at_s(post: Post) -> int:
    return int((post.published_at or post.first_seen_at).timestamp())


def _interactions(post: Post) -> int | None:
    counters = post.engagement.likes, post.engagement.comments, post.engagement.reposts
    known = [count for count in counters if count is not None]
    return sum(known) if known else None


def _remembered(tx: Tx, heard: Sequence[Heard]) -> dict[str, Author]:
    """Authors of the batch with all that is known of them now."""
    new: dict[str, dict[str, Seen]] = defaultdict(dict)
    for one in sorted(heard, key=lambda h: (h.post.collected_at, h.post.id)):
        if one.post.author.id:
            new[one.post.author.id][one.seen.post] = one.seen
    known = kept.authors(tx, new)
    merged = {name: _merged(name, known.get(name), seen) for name, seen in sorted(new.items())}
    kept.save_authors(tx, [one for name, one in merged.items() if one != known.get(name)])
    return merged


def _merged(name: str, known: Author | None, new: Mapping[str, Seen]) -> Author:
    posts = {seen.post: seen for seen in known.posts} if known else {}
    posts |= new
    last = sorted(posts.values(), key=lambda seen: (seen.at_s, seen.post))
    first = min(last[0].at_s, known.first_at_s if known else last[0].at_s)
    return Author(name, first, tuple(last[-LAST:]))


def _groups(
    tx: Tx, heard: Sequence[Heard], known: Mapping[str, Author]
) -> tuple[dict[str, list[Company]], dict[str, set[str]]]:
    """Company and marks of the batch's authors, after this batch's tellings."""
    told = _tellings(heard, known)
    stories = _stories(tx, told)
    kept.save_tellings(tx, told)
    company = _company(tx, set(known), stories)
    return company, _marks(tx, set(known), stories)


def _tellings(heard: Sequence[Heard], known: Mapping[str, Author]) -> list[Telling]:
    """Posts on us by known authors, one a post, without what a lottery asked for."""
    found: dict[str, Telling] = {}
    for one in heard:
        name, seen = one.post.author.id, one.seen
        if name and seen.how not in ("", "called"):
            new = seen.at_s - known[name].first_at_s < DAY_S
            linked = seen.how == "linked"
            found[seen.post] = Telling(
                seen.post, seen.story, name, seen.at_s, linked, seen.exact, new
            )
    return sorted(found.values(), key=lambda t: (t.at_s, t.post_id))


def _stories(tx: Tx, told: Sequence[Telling]) -> dict[str, list[Telling]]:
    """All tellings of the batch's stories within a day of the batch."""
    if not told:
        return {}
    since, until = told[0].at_s - DAY_S, told[-1].at_s + MINUTE_S
    found = {t.post_id: t for t in kept.tellings(tx, {t.story for t in told}, since, until)}
    found |= {one.post_id: one for one in told}
    stories: dict[str, list[Telling]] = defaultdict(list)
    for one in found.values():
        stories[one.story].append(one)
    return stories


def _company(
    tx: Tx, batch: set[str], stories: Mapping[str, Sequence[Telling]]
) -> dict[str, list[Company]]:
    fresh = _companions(stories)
    rows = kept.company(tx, batch | {author for author, _ in fresh})
    merged = {(row.author, row.story): row for row in rows}
    for key, row in fresh.items():
        merged[key] = _joined(merged[key], row) if key in merged else row
    touched = {author for author, _ in fresh}
    kept.save_company(tx, [row for row in merged.values() if row.author in touched])
    of: dict[str, list[Company]] = defaultdict(list)
    for row in merged.values():
        of[row.author].append(row)
    return of


def _companions(stories: Mapping[str, Sequence[Telling]]) -> dict[tuple[str, str], Company]:
    found: dict[tuple[str, str], Company] = {}
    for story in sorted(stories):
        for linked in (True, False):
            alike = [one for one in stories[story] if one.linked is linked]
            for row in coordination.companions(alike):
                key = row.author, row.story
                found[key] = _joined(found[key], row) if key in found else row
    return found


def _joined(one: Company, two: Company) -> Company:
    others = tuple(sorted({*one.others, *two.others})[:NEAREST])
    return replace(
        one, linked=one.linked and two.linked, at_s=max(one.at_s, two.at_s), others=others
    )


def _marks(
    tx: Tx, batch: set[str], stories: Mapping[str, Sequence[Telling]]
) -> dict[str, set[str]]:
    since = kept.watching_since_s(tx)
    grown_at = None if since is None else since + GROWN_DAYS * DAY_S
    fresh: dict[Mark, int] = {}
    for story in sorted(stories):
        for day in _days(stories[story]):
            grown = grown_at is not None and day[0].at_s >= grown_at
            for author, code in coordination.story_marks(day, grown):
                fresh.setdefault((author, code), day[-1].at_s)
    known = kept.marks(tx, batch | {author for author, _ in fresh})
    kept.add_marks(tx, {mark: at for mark, at in fresh.items() if mark not in known})
    of: dict[str, set[str]] = defaultdict(set)
    for author, mark in known | set(fresh):
        of[author].add(mark)
    return of


def _days(told: Sequence[Telling]) -> Iterator[list[Telling]]:
    """Stretches of at most a day, one after the other."""
    day: list[Telling] = []
    for one in sorted(told, key=lambda t: (t.at_s, t.post_id)):
        if day and one.at_s - day[0].at_s >= DAY_S:
            yield day
            day = []
        day.append(one)
    if day:
        yield day


def _verdict(
    one: Heard, said: Reading, brands: Mapping[str, Brand], regions: Regions,
    known: Mapping[str, Author], found: Mapping[str, tuple[Sign, ...]],
) -> Verdict:  # fmt: skip
    """What is said of one post's author; of an anonymous one what this post tells."""
    name = one.post.author.id
    posts = known[name].posts if name else (one.seen,)
    signs = found[name] if name else ()
    score = coordination.score(signs)
    suspected = score >= coordination.FLAG and not authors.organisation(one.post)
    before = any(seen.lived for seen in posts if seen.post != one.post.id)
    judged = authors.role(one.post, one.words, brands, lived_before=before, suspected=suspected)
    counts = [seen.interactions for seen in posts]
    weight = influence(one.post.author.followers, counts, judged.role)
    whence = regions.of(one.post, said, one.parts)
    speaker = Speaker(
        role_confidence=judged.confidence, role_reasons=judged.reasons,
        influence=weight.parts, unknown=weight.unknown, coordination=score, signs=signs,
        region=whence.region, place=whence.place, region_code=whence.code,
        region_basis=whence.basis,
    )  # fmt: skip
    return Verdict(judged.role, weight.value, suspected, speaker)
