"""Words that the dictionary does not know: strings that keep together and stand in free company.

In:  texts, the words that are known. Out: candidates with their count, cohesion and freedom.
A string is a word when its parts meet far oftener than by chance (pointwise mutual information of its
weakest cut), when many different characters stand on both sides of it (branching entropy), and when the
segmenter cuts around it; of two strings that always stand together only the longer is kept.

Source: Jin & Tanaka-Ishii 2006, COLING/ACL, Unsupervised segmentation of Chinese by branching entropy.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

LONGEST = 6
FEWEST = 5  # occurrences
COHESION = 3.0  # bits, weakest cut
FREEDOM = 1.2  # bits, poorer side
ALIGNED = 0.5  # of its occurrences begin and end where the segmenter cuts
COVERED = 1.1  # a part that occurs at most so many times as often as the whole is dropped
RUN = re.compile(r"[\u3400-\u9fff]+")
LOOSE = frozenset(
    "的了是在我你他她它们这那有和就不也都很吗呢吧啊着过被把给让与及等之一个上下里到说要会能没还又日号年月从将该为"
)


@dataclass(frozen=True)
class Candidate:
    """A string that may be a word; bits of cohesion and freedom."""

    word: str
    count: int
    cohesion: float
    freedom: float

    @property
    def score(self) -> float:
        """Sort key: how surely it is a word, times how often."""
        return min(self.cohesion / COHESION, self.freedom / FREEDOM) * math.log(self.count)


Cut = Callable[[str], Sequence[str]]


def candidates(texts: Iterable[str], known: Container[str], cut: Cut) -> list[Candidate]:
    """Unknown words of 2 to LONGEST characters, surest first.

    What `cut` takes apart into known words of two characters and more is a phrase, and left out.
    """
    runs = [run for text in texts for run in RUN.findall(text)]
    counts, left, right, total = _counted(runs)
    aligned = _aligned(runs, counts, cut)
    found = []
    for word, count in counts.items():
        if (
            len(word) < 2
            or count < FEWEST
            or word in known
            or not LOOSE.isdisjoint((word[0], word[-1]))
        ):
            continue
        if aligned[word] < ALIGNED * count:
            continue
        cohesion = _cohesion(word, counts, total)
        freedom = min(_entropy(left[word]), _entropy(right[word]))
        if cohesion >= COHESION and freedom >= FREEDOM and not _phrase(word, known, cut):
            found.append(Candidate(word, count, round(cohesion, 3), round(freedom, 3)))
    kept = _longest(found)
    return sorted(kept, key=lambda one: (-one.score, one.word))


def _phrase(word: str, known: Container[str], cut: Cut) -> bool:
    parts = cut(word)
    return len(parts) > 1 and all(len(part) > 1 and part in known for part in parts)


Neighbours = Mapping[str, Counter[str]]


def _aligned(runs: Sequence[str], counts: Mapping[str, int], cut: Cut) -> Counter[str]:
    """How often a frequent string is made of whole pieces of the segmenter."""
    found: Counter[str] = Counter()
    for run in runs:
        ends = [0, *accumulate(len(part) for part in cut(run))]
        for n, start in enumerate(ends):
            for stop in ends[n + 1 :]:
                if stop - start > LONGEST:
                    break
                word = run[start:stop]
                if len(word) > 1 and counts[word] >= FEWEST:
                    found[word] += 1
    return found


def _counted(runs: Sequence[str]) -> tuple[Counter[str], Neighbours, Neighbours, int]:
    """Counts of all strings, of their neighbours where they are frequent, and of characters."""
    counts: Counter[str] = Counter()
    for run in runs:
        for size in range(1, LONGEST + 1):
            counts.update(run[at : at + size] for at in range(len(run) - size + 1))
    left: dict[str, Counter[str]] = defaultdict(Counter)
    right: dict[str, Counter[str]] = defaultdict(Counter)
    for number, run in enumerate(runs):
        for size in range(2, LONGEST + 1):
            for at in range(len(run) - size + 1):
                word = run[at : at + size]
                if counts[word] >= FEWEST:
                    edge = f"\n{number}"  # each end of a run is a company of its own
                    left[word][run[at - 1] if at else edge] += 1
                    right[word][run[at + size] if at + size < len(run) else edge] += 1
    return counts, left, right, sum(len(run) for run in runs)


def _cohesion(word: str, counts: Mapping[str, int], total: int) -> float:
    """Bits by which the weakest cut is stronger than chance."""
    return min(
        math.log2(counts[word] * total / (counts[word[:at]] * counts[word[at:]]))
        for at in range(1, len(word))
    )


def _entropy(neighbours: Mapping[str, int]) -> float:
    total = sum(neighbours.values())
    return -sum(n / total * math.log2(n / total) for n in neighbours.values()) if total else 0.0


def _longest(found: list[Candidate]) -> list[Candidate]:
    """Without strings that hardly ever stand outside a longer candidate."""
    whole: dict[str, int] = {}
    for one in found:
        for size in range(2, len(one.word)):
            for at in range(len(one.word) - size + 1):
                part = one.word[at : at + size]
                whole[part] = max(whole.get(part, 0), one.count)
    return [one for one in found if one.count > COVERED * whole.get(one.word, 0)]
