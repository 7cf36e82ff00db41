"""Happenings planted among real texts: what `python -m bench.events --planted` clusters.

In:  texts of ../shared/data/sentiment (dev) as daily talk of a fortnight, each with a brand of the
demo plan put before it; happenings.toml, sixteen happenings written by the project. A happening is
told in 8 to 40 posts over some hours: in six wordings with more or less beside them, copied, passed
on, answered. Out: posts with the happening that they are about. Another seed draws other daily
talk, other times, other words; half the happenings ("a") are for tuning, "b" only judges.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from bench.events_city import Labelled
from keqing.records import Author, Kind, Post

FILE = Path(__file__).parent / "happenings.toml"
START = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 14
TWIN_H = 30  # happenings of one brand begin within these hours of each other, two by two
FEWEST, MOST = 8, 40
MARKS = ("", "。", "！", "！！", "…", "[怒]", "😡", "[允悲]", "#热议#")
PASSED_ON = ("转发微博", "转", "看看", "啊这", "")


def planted(
    seed: int, talk: Sequence[str], names: dict[str, str], half: str = "ab"
) -> list[Labelled]:
    """Daily talk and happenings, oldest first.

    Args:
        talk: real texts that stand between the happenings.
        names: how each brand of the plan is written.
        half: which happenings, "a", "b" or both.
    """
    random = Random(seed)
    brands = sorted(names)
    said = [daily(random, n, text, names[random.choice(brands)]) for n, text in enumerate(talk)]
    book = tomllib.loads(FILE.read_text(encoding="utf-8"))
    for brand in brands:
        own = [one for one in book["happening"] if one["brand"] == brand and one["half"] in half]
        random.shuffle(own)
        for n, one in enumerate(own):
            if n % 2 == 0:
                began = START + timedelta(hours=random.uniform(0, 24 * DAYS - 96))
            at = began + timedelta(hours=random.uniform(0, TWIN_H))
            said += _told(random, one, names[brand], book["feel"], at)
    return sorted(said, key=lambda one: (one.at, one.post.id))


def daily(random: Random, n: int, text: str, name: str) -> Labelled:
    """A real text of some hour of the fortnight, with a brand's name before it."""
    at = START + timedelta(hours=random.uniform(0, 24 * DAYS))
    return Labelled(post(f"daily{n}", f"{name}，{text}", at), "")


def _told(
    random: Random, happening: dict[str, Any], name: str, feel: Sequence[str], began: datetime
) -> Iterator[Labelled]:
    """A rise and a long tail: hours after the first telling are exponential, 4 to 16 in the mean."""
    mean_h, own = random.uniform(4, 16), happening["id"]
    hours = sorted(random.expovariate(1 / mean_h) for _ in range(random.randint(FEWEST, MOST)))
    before: list[Post] = []
    for n, hour in enumerate(hours):
        at, id_ = began + timedelta(hours=min(hour, 60)), f"{own}{n}"
        way = random.random() if before else 1.0
        if way < 0.12:  # the same words by another author
            new = post(id_, random.choice(before).text or "", at)
        elif way < 0.27:
            new = repost(random, id_, random.choice(before), at)
        elif way < 0.37:  # an answer that says little
            words = f"{name}{random.choice(feel)}{random.choice(MARKS)}"
            new = post(id_, words, at, thread_id=random.choice(before).id)
        else:
            new = post(id_, _wording(random, happening, name, feel), at)
            before.append(new)
        yield Labelled(new, own)


def _wording(random: Random, happening: dict[str, Any], name: str, feel: Sequence[str]) -> str:
    """One of the tellings, with none to two things more, in any order; one in six starts from these."""
    more = random.sample(happening["more"], random.choice((0, 1, 1, 2)))
    if len(more) == 2 and random.random() < 0.5:
        parts = [f"{name}这事，{more[0]}", more[1]]
    else:
        parts = [random.choice(happening["what"]).format(b=name), *more]
        random.shuffle(parts)
    if random.random() < 0.5:
        parts.insert(random.choice((0, len(parts))), random.choice(feel))
    return random.choice(("，", "。", " ", "！")).join(parts) + random.choice(MARKS)


def repost(random: Random, id_: str, origin: Post, at: datetime) -> Post:
    """A post passed on by another author, with little or nothing added."""
    words = f"{random.choice(PASSED_ON)}//@小鱼干{random.randint(1, 99)}:{origin.text}"
    return post(id_, words, at, kind=Kind.REPOST, repost_of=origin.id)


def post(id_: str, text: str, at: datetime, **more: object) -> Post:
    """A post on Weibo by an author of its own, first in its thread unless `more` says otherwise."""
    own = f"weibo:{id_}"
    return Post.model_validate(
        {"id": own, "platform": "weibo", "source": "weibo", "text": text, "run_id": "bench",
         "author": Author(id=f"k1:{id_}"), "thread_id": own, "published_at": at,
         "first_seen_at": at, "collected_at": at} | more
    )  # fmt: skip
