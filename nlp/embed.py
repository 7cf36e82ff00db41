"""Texts as unit vectors: close texts speak of the same matter.

In:  masked texts. Out: (n, 512) float32, each row of length 1, independent of its neighbours.
The base of the second stage (bge-small-zh-v1.5, MIT), int8, its [CLS] normalised; it learned which posts tell
of one happening (nlp/second/alike.py). `signed` keeps a vector in 512 bytes, `packed`
and `unpacked` those in text.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keqing.errors import ModelError
from nlp.distinct import each_once
from nlp.encoder import open_tokenizer
from nlp.reading import plain
from nlp.runtimes import open_session
from nlp.second.model import checked

SHIPPED = Path(__file__).parent / "models" / "embedder"
WIDTH = 512
MAX_TOKENS = 128  # what a post is about stands in its beginning
SCALE = 127.0

Floats = NDArray[np.float32]


class Embedder:
    """A loaded embedder; one unpadded text a call, so neighbours move nothing.

    `width` is that of its vectors: the heads have one of their own (nlp/heads.py).
    """

    def __init__(self, folder: Path = SHIPPED, threads: int = 2, width: int = WIDTH) -> None:
        _, self.digest = checked(folder)
        self.version = f"embedder-{self.digest[:12]}"
        self._width = width
        self._tokenizer = open_tokenizer(folder, MAX_TOKENS)
        self._session = open_session(folder / "model.onnx")
        self._threads = threads

    def vectors(self, texts: Sequence[str]) -> Floats:
        """One unit vector a text.

        Raises:
            ModelError: the model refuses a text.
        """
        return each_once(texts, self._rows)

    def _rows(self, texts: Sequence[str]) -> Floats:
        with ThreadPoolExecutor(self._threads) as pool:
            rows = list(pool.map(self._one, texts))
        return np.stack(rows) if rows else np.zeros((0, self._width), np.float32)

    def _one(self, text: str) -> Floats:
        ids = np.array([self._tokenizer.encode(plain(text)).ids], np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": ids * 0}
        try:
            return np.asarray(self._session.run(None, feed)[0], np.float32).reshape(self._width)
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{self.version}: the model refuses a text: {error}") from error


@cache
def shipped() -> Embedder:
    """The embedder of this installation, loaded once a process."""
    return Embedder()


def signed(vector: Floats) -> bytes:
    """A unit vector as one signed byte a coordinate."""
    return np.round(vector / _largest(vector) * SCALE).astype(np.int8).tobytes()


def packed(vector: bytes) -> str:
    """Signed bytes as text, for files: base64."""
    return base64.b64encode(vector).decode()


def unpacked(text: str) -> Floats:
    """The unit vector of `packed`; its cosine with what was signed is > .999.

    Raises:
        ValueError: not WIDTH bytes of base64.
    """
    try:
        body = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"no packed vector: {error}") from error
    if len(body) != WIDTH:
        raise ValueError(f"no packed vector: {len(body)} bytes, {WIDTH} expected")
    vector = np.frombuffer(body, np.int8).astype(np.float32)
    answer: Floats = vector / max(float(np.linalg.norm(vector)), 1e-9)
    return answer


def _largest(vector: Floats) -> float:
    return max(float(np.abs(vector).max()), 1e-9)
