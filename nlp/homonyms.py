"""The sense of a name as it was learned: what nlp.brands asks where no word of the plan decides.

In:  names where they are used (12 tokens to either side, source, hashtags). Out: a Sense a brand (logistic
regression over the shipped embedder and hashed words), and Senses, a Judge out of them; their file.

A name is embedded twice, as it stands and with 它 in its place: the second vector only knows the company it
keeps. Under LEAST labels a Sense may not speak; the plan's words decide alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keqing.errors import ModelError
from keqing.private import private_folder
from nlp.around import Part
from nlp.brands import Verdict
from nlp.embed import WIDTH, shipped

LEAST = 30  # labels of one brand before it may reject
LEAST_EACH = 8  # of either sense
BUCKETS = 512
STAND_IN = "它"
FOLDER, FILE = "relevance", "senses.json"  # var/relevance/senses.json

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Usage:
    """A name with the words around it; lower case, simplified."""

    before: str
    name: str
    after: str
    source: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sense:
    """What one brand learned; `weights` are packed float32 of the features, little-endian."""

    yes: int  # labels by people
    no: int
    accuracy: float  # on folds that did not teach it
    bias: float
    weights: str
    embedder: str

    @property
    def speaks(self) -> bool:
        """Whether there were labels enough to reject by it."""
        return self.yes + self.no >= LEAST and min(self.yes, self.no) >= LEAST_EACH


class Senses:
    """A Judge out of Senses."""

    def __init__(self, senses: Mapping[str, Sense]) -> None:
        body = json.dumps({k: asdict(s) for k, s in sorted(senses.items())}, sort_keys=True)
        self.version = f"senses-{hashlib.sha256(body.encode()).hexdigest()[:12]}"
        self.senses = dict(senses)
        self._weights = {k: _unpacked(k, s) for k, s in senses.items() if s.speaks}

    def about(self, brand: str, part: Part, start: int, end: int, source: str) -> Verdict | None:
        """Whether the name there means the brand; None without labels enough."""
        weights = self._weights.get(brand)
        if weights is None:
            return None
        row = features([usage(part, start, end, source)])[0]
        p = float(1 / (1 + np.exp(-(row @ weights + self.senses[brand].bias))))
        return Verdict(p >= 0.5, round(p, 4))


def usage(part: Part, start: int, end: int, source: str = "") -> Usage:
    """The name at a place with what surrounds it."""
    low, high = part.window(start, end)
    plain = part.plain
    tags = tuple(plain[a + 1 : b - 1] for a, b in part.tags)
    return Usage(plain[low:start], plain[start:end], plain[end:high], source, tags)


def features(usages: Sequence[Usage]) -> Floats:
    """One row a usage: vector as it stands, vector with a stand-in, hashed words; (n, 1536)."""
    if not usages:
        return np.zeros((0, 2 * WIDTH + BUCKETS), np.float32)
    texts = [one.before + one.name + one.after for one in usages]
    texts += [one.before + STAND_IN + one.after for one in usages]
    vectors = shipped().vectors(texts)
    bags = np.stack([_bag(one) for one in usages])
    return np.hstack([vectors[: len(usages)], vectors[len(usages) :], bags])


def load(folder: Path) -> Senses | None:
    """What was learned in an installation; None where nothing was.

    Raises:
        ModelError: the file is damaged or another embedder made it; names the verb that repeats it.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        senses = {str(key): Sense(**row) for key, row in rows.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: damaged ({error}); repeat keqing plan learn") from error
    return Senses(senses)


def save(folder: Path, senses: Mapping[str, Sense]) -> None:
    """Write what was learned, whole or not at all."""
    private_folder(folder)
    path = folder / FILE
    aside = path.with_name(f".{FILE}.{os.getpid()}")
    body = {key: asdict(sense) for key, sense in sorted(senses.items())}
    with open(aside, "w", encoding="utf-8") as file:
        json.dump(body, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)


def _bag(one: Usage) -> Floats:
    """Pairs of characters beside the name, source and hashtags, hashed; a unit vector."""
    row = np.zeros(BUCKETS, np.float32)
    text = f"{one.before} {one.after}"
    marks = [text[n : n + 2] for n in range(len(text) - 1)]
    marks += [f"source {one.source}"] if one.source else []
    marks += [f"tag {tag}" for tag in one.tags]
    for mark in marks:
        row[zlib.crc32(mark.encode()) % BUCKETS] = 1
    return row / np.float32(max(float(np.linalg.norm(row)), 1.0))


def _unpacked(brand: str, sense: Sense) -> Floats:
    try:
        weights = np.frombuffer(base64.b64decode(sense.weights, validate=True), "<f4")
    except (binascii.Error, ValueError) as error:
        raise ModelError(f"senses of {brand}: damaged; repeat keqing plan learn") from error
    if len(weights) != 2 * WIDTH + BUCKETS or sense.embedder != shipped().version:
        raise ModelError(f"senses of {brand}: another embedder made them; repeat keqing plan learn")
    return weights.astype(np.float32)
