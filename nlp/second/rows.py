"""Labelled and unlabelled texts as arrays that the training program reads.

In:  labelled sets (nlp/rows.py), other texts, a tokenizer.
Out: Rows. A text that stands in several sets is one row with all its labels. Texts of the dev sets are
rows too, marked, so that the program can print figures; it never learns from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from nlp.linear import EMOTIONS
from nlp.reading import plain
from nlp.rows import EMOTION_OF, LabelledSet
from nlp.second.tasks import TASKS

SETS = ("tri", "bin", "intent", "emo")  # kinds of labelled files that teach it
SHORT = ("neg", "neu", "pos")
FOLDS = 5
UNKNOWN = -1


@dataclass(frozen=True)
class Rows:
    """`ids[offsets[i]:offsets[i + 1]]` are row i's tokens; `labels` has one column a task.

    `dev_rows` lists the rows of the dev sets' texts, `dev_set` their set in `dev_names`,
    `dev_truth` 0 negative, 1 neutral, 2 positive.
    """

    ids: NDArray[np.uint16]
    offsets: NDArray[np.int64]
    labels: NDArray[np.int8]
    fold: NDArray[np.int8]
    dev: NDArray[np.int8]
    dev_rows: NDArray[np.int64]
    dev_set: NDArray[np.int64]
    dev_truth: NDArray[np.int64]
    dev_names: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def save(self, path: Path) -> None:
        """Write all arrays to one npz."""
        np.savez_compressed(path, allow_pickle=False, **asdict(self))


def gather(
    train: Sequence[LabelledSet], dev: Sequence[LabelledSet], others: Iterable[str], tokenizer: Any
) -> Rows:
    """Rows of all texts: those with labels first, then `others`, then what only `dev` has."""
    place: dict[str, int] = {}
    known = [(plain(t), one.task, label) for one in train for t, label in _pairs(one)]
    judged = [one for one in dev if one.task in ("tri", "bin")]
    for text, _, _ in known:
        place.setdefault(text, len(place))
    held = [plain(text) for one in dev for text in one.texts]
    for text in (*map(plain, others), *held):
        place.setdefault(text, len(place))
    labels = np.full((len(place), len(TASKS)), UNKNOWN, np.int8)
    for text, task, label in known:
        for name, value in meaning(task, label).items():
            labels[place[text], TASKS.index(name)] = value
    marked = np.zeros(len(place), np.int8)
    marked[[place[text] for text in held]] = 1
    coded = [encoding.ids for encoding in tokenizer.encode_batch(list(place))]
    return Rows(
        ids=np.array([id_ for ids in coded for id_ in ids], np.uint16),
        offsets=np.cumsum([0, *(len(ids) for ids in coded)]).astype(np.int64),
        labels=labels,
        fold=np.array([xxhash.xxh64_intdigest(text.encode()) % FOLDS for text in place], np.int8),
        dev=marked,
        **_dev(judged, place),
    )


def _dev(judged: Sequence[LabelledSet], place: Mapping[str, int]) -> dict[str, NDArray[Any]]:
    return {
        "dev_rows": np.array([place[plain(t)] for one in judged for t in one.texts], np.int64),
        "dev_set": np.repeat(np.arange(len(judged)), [len(one.texts) for one in judged]),
        "dev_truth": np.array([SHORT.index(name) for one in judged for name in one.labels]),
        "dev_names": np.array([one.name for one in judged]),
    }


def meaning(task: str, label: str) -> dict[str, int]:
    """What a label says to each head: a neutral post has no sign, a review no neutrality."""
    if task == "tri":
        sign = {} if label == "neu" else {"negative": int(label == "neg")}
        return {"neutral": int(label == "neu"), **sign}
    if task == "bin":
        return {"negative": int(label == "neg")}
    if task == "emo":
        return {"emotion": EMOTIONS.index(EMOTION_OF[label])}
    return {"complaint": int(label == "complaint")}


def _pairs(one: LabelledSet) -> list[tuple[str, str]]:
    return list(zip(one.texts, one.labels, strict=True))
