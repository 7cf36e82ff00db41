"""Emotion and complaint on labelled sets: `python -m bench.felt [--data DIR]`.

In:  `emo_*_dev` and `intent_*_dev` of ../shared/data/sentiment (or DIR). Out: macro-F1 over the classes of each set,
of the first stage's head, of both stages, and of what a post is said to feel at last, where words
overrule a head that contradicts the polarity; F1 of the complaint head at .5. Emotions that a set
does not know are masked to 无 where it has it, else counted as wrong.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from bench.stories import ROOT, first_stage
from keqing.settings import load_settings
from nlp.linear import Scores
from nlp.rows import EMOTION_OF, LabelledSet, read_sets
from nlp.understand import Reader

DATA = ROOT.parent / "shared" / "data" / "sentiment"
NOTHING, COMPLAINT = "无", 0.5


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    data = parser.parse_args().data
    both = Reader(load_settings(ROOT, env={}))
    alone = Reader(first_stage())
    print(f"{'set':26} {'rows':>5} {'first':>6} {'both':>6} {'said':>6}  {'said, first alone':>6}")
    for one in read_sets([data], "dev", ("emo",), ()):
        truth = [EMOTION_OF[label] for label in one.labels]
        first, second = _scores(alone, one.texts), _scores(both, one.texts)
        answers = [first.emotion, second.emotion, _said(both, one.texts), _said(alone, one.texts)]
        figures = "  ".join(f"{_macro(truth, answer):.3f}" for answer in answers)
        print(f"{one.name:26} {len(truth):>5}  {figures}")
    for one in read_sets([data], "dev", ("intent",), ()):
        print(
            f"{one.name:26} {len(one.texts):>5}  {_complaint(one, alone):.3f}  {_complaint(one, both):.3f}"
        )
    return 0


def _scores(reader: Reader, texts: Sequence[str]) -> Scores:
    return reader.parts.cascade.score(texts)[0]


def _said(reader: Reader, texts: Sequence[str]) -> list[str]:
    return [one.emotion for one in reader.read(texts, [""] * len(texts))]


def _macro(truth: Sequence[str], said: Sequence[str]) -> float:
    """Mean F1 of the classes that the set has."""
    known = set(truth)
    said = [s if s in known or NOTHING not in known else NOTHING for s in said]
    return sum(_f1([t == c for t in truth], [s == c for s in said]) for c in known) / len(known)


def _complaint(one: LabelledSet, reader: Reader) -> float:
    said = [p >= COMPLAINT for p in _scores(reader, one.texts).complaint]
    return _f1([label == "complaint" for label in one.labels], said)


def _f1(truth: Sequence[bool], said: Sequence[bool]) -> float:
    right = sum(t and s for t, s in zip(truth, said, strict=True))
    return 2 * right / max(1, sum(truth) + sum(said))


if __name__ == "__main__":
    raise SystemExit(main())
