"""What is counted in packed sheets is what a recount of the documents gives, whatever happened."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from index.sqlite import SqliteEngine
from index.sqlite_recount import differences
from keqing.records import Mention, Polarity
from tests.contracts.index.made import T0, mention


def drawn(n: int, seed: int) -> Mention:
    """A post that is uneven in everything; another seed is a newer snapshot of it."""
    draw = random.Random(seed)
    at = T0 - timedelta(days=draw.randrange(70), seconds=draw.randrange(3))
    return mention(
        n,
        " ".join(draw.choices(["差", "好", "客服", "退款", "c++"], k=draw.randint(1, 6))),
        title=draw.choice([None, "标题 差"]),
        at=None if seed % 7 == 0 else at,
        seen=at + timedelta(minutes=draw.randrange(300)),
        collected=T0 + timedelta(seconds=seed),
        backfill=seed % 7 == 0,
        brands=draw.choice([("tea",), ("tea", "inn"), ("inn", "inn"), ()]),
        source=f"s{draw.randrange(3)}",
        polarity=draw.choice(list(Polarity)),
        voice=draw.random() < 0.5,
        likes=draw.choice([None, 3, 9]),
        risk=draw.choice([None, 0.5]),
        severe=draw.choice([(), (0.9,)]),
    )


steps = st.one_of(
    st.tuples(
        st.just("put"), st.lists(st.tuples(st.integers(0, 150), st.integers(0, 99)), max_size=100)
    ),
    st.tuples(st.just("erase"), st.lists(st.integers(0, 150), max_size=40)),
    st.tuples(st.just("tidy"), st.integers(1, 3)),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(steps, max_size=6))
def test_sheets_equal_a_recount(story: list[tuple[str, Any]]) -> None:
    """After any upserts, doubled and stale ones too, erasures and retention."""
    with TemporaryDirectory() as folder:
        engine = SqliteEngine(Path(folder) / "e.db")
        for verb, what in story:
            if verb == "put":
                engine.upsert([drawn(n, seed) for n, seed in what], T0)
            elif verb == "erase":
                engine.erase_ids([f"weibo:{n}" for n in what])
            else:
                engine.tidy(T0, what)
            assert differences(engine) == []
        engine.close()
