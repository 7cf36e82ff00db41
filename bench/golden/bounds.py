"""Posts that the bounds of nlp/weighed.py are chosen by: `python -m bench.golden.bounds`.

In:  bench/golden/unseen, writers who taught no weights. Out: how each field of their posts is read, by lists and
with the heads, at which cost; of the dangers that no word names, how many are asserted from each probability on; of those
that a word names, how many below each. A label that may be given counts as asserted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from bench.golden.judge import Judged, Score, judge_posts
from bench.golden.rows import UNSEEN, Post, named, settings, written
from nlp.evidence import Evidence
from nlp.heads import Leaning
from nlp.understand import Reader

FIELDS = (
    "intent", "primary intent", "emotion", "aspects", "  its clause", "  its polarity", "towards",
    "severity of posts", "dangers at all",
)  # fmt: skip
SHOWN = 0.5  # confidence of a list's danger that a page shows
FROM = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
BELOW = (0.01, 0.02, 0.03, 0.05, 0.1)
Found = tuple[bool, float, bool]  # whether a word names it, its probability, whether it is asserted


def main() -> int:
    """Print the fields, then both tables of dangers."""
    held = [post for writer in UNSEEN for post in written(writer)]
    own = settings(more=named(held))
    reader = Reader(own)
    _fields(held, Reader(own, weigh=False), reader)
    found = list(_all_dangers(held, reader))
    for bound in FROM:
        rights = [right for worded, p, right in found if not worded and p >= bound]
        print(f"no word names it, p ≥ {bound}: {len(rights)}, asserted {sum(rights)}")
    for bound in BELOW:
        rights = [right for worded, p, right in found if worded and p < bound]
        print(f"a word names it, p < {bound}: {len(rights)}, asserted {sum(rights)}")
    return 0


def _fields(held: Sequence[Post], *readers: Reader) -> None:
    """Precision, recall, F1 and macro-F1 of each field, a reader after the other."""
    each = [Judged() for _ in readers]
    spent = []
    for judged, reader in zip(each, readers, strict=True):
        begun = time.process_time()
        judge_posts(judged, reader, held)
        spent.append(1000 * (time.process_time() - begun) / len(held))
    cost = ", ".join(f"{one:.1f}" for one in spent)
    print(f"{len(held)} posts: P, R, F1, macro-F1 by lists and both stages, and with the heads")
    print(f"CPU of a post: {cost} ms")
    for name in FIELDS:
        print(f"{name:20}" + "   ".join(_cells(judged.both(name)) for judged in each))


def _cells(score: Score) -> str:
    whole = score.whole
    return f"{whole.precision:6.3f} {whole.recall:.3f} {whole.f1:.3f} {score.macro:.3f}"


def _all_dangers(held: Sequence[Post], reader: Reader) -> Iterator[Found]:
    if reader.parts.heads is None:
        raise SystemExit("no heads: the second stage is off")
    read = reader.evidence([post.text for post in held])
    leanings = reader.parts.heads.weigh(read, lambda *_: True)
    for post, seen, leaning in zip(held, read, leanings, strict=True):
        if seen.brands:
            yield from _dangers(post, seen, leaning)


def _dangers(post: Post, seen: Evidence, leaning: Leaning) -> Iterator[Found]:
    asserted = {*post.severity.must, *post.severity.may}
    by_words = {hit.name for hit in seen.severity if hit.confidence >= SHOWN}
    for name, p in leaning.severity.items():
        yield name in by_words, p, name in asserted


if __name__ == "__main__":
    raise SystemExit(main())
