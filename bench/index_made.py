"""Mentions for the index's bench, and what pages and alerts ask of them.

In:  how many, a seed. Out: Mentions in the order in which they would be collected; named questions.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from index.answers import IndexEngine, Window
from index.ast import And, Node, Not, Or, Phrase, Tag, Word
from keqing.records import Author, BrandHit, Engagement, Mention, Polarity, Post, Versions

END = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
DAYS, BRANDS, WORDS = 90, 200, 20_000
LATE = 0.02  # share of posts that are found days after they were written
VERSIONS = Versions(model="bench", dictionary="bench", plan="bench")

Ask = Callable[[IndexEngine], object]


def made(
    count: int, seed: int = 1, shuffled: bool = False, addressed: bool = False
) -> Iterator[Mention]:
    """Mentions of about 40 words over 90 days; words, brands and stories are unevenly common.

    They come as they are first seen, an hour at most after they were published, LATE of them up to
    30 days; `shuffled` ones come in no order at all, which no crawl does. `addressed` ones have an
    address each.
    """
    draw = random.Random(seed)
    vocabulary = [f"词{n:05d}" for n in range(WORDS)]
    weights = list(itertools.accumulate(1 / (n + 2) for n in range(WORDS)))
    brands = list(itertools.accumulate(1 / (n + 1) for n in range(BRANDS)))
    span_s = DAYS * 86_400
    for n in range(count):
        words = draw.choices(vocabulary, cum_weights=weights, k=draw.randint(15, 65))
        brand = f"brand{draw.choices(range(BRANDS), cum_weights=brands)[0]}"
        lag_s = draw.randint(60, 30 * 86_400 if draw.random() < LATE else 3600)
        at = span_s - (draw.randrange(span_s) if shuffled else span_s * n // count)
        seen = END - timedelta(seconds=at)
        polarity = draw.choices(list(Polarity), weights=[3, 4, 3])[0]
        post = Post(
            id=f"bench:{seed}:{n}", platform="bench", source=f"s{n % 7}", text="".join(words),
            author=Author(id=f"k:{draw.randrange(max(1, count // 5))}"),
            published_at=max(seen - timedelta(seconds=lag_s), END - timedelta(seconds=span_s)),
            first_seen_at=seen, collected_at=END, engagement=Engagement(likes=draw.randrange(50)),
            run_id="bench", url=address(seed, n) if addressed else None,
        )  # fmt: skip
        hit = BrandHit(brand=brand, entity=brand, alias=brand, start=0, end=1, where="own",
                       reason="accepted", polarity=polarity, p=0.9)  # fmt: skip
        yield Mention(
            post=post, brands=(hit,), polarity=polarity, p_negative=0.5, keywords=tuple(words[:8]),
            tokens=tuple(words), story=f"st{draw.randrange(max(1, count * 3 // 4))}",
            risk=draw.random() * 100, topics=(f"t{n % 12}",), versions=VERSIONS, scored_at=END,
        )  # fmt: skip


def address(seed: int, n: int) -> str:
    """Where an addressed post stands."""
    return f"https://bench.example/{seed}/{n}"


def questions() -> dict[str, Ask]:
    """What the pages and the alert tick ask."""
    month, week = (Window(END - timedelta(days=d), END) for d in (28, 7))
    quarter, hour = Window(END - timedelta(days=DAYS), END), Window(END - timedelta(hours=1), END)
    noon = Window(END - timedelta(days=7, hours=5, minutes=7), END - timedelta(minutes=3))
    top: Node = Tag("brand", "brand0")
    words: Node = And((top, Word("词00010"), Not(Word("词00003"))))
    some: Node = Or((Word("词00020"), Word("词00030"), Phrase(("词00001", "词00002"))))
    rarer: Node = Or((Word("词00150"), Word("词00160"), Phrase(("词00001", "词00002"))))
    phrase: Node = And((Phrase(("词00001", "词00002")), Tag("source", "s3")))
    return {
        "timeline, 7 days hourly": lambda e: e.counts(["brand0"], week, 3600),
        "timeline, 90 days daily": lambda e: e.counts(["brand0"], quarter, 86_400),
        "timeline of one source, no whole hours": lambda e: e.counts(["brand0"], noon, 3600, "s3"),
        "alert tick, 28 days of 5 min": lambda e: e.counts(["brand0"], month, 300),
        "alert tick, series of 1 h": lambda e: e.counts(["brand0"], hour, 300),
        "alert tick, documents of 1 h": lambda e: e.document_alarms(hour, 0.8),
        "share of sources, 7 days": lambda e: e.counts_by("source", top, week),
        "keywords, 1 day against 28": lambda e: e.keywords(
            top, Window(END - timedelta(days=1), END), month
        ),
        "count, 7 days": lambda e: e.count(top, week),
        "count and distinct voices, 90 days": lambda e: e.count(top, quarter),
        "brand AND word NOT word, newest": lambda e: e.search(words, month),
        "OR of three, by risk": lambda e: e.search(some, month, sort="risk"),
        "OR of three rarer, by risk": lambda e: e.search(rarer, month, sort="risk"),
        "phrase and source, newest": lambda e: e.search(phrase, month),
        "mentions page, folded": lambda e: e.search(top, week, fold=True),
        "most repeated, folded": lambda e: e.search(top, week, sort="similar", fold=True, size=5),
    }
