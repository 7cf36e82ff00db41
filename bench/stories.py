"""Near-duplicate folding on planted edits: `python -m bench.stories [--texts N] [--shuffled]`.

In:  texts of ../shared/data/sentiment (dev) where it is present, else of the demo city; every text
gets six copies (repost prefix, emoji, cut to 70 %, tag, traditional, 1-2 characters changed) and the
others that look alike (number flip, negation flip; reviews by templates). Out: pairwise precision,
recall and F1 over all posts, and per edit the share that was folded into its text's story.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from bench.edits import COPIES, OTHERS, template
from demo.world import build
from keqing.records import Author, Post
from keqing.settings import SecondStage, Settings, load_settings
from keqing.workflow.db import begin, open_file
from nlp.stories import fold
from nlp.text import fingerprint
from nlp.understand import Reader

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data" / "sentiment"
NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
SHORTEST = 20  # letters, so that 70 % of them can still be compared
LONGEST = 400
BATCH = 5000


@dataclass(frozen=True)
class Planted:
    """A text, which story it really is, and how it was made."""

    text: str
    truth: str
    edit: str


def main() -> int:
    """Print the table; 1 when F1 is under the bar of .95."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--shuffled", action="store_true", help="copies may come before their text")
    args = parser.parse_args()
    random = Random(20261121)
    texts, origin = _texts(random, args.texts)
    planted = list(_plant(random, texts))
    if args.shuffled:
        random.shuffle(planted)
    began = time.process_time()
    found = _folded(planted)
    seconds = time.process_time() - began
    print(
        f"{len(texts)} texts of {origin}, {len(planted)} posts, {seconds / len(planted) * 1e6:.0f} µs each"
    )
    precision, recall = pairwise(found, [post.truth for post in planted])
    f1 = 2 * precision * recall / (precision + recall)
    print(f"pairwise precision {precision:.4f} recall {recall:.4f} F1 {f1:.4f}")
    for edit, share in _shares(planted, found).items():
        print(f"  {edit:<16} {share:6.1%} in its text's story")
    return 0 if f1 >= 0.95 else 1


def first_stage(root: Path = ROOT) -> Settings:
    """The plan at `root` with the second stage switched off."""
    settings = load_settings(root, env={})
    nlp = settings.plan.nlp.model_copy(update={"second_stage": SecondStage(model="off")})
    plan = settings.plan.model_copy(update={"nlp": nlp})
    return settings.model_copy(update={"plan": plan})


def pairwise(found: Sequence[str], truth: Sequence[str]) -> tuple[float, float]:
    """Precision and recall over pairs of posts in one story."""
    both = _pairs(Counter(zip(found, truth, strict=True)).values())
    return both / max(1, _pairs(Counter(found).values())), both / max(
        1, _pairs(Counter(truth).values())
    )


def _pairs(sizes: Sequence[int] | object) -> int:
    return sum(n * (n - 1) // 2 for n in sizes)  # type: ignore[attr-defined]


def _texts(random: Random, count: int) -> tuple[list[str], str]:
    rows, origin = real_texts()
    rows = [text for text in rows if SHORTEST <= len(fingerprint(text)) <= LONGEST]
    return random.sample(rows, min(count, len(rows))), origin


def real_texts() -> tuple[list[str], str]:
    """Distinct texts and where they come from."""
    if not SHARED.exists():
        return list(dict.fromkeys(said.text for said in build(7, NOW).weibo)), "the demo city"
    rows: list[str] = []
    for path in sorted(SHARED.glob("*_dev.csv.gz")):
        if not path.name.startswith(("emo_", "bin_weibo_raw")):
            with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
                rows += [row["text"] for row in csv.DictReader(file) if row["text"].strip()]
    return list(dict.fromkeys(rows)), "open development data"


def _plant(random: Random, texts: Sequence[str]) -> Iterator[Planted]:
    for n, text in enumerate(texts):
        yield Planted(text, f"t{n}", "text")
        for edit, make in COPIES.items():
            if changed := make(random, text):
                yield Planted(changed, f"t{n}", edit)
        for edit, make in OTHERS.items():
            if changed := make(random, text):
                yield Planted(changed, f"t{n} {edit}", edit)
    for text in sorted({template(random) for _ in range(len(texts) // 2)}):
        yield Planted(text, f"template {fingerprint(text)}", "template")


def _folded(planted: Sequence[Planted]) -> list[str]:
    posts = [_post(n, p.text) for n, p in enumerate(planted)]
    reader = Reader(first_stage())
    found: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        engine = open_file(Path(folder) / "keqing.db")
        for at in range(0, len(posts), BATCH):
            part = posts[at : at + BATCH]
            readings = reader.read([p.text or "" for p in part], [""] * len(part))
            with begin(engine) as tx:
                places = fold(tx, f"b{at}", list(zip(part, readings, strict=True)), NOW)
            found += [place.story for place in places]
    return found


def _shares(planted: Sequence[Planted], found: Sequence[str]) -> dict[str, float]:
    """Per edit, how many stand in the story of the text that they were made from."""
    home = {p.truth: story for p, story in zip(planted, found, strict=True) if p.edit == "text"}
    told, inside = Counter[str](), Counter[str]()
    for post, story in zip(planted, found, strict=True):
        if post.edit not in ("text", "template"):
            told[post.edit] += 1
            inside[post.edit] += home[post.truth.split(" ")[0]] == story
    return {edit: inside[edit] / told[edit] for edit in told}


def _post(n: int, text: str) -> Post:
    at = NOW + timedelta(seconds=n)  # of one batch the earliest is taken first
    return Post(
        id=f"x:{n}", platform="x", source="x", author=Author(id=f"k1:{n}"), text=text,
        published_at=at, first_seen_at=at, collected_at=at, run_id="bench",
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
