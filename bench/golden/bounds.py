"""How often dangers at the bounds of nlp/weighed.py are right: `python -m bench.golden.bounds`.

In:  bench/golden/taught, each writer read by heads that the others taught. Out: of the dangers that no word
names and that are LIKELY, how many the writer asserts; of those that a word names and that the heads hold
for HARMLESS, how many are asserted after all. A label that may be given counts as asserted.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.golden.rows import WRITERS, Post, named, settings, taught
from bench.golden.teach import MENDED, fit, lesson, mended
from nlp.embed import shipped
from nlp.evidence import Evidence
from nlp.heads import Heads, Leaning
from nlp.understand import Reader
from nlp.weighed import HARMLESS, LIKELY

SHOWN = 0.5  # confidence of a list's danger that a page shows
UNNAMED, DOUBTED = "likely without a word", "named by a word, held for harmless"


def main() -> int:
    """Print both counts."""
    writers = {writer: taught(writer) for writer in WRITERS} | {MENDED: mended()}
    every = [post for held in writers.values() for post in held]
    reader = Reader(settings(more=named(every)), weigh=False)
    lessons = {writer: lesson(reader, held) for writer, held in writers.items()}
    found: dict[str, list[bool]] = {UNNAMED: [], DOUBTED: []}
    for writer in WRITERS:
        heads = Heads(shipped(), *fit([v for k, v in lessons.items() if k != writer]), "taught")
        posts = writers[writer]
        read = reader.evidence([post.text for post in posts])
        leanings = heads.weigh(read, lambda *_: True)
        for post, one, leaning in zip(posts, read, leanings, strict=True):
            for which, right in _at_bounds(post, one, leaning) if one.brands else ():
                found[which].append(right)
    for which, rights in found.items():
        print(f"{which}: {len(rights)}, asserted {sum(rights)}")
    return 0


def _at_bounds(post: Post, one: Evidence, leaning: Leaning) -> Iterator[tuple[str, bool]]:
    asserted = {*post.severity.must, *post.severity.may}
    by_words = {hit.name for hit in one.severity if hit.confidence >= SHOWN}
    for name in leaning.clauses["severity"]:
        if leaning.severity[name] >= LIKELY and name not in by_words:
            yield UNNAMED, name in asserted
    for name in by_words:
        if leaning.severity[name] < HARMLESS:
            yield DOUBTED, name in asserted


if __name__ == "__main__":
    raise SystemExit(main())
