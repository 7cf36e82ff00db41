"""Posts that the bounds of nlp/weighed.py are chosen by: `python -m bench.golden.bounds`.

In:  bench/golden/unseen, writers who taught no weights. Out: how each field of their posts is read, by lists and
with the heads, at which cost; of the dangers that no word names, how many are asserted from each probability on, and in
how many posts that assert none; of those that a word names, how many below each; of the posts that read like sarcasm
and have no sign of it, how many are meant so. A label that may be given counts as asserted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from bench.golden.judge import Judged, Score, judge_posts
from bench.golden.rows import UNSEEN, Post, named, settings, written
from nlp.evidence import Evidence
from nlp.heads import SARCASM, Leaning
from nlp.understand import Reader

FIELDS = (
    "intent", "primary intent", "emotion", "aspects", "  its clause", "  its polarity", "towards",
    "severity of posts", "dangers at all", "sarcasm",
)  # fmt: skip
SHOWN = 0.5  # confidence of a list's danger that a page shows
FROM = (0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97)
READS_SO = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
BELOW = (0.01, 0.02, 0.03, 0.05, 0.1)
Found = tuple[bool, float, bool]  # whether a word names it, its probability, whether it is asserted
Leant = tuple[Post, Evidence, Leaning]


def main() -> int:
    """Print the fields, then the tables of dangers and of sarcasm."""
    held = [post for writer in UNSEEN for post in written(writer)]
    own = settings(more=named(held))
    reader = Reader(own)
    _fields(held, Reader(own, weigh=False), reader)
    leanings = _leanings(held, reader)
    for bound in FROM:
        _without_a_word(leanings, bound)
    for bound in BELOW:
        found = [one for each in leanings for one in _dangers(*each) if one[0] and one[1] < bound]
        print(f"a word names it, p < {bound}: {len(found)}, asserted {_rights(found)}")
    for bound in READS_SO:
        _reads_so(leanings, bound)
    return 0


def _without_a_word(leanings: Sequence[Leant], bound: float) -> None:
    each = [one for leant in leanings for one in _dangers(*leant)]
    found = [one for one in each if not one[0] and one[1] >= bound]
    calm = sum(_alarms_wrongly(*leant, bound) for leant in leanings)
    print(
        f"no word names it, p ≥ {bound}: {len(found)}, asserted {_rights(found)}, "
        f"in {calm} posts that assert nothing"
    )


def _reads_so(leanings: Sequence[Leant], bound: float) -> None:
    meant = [
        post.sarcastic is not False
        for post, seen, leaning in leanings
        if not seen.sarcastic and leaning.sarcasm[SARCASM] >= bound
    ]
    print(f"no sign of sarcasm, p ≥ {bound}: {len(meant)}, meant so {sum(meant)}")


def _rights(found: Sequence[Found]) -> int:
    return sum(right for _, _, right in found)


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


def _leanings(held: Sequence[Post], reader: Reader) -> list[Leant]:
    """Posts that name a brand, what was found of them, what the heads make of it."""
    if reader.parts.heads is None:
        raise SystemExit("no heads: the second stage is off")
    read = reader.evidence([post.text for post in held])
    leanings = reader.parts.heads.weigh(read, lambda *_: True)
    return [each for each in zip(held, read, leanings, strict=True) if each[1].brands]


def _alarms_wrongly(post: Post, seen: Evidence, leaning: Leaning, bound: float) -> bool:
    """Whether a post without any danger gets one from `bound` on that no word names."""
    named = any(hit.confidence >= SHOWN for hit in seen.severity)
    nothing = not post.severity.must and not post.severity.may
    return nothing and not named and max(leaning.severity.values()) >= bound


def _dangers(post: Post, seen: Evidence, leaning: Leaning) -> Iterator[Found]:
    asserted = {*post.severity.must, *post.severity.may}
    by_words = {hit.name for hit in seen.severity if hit.confidence >= SHOWN}
    for name, p in leaning.severity.items():
        yield name in by_words, p, name in asserted


if __name__ == "__main__":
    raise SystemExit(main())
