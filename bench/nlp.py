"""How fast posts are understood, step by step: `python -m bench.nlp [--posts N] [--rounds R]`.

In:  texts of ../shared/data/sentiment (dev) where it is present, else of the demo city. Out: CPU time
of the whole `score` with the first stage and of its steps on the same posts, in µs a post and
posts/s of one core, the best of the rounds; SnowNLP on some of the posts where it is installed (it
is no dependency). Exit 1 under the bar of 2,000 posts/s.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TypeVar

from bench.stories import ROOT, first_stage, real_texts
from keqing.landing import Landing
from keqing.privacy import masked
from keqing.records import Author, Post
from keqing.settings import Settings
from keqing.workflow.db import begin, open_file
from nlp import run, stories
from nlp.said import Reading
from nlp.text import flat
from nlp.understand import Reader

T = TypeVar("T")
BAR = 2000
NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
SNOWNLP_POSTS = 300
WHOLE, REST = "score, whole", "records, events, JSON, gzip"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    texts, origin = real_texts()
    texts = Random(7).sample(texts, min(args.posts, len(texts)))
    print(
        f"{len(texts)} posts of {origin}, mean {sum(map(len, texts)) / len(texts):.0f} characters"
    )
    rounds = [_round(texts) for _ in range(args.rounds)]
    best = {step: min(one[step] for one in rounds) for step in rounds[0]}
    for step, seconds in best.items():
        if seconds:
            _print(step, seconds / len(texts))
    if importlib.util.find_spec("snownlp"):
        _print("SnowNLP, sentiment alone", _snownlp(texts[:SNOWNLP_POSTS]))
    return 0 if len(texts) / best[WHOLE] >= BAR else 1


def _print(step: str, seconds: float) -> None:
    print(f"  {step:<28} {seconds * 1e6:7.1f} µs  {1 / seconds:9,.0f} posts/s")


def _round(texts: Sequence[str]) -> dict[str, float]:
    """CPU seconds of each step."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
        settings = first_stage(root)
        _land(settings, texts)
        spent = _steps(settings)
        engine = open_file(settings.var / "keqing.db")
        spent[WHOLE] = _timed(lambda: run.score(settings, engine, NOW))[0]
        engine.dispose()
    steps = [spent[step] for step in spent if step[0] != " " and step != WHOLE]
    spent[REST] = max(0.0, spent[WHOLE] - sum(steps))
    return spent


def _land(settings: Settings, texts: Sequence[str]) -> None:
    with Landing(settings.var / "landing").writer("x", NOW, "bench") as writer:
        for at in range(0, len(texts), 1000):
            writer.append([_post(at + n, text) for n, text in enumerate(texts[at : at + 1000])])


def _steps(settings: Settings) -> dict[str, float]:
    landing, reader = Landing(settings.var / "landing"), Reader(settings)
    reader.read(["预热"], [""])
    spent: dict[str, float] = {}
    spent["read what landed"], landed = _timed(
        lambda: [post for file in landing.files() for post in landing.read(file)]
    )
    spent["mask"], posts = _timed(lambda: [masked(post) for post in landed])
    texts = [post.text or "" for post in posts]
    spent["understand"], readings = _timed(lambda: reader.read(texts, [""] * len(texts)))
    spent["  flat form"], plain = _timed(lambda: [flat(text) for text in texts])
    spent["  words"] = _timed(lambda: [reader.parts.segmenter.cut(text) for text in plain])[0]
    spent["  brands"] = _timed(
        lambda: [
            reader.parts.matcher.find("", t, ("", p)) for t, p in zip(texts, plain, strict=True)
        ]
    )[0]
    spent["  first stage"] = _timed(lambda: reader.parts.model.score(texts))[0]
    read = list(zip(posts, readings, strict=True))
    spent["stories"] = _timed(lambda: _folded(settings, read))[0]
    return spent


def _folded(settings: Settings, read: Sequence[tuple[Post, Reading]]) -> list[stories.Place]:
    engine = open_file(settings.var / "stories.db")
    found: list[stories.Place] = []
    for at in range(0, len(read), 5000):
        with begin(engine) as tx:
            found += stories.fold(tx, f"b{at}", read[at : at + 5000], NOW)
    engine.dispose()
    return found


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.process_time()
    answer = work()
    return time.process_time() - began, answer


def _snownlp(texts: Sequence[str]) -> float:
    from snownlp import SnowNLP

    return _timed(lambda: [SnowNLP(text).sentiments for text in texts])[0] / len(texts)


def _post(n: int, text: str) -> Post:
    return Post(
        id=f"x:{n}", platform="x", source="x", author=Author(id=f"k1:{n % 700}"), text=text,
        published_at=NOW, first_seen_at=NOW, collected_at=NOW, run_id="bench",
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
