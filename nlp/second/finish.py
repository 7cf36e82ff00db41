"""Last step of training: weights of the training program → the folder that ships.

In:  work/ after prepare.py and fit.py, the base, labelled dev files for the stack (stacking.py).
Out: the model folder with its cards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keqing.errors import UsageError
from keqing.logs import get_logger
from nlp import embed
from nlp.second import card
from nlp.second.export import classifier, embedder, pooler, quantise
from nlp.second.prepare import base_files
from nlp.second.stacking import stack_on
from nlp.second.tasks import ALIKE, JOINT
from nlp.second.windows import MAX_TOKENS

log = get_logger(__name__)


def finish(data: Sequence[Path], base_folder: Path, work: Path, out: Path) -> None:
    """Export, then stack on the dev sets of `data`.

    Raises:
        UsageError: the training program has left no weights in `work`.
    """
    graph, _ = base_files(base_folder)
    quantise(classifier(graph, weights(work)), _tokenizer(work), out, MAX_TOKENS)
    stack_on(data, out)


def finish_embedder(base_folder: Path, work: Path, out: Path) -> None:
    """Write the embedder, as alike.py left it."""
    graph, _ = base_files(base_folder)
    quantise(embedder(graph, weights(work / ALIKE)), _tokenizer(work), out, embed.MAX_TOKENS)
    digest = hashlib.sha256((out / "model.onnx").read_bytes()).hexdigest()
    card.write_embedder(out, digest)
    log.info("embedder written", folder=str(out), sha256=digest[:12])


def finish_heads(base_folder: Path, work: Path, out: Path) -> None:
    """Write the encoder of the heads, as joint.py left it; its card is bench/golden/teach.py's."""
    graph, _ = base_files(base_folder)
    quantise(pooler(graph, weights(work / JOINT)), _tokenizer(work), out, embed.MAX_TOKENS)
    log.info("encoder of the heads written", folder=str(out))


def weights(work: Path) -> dict[str, NDArray[np.float32]]:
    """Named arrays that fit.py, joint.py or alike.py left, in one or more files."""
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
