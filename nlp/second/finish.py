"""Last step of training: weights of the training program → the folder that ships.

In:  work/ after prepare.py and fit.py, the base, the first stage, labelled dev files.
Out: the model folder with its card. The stack is fitted on the dev rows, which neither stage learned
from; the card's figures come from stacks that were fitted without the rows they judge.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from keqing.errors import UsageError
from keqing.logs import get_logger
from nlp import embed, linear
from nlp.rows import LabelledSet, read_sets
from nlp.second import card, stack
from nlp.second.export import classifier, embedder, quantise
from nlp.second.judge import judged
from nlp.second.model import Encoder
from nlp.second.prepare import TASKS, base_files
from nlp.second.reading import MAX_TOKENS
from nlp.second.rows import SHORT, UNKNOWN, meaning
from nlp.second.tasks import BINARY

FOLDS = 5
log = get_logger(__name__)

Array = NDArray[np.float64]


def finish(data: Sequence[Path], base_folder: Path, work: Path, out: Path) -> None:
    """Export, fit the stack on the dev sets of `data`, write the card.

    Raises:
        UsageError: the training program has left no weights in `work`.
    """
    graph, _ = base_files(base_folder)
    quantise(classifier(graph, weights(work)), _tokenizer(work), out, MAX_TOKENS)
    sets = read_sets(data, "dev", TASKS)
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


def finish_embedder(base_folder: Path, work: Path, out: Path) -> None:
    """Write the embedder: the base as it is, with the smaller vocabulary of `work`."""
    graph, _ = base_files(base_folder)
    with np.load(work / "base.npz", allow_pickle=False) as held:
        arrays = {name: held[name].astype(np.float32) for name in held.files if name != "special"}
    quantise(embedder(graph, arrays), _tokenizer(work), out, embed.MAX_TOKENS)
    digest = hashlib.sha256((out / "model.onnx").read_bytes()).hexdigest()
    card.write_embedder(out, digest)
    log.info("embedder written", folder=str(out), sha256=digest[:12])


def weights(work: Path) -> dict[str, NDArray[np.float32]]:
    """Named arrays that fit.py left, in one or more files."""
    paths = sorted(work.glob("student-*.npz"))
    if not paths:
        raise UsageError(f"{work}: no student-*.npz; run keqing train --stage second --step fit")
    arrays: dict[str, NDArray[np.float32]] = {}
    for path in paths:
        with np.load(path, allow_pickle=False) as held:
            arrays |= {name: held[name].astype(np.float32) for name in held.files}
    return arrays


def _tokenizer(work: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(work / "tokenizer.json"))


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
    return {one.name: len(one.texts) for one in read_sets(data, "train", TASKS)}
