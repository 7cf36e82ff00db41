"""First step of training: files of labelled CSV and the base → what the training program reads.

In:  folders of data, the folder of the base (one .onnx and one *tokenizer.json).
Out: work/rows.npz, work/base.npz, work/tokenizer.json.
Files without a task in their name, or of topics, give texts without labels.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from keqing.errors import UsageError
from keqing.logs import get_logger
from nlp.rows import LEFT_OUT, read_sets
from nlp.second import base, vocabulary
from nlp.second.rows import SETS, gather

MOST = 60_000  # unlabelled texts of one file
SEED = 7
NOISE = 0.02  # spread of a new emoji's vector around that of an unknown token
log = get_logger(__name__)


def prepare(
    data: Sequence[Path], base_folder: Path, work: Path, without: Sequence[str] = ()
) -> None:
    """Write the three files into `work`.

    Raises:
        UsageError: the base's files are not in its folder, or no labelled set in `data`.
    """
    work.mkdir(parents=True, exist_ok=True)
    graph, tokens = base_files(base_folder)
    train, dev = (read_sets(data, split, SETS, without) for split in ("train", "dev"))
    others = [text for path in _unlabelled(data, without) for text in _texts(path)]
    texts = [text for one in train for text in one.texts]
    tokenizer, old = vocabulary.smaller(tokens, [*texts, *others])
    tokenizer.save(str(work / "tokenizer.json"))
    rows = gather(train, dev, others, tokenizer)
    rows.save(work / "rows.npz")
    _base(graph, old, [tokenizer.token_to_id(name) for name in vocabulary.SPECIAL], work)
    log.info("prepared", rows=len(rows), tokens=len(rows.ids), vocabulary=len(old))


def base_files(folder: Path) -> tuple[Path, Path]:
    """The base's graph and tokenizer.

    Raises:
        UsageError: not exactly one of each.
    """
    graphs, tokens = sorted(folder.glob("*.onnx")), sorted(folder.glob("*tokenizer.json"))
    if len(graphs) != 1 or len(tokens) != 1:
        raise UsageError(f"{folder}: one .onnx and one *tokenizer.json expected; docs/models.md "
                         "says where the base comes from")  # fmt: skip
    return graphs[0], tokens[0]


def _base(graph: Path, old: Sequence[int], special: Sequence[int], work: Path) -> None:
    """The base with the kept rows of its word embeddings, in half precision."""
    arrays = base.read(graph)
    words, places = arrays["embeddings.word_embeddings.weight"], np.array(old)
    unknown = words[old[special[1]]]
    new = unknown + np.random.default_rng(SEED).normal(0, NOISE, (len(old), len(unknown)))
    kept = np.where(places[:, None] < 0, new, words[np.maximum(places, 0)])
    arrays["embeddings.word_embeddings.weight"] = kept.astype(np.float32)
    halves = {name: value.astype(np.float16) for name, value in arrays.items()}
    np.savez_compressed(work / "base.npz", allow_pickle=False, special=np.array(special), **halves)


def _unlabelled(folders: Sequence[Path], without: Sequence[str]) -> Iterator[Path]:
    for path in sorted(p for folder in folders for p in folder.glob("*.csv*")):
        name = path.name.partition(".")[0]
        task, split = name.partition("_")[0], name.rpartition("_")[2]
        labelled = task in SETS and name.rpartition("_")[0] not in LEFT_OUT
        if not labelled and split != "dev" and not any(word in name for word in without):
            yield path


def _texts(path: Path) -> list[str]:
    """Distinct texts (or titles) of a file, at most MOST of them, drawn by SEED."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        found = list(
            dict.fromkeys(row.get("text") or row.get("title") or "" for row in csv.DictReader(file))
        )
    if len(found) <= MOST:
        return found
    drawn = np.random.default_rng(SEED).choice(len(found), MOST, replace=False)
    return [found[at] for at in sorted(drawn)]
