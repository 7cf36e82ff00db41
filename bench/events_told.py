"""Happenings told post by post: what `python -m bench.events --told` clusters.

In:  told/told.toml, twenty-four happenings of six invented brands and the brands' daily talk, every
sentence written by the project; real texts of ../shared/data/sentiment with a brand's name before
them. A happening's posts come in another order and at other times with another seed; some are passed
on, copied or answered. Out: posts with the happening that they are about. Half "a" is for fitting.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from bench.events_city import Labelled
from bench.events_planted import DAYS, START, daily, post, repost
from keqing.records import Post
from keqing.settings import Brand

FILE = Path(__file__).parent / "told" / "told.toml"
TWIN_H = 30
ANSWERS = (
    "真的假的",
    "这也太过分了",
    "我也遇到过",
    "坐等后续",
    "呵呵",
    "哈哈哈哈",
    "支持",
    "说得好",
)


def brands() -> dict[str, Brand]:
    """The six brands, as a plan names them."""
    named = _book()["brands"].items()
    return {key: Brand(name=name, aliases=(name,)) for key, name in named}


def told(seed: int, talk: Sequence[str], half: str = "ab") -> list[Labelled]:
    """Daily talk and happenings, oldest first; arguments as in events_planted."""
    random, book = Random(seed), _book()
    names: dict[str, str] = book["brands"]
    keys = sorted(names)
    said = [daily(random, n, text, names[random.choice(keys)]) for n, text in enumerate(talk)]
    for own in book["talk"]:
        for n, text in enumerate(own["posts"]):
            at = START + timedelta(hours=random.uniform(0, 24 * DAYS))
            words = text.format(b=names[own["brand"]])
            said.append(Labelled(post(f"talk{own['brand']}{n}", words, at), ""))
    for brand in keys:
        mine = [one for one in book["happening"] if one["brand"] == brand]
        for part in half:
            began = START + timedelta(hours=random.uniform(0, 24 * DAYS - 96))
            for one in (one for one in mine if one["half"] == part):
                at = began + timedelta(hours=random.uniform(0, TWIN_H))
                said += _posts(random, one, names[brand], at)
    return sorted(said, key=lambda one: (one.at, one.post.id))


def _posts(
    random: Random, happening: dict[str, Any], name: str, began: datetime
) -> Iterator[Labelled]:
    """Each wording once, in any order, two in ten passed on or copied, one in ten answered."""
    mean_h, own = random.uniform(4, 16), happening["id"]
    wordings = [text.format(b=name) for text in happening["posts"]]
    random.shuffle(wordings)
    for n, words in enumerate(wordings):
        at = began + timedelta(hours=min(random.expovariate(1 / mean_h), 60))
        root = post(f"{own}{n}", words, at)
        yield Labelled(root, own)
        for more in after(random, f"{own}{n}", root, name, at):
            yield Labelled(more, own)


def after(random: Random, id_: str, root: Post, name: str, at: datetime) -> Iterator[Post]:
    """What follows a post: passed on, copied or answered with a few letters; mostly nothing."""
    later, way = at + timedelta(hours=random.expovariate(1 / 3)), random.random()
    if way < 0.12:
        yield repost(random, f"{id_}r", root, later)
    elif way < 0.2:
        yield post(f"{id_}c", root.text or "", later)
    elif way < 0.3:
        words = f"{name}，{random.choice(ANSWERS)}"
        yield post(f"{id_}a", words, later, thread_id=root.id)


def _book() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
