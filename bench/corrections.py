"""What staff's corrections are worth: `python -m bench.corrections [--data DIR] [--teach 100 300]`.

In:  labelled development sets, each in the place of one installation's posts. Out: for each set the
macro-F1 of both stages on rows that taught nothing, without and with a layer learned from the first
N rows (`keqing train --corrections`), in three draws. The models that ship never saw these rows, but
their stack was fitted on them (docs/models.md).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from keqing.records import Polarity
from keqing.settings import SecondStage
from nlp import linear
from nlp.cascade import Cascade, build
from nlp.evaluate import SHORT
from nlp.house import Lesson, learn
from nlp.rows import LabelledSet, read_sets
from nlp.second.judge import macro_f1

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "sentiment"
NAMES = (Polarity.NEGATIVE, Polarity.NEUTRAL, Polarity.POSITIVE)
DRAWS = 3

Floats = NDArray[np.float64]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--teach", type=int, nargs="+", default=[100, 300])
    args = parser.parse_args()
    model = build(linear.load(), SecondStage(), Path.cwd())
    print(f"{'set':<20} {'taught':>7} {'judged':>7} {'before':>7} {'after':>7} {'kept':>5}")
    for one in read_sets([args.data], "dev", ("tri", "bin"), ()):
        p = model.score(one.texts)[0].p
        for count in args.teach:
            if len(one.texts) >= 2 * count:
                _print(
                    one, count, np.array([_drawn(model, one, p, count, n) for n in range(DRAWS)])
                )
    return 0


def _print(one: LabelledSet, count: int, drawn: Floats) -> None:
    before, after, better = drawn.mean(axis=0)
    print(
        f"{one.name:<20} {count:>7} {len(one.texts) - count:>7} {before:>7.3f} {after:>7.3f} "
        f"{better * DRAWS:>3.0f}/{DRAWS}"
    )


def _drawn(
    model: Cascade, one: LabelledSet, p: Floats, count: int, seed: int
) -> tuple[float, float, bool]:
    """Macro-F1 before and after on the rows that did not teach, and whether the folds gained."""
    order = Random(seed).sample(range(len(one.texts)), len(one.texts))
    truth = np.array([SHORT.index(label) for label in one.labels])
    lessons = [
        Lesson(one.texts[n], (p[n, 0], p[n, 1], p[n, 2]), NAMES[truth[n]], str(n))
        for n in sorted(order[:count])
    ]
    learned = learn(lessons, model.first)
    rest = np.array(sorted(order[count:]))
    moved = learned.house.moved(p[rest], [one.texts[n] for n in rest], model.first.idf)
    classes = (0, 1, 2) if one.task == "tri" else (0, 2)
    said = [_said(x, classes) for x in (p[rest], moved)]
    scores = [macro_f1(truth[rest], x, classes) for x in said]
    return scores[0], scores[1], learned.loss_after < learned.loss_before


def _said(p: Floats, classes: tuple[int, ...]) -> NDArray[np.int64]:
    columns = list(classes)
    return np.array(columns)[p[:, columns].argmax(axis=1)]


if __name__ == "__main__":
    raise SystemExit(main())
