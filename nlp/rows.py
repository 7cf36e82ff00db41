"""Labelled rows for training and judging.

In:  CSV(.gz) files named `<task>_<set>_<split>.csv.gz` with columns text, label.
Out: Sets. Nothing of a text leaves this process but weights.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from keqing.errors import UsageError

LEFT_OUT = frozenset({"bin_weibo_raw"})  # its labels were made from the emoticons in the text
EMOTION_OF = {
    "angry": "愤怒", "anger": "愤怒", "disgust": "厌恶", "sad": "悲伤", "sadness": "悲伤",
    "fear": "担忧", "happy": "喜悦", "happiness": "喜悦", "like": "喜悦", "surprise": "惊讶",
    "neutral": "无", "neural": "无", "none": "无",
}  # fmt: skip


@dataclass(frozen=True)
class LabelledSet:
    """One file: `name` = task and set without the split."""

    name: str
    texts: list[str]
    labels: list[str]

    @property
    def task(self) -> str:
        """`tri`, `bin`, `emo`, `intent` …"""
        return self.name.partition("_")[0]


def read_sets(
    folders: Sequence[Path], split: str, tasks: Sequence[str], without: Sequence[str] = ()
) -> list[LabelledSet]:
    """All sets of `tasks` and `split`, by name.

    Raises:
        UsageError: no such file in the folders.
    """
    paths = sorted(
        (path for folder in folders for path in folder.glob(f"*_{split}.csv*")),
        key=lambda path: path.name,
    )
    found = [(path.name.rpartition(f"_{split}.csv")[0], path) for path in paths]
    sets = [
        _read(name, path)
        for name, path in found
        if name.partition("_")[0] in tasks
        and name not in LEFT_OUT
        and not any(word in name for word in without)
    ]
    if not sets:
        raise UsageError(f"{', '.join(map(str, folders))}: no *_{split}.csv.gz of {tasks}")
    return sets


def _read(name: str, path: Path) -> LabelledSet:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(file)]
    return LabelledSet(name, [text for text, _ in rows], [label for _, label in rows])
