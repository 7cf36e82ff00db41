"""The stack of a second stage with the first one, and the card that tells of both.

In:  labelled dev files, a folder with the encoder. Out: card.toml and card.md in it. The stack is fitted
on the dev rows, which neither stage learned from; the card's figures come from stacks that were
fitted without the rows they judge. After a new first stage this step alone has to be repeated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xxhash
from numpy.typing import NDArray

from keqing.logs import get_logger
from nlp import linear
from nlp.rows import LabelledSet, read_sets
from nlp.second import card, stack
from nlp.second.judge import judged
from nlp.second.model import Encoder
from nlp.second.rows import SETS, SHORT, UNKNOWN, meaning
from nlp.second.tasks import BINARY

FOLDS = 5
log = get_logger(__name__)

Array = NDArray[np.float64]


def stack_on(data: Sequence[Path], out: Path) -> None:
    """Fit the stack of the encoder in `out` on the dev sets of `data`; write the cards there.

    Raises:
        ModelError: no encoder in `out`.
    """
    sets = read_sets(data, "dev", SETS)
    texts = [text for one in sets for text in one.texts]
    first = linear.load().score(texts).logits
    second = Encoder(out).logits(texts)[:, BINARY]
    known = _known(sets)
    names = [one.name for one in sets for _ in one.texts]
    truth = np.array(
        [SHORT.index(s) if s in SHORT else UNKNOWN for one in sets for s in one.labels]
    )
    fold = np.array([xxhash.xxh64_intdigest(text.encode()) % FOLDS for text in texts])
    logits = stack.out_of_fold(first, second, known, fold)
    bias = stack.neutral_bias(logits, truth, names)
    figures = {
        name: _figures(first, second, logits, truth, np.array(names) == name, name, bias)
        for name in dict.fromkeys(names) if name.startswith(("tri", "bin"))
    }  # fmt: skip
    fitted = stack.Stack(stack.fit(first, second, known).weights, (0.0, bias))
    digest = hashlib.sha256((out / "model.onnx").read_bytes()).hexdigest()
    card.write(out, digest, linear.load().version, fitted, figures, _counts(data))
    log.info("second stage written", folder=str(out), sha256=digest[:12])


def _known(sets: Sequence[LabelledSet]) -> Array:
    said = [meaning(one.task, label) for one in sets for label in one.labels]
    return np.array([[row.get(head, UNKNOWN) for head in stack.HEADS] for row in said], float)


def _figures(
    first: Array, second: Array, both: Array, truth: NDArray[np.int64], rows: NDArray[np.bool_],
    name: str, bias: float,
) -> dict[str, float]:  # fmt: skip
    """Macro-F1 of the first stage, the encoder alone, and both."""
    task, said = name.partition("_")[0], truth[rows]
    own = linear.load().bias[1]
    return {
        "rows": float(rows.sum()),
        "first": judged(first[rows, 0], first[rows, 1], task, said, own),
        "encoder": judged(second[rows, 0], second[rows, 1], task, said),
        "both": judged(both[rows, 0], both[rows, 1], task, said, bias),
    }


def _counts(data: Sequence[Path]) -> dict[str, int]:
    return {one.name: len(one.texts) for one in read_sets(data, "train", SETS)}
