"""The shipped second stage: the encoder's logits stacked on the first stage's.

In:  a folder with model.onnx, tokenizer.json, config.json and card.toml; texts with their first
answers. Out: better answers, one row a text, each independent of its neighbours.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keqing.errors import ModelError
from nlp.distinct import each_once
from nlp.encoder import open_tokenizer
from nlp.linear import CLASSES, EMOTIONS, Scores, rounded, sigmoid
from nlp.reading import plain
from nlp.runtimes import open_session
from nlp.second.judge import three
from nlp.second.stack import HEADS, Stack
from nlp.second.tasks import BINARY, FELT, OUTPUTS
from nlp.second.windows import MAX_TOKENS, windows

SHIPPED = Path(__file__).parents[1] / "models" / "second"


class Encoder:
    """The fine-tuned network; one unpadded window of a post a call (see nlp/encoder.py)."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        self._tokenizer = open_tokenizer(folder, None)
        self._session = open_session(folder / "model.onnx")
        self._threads = threads

    def logits(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Logits (len(texts), OUTPUTS): neutral, negative, emotions, complaint."""
        return each_once(texts, self._rows)

    def _rows(self, texts: Sequence[str]) -> NDArray[np.float64]:
        with ThreadPoolExecutor(self._threads) as pool:
            rows = list(pool.map(self._one, texts))
        return np.stack(rows) if rows else np.zeros((0, OUTPUTS))

    def _one(self, text: str) -> NDArray[np.float64]:
        """Mean over the windows of a text, each read by itself."""
        parts = windows(self._tokenizer.encode(plain(text)).ids, MAX_TOKENS)
        answer: NDArray[np.float64] = np.mean([self._window(part) for part in parts], axis=0)
        return answer

    def _window(self, part: Sequence[int]) -> NDArray[np.float64]:
        ids = np.array([part], np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": ids * 0}
        try:
            return np.asarray(self._session.run(None, feed)[0], np.float64).reshape(OUTPUTS)
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"second stage: the model refuses a text: {error}") from error


class Stacked:
    """Encoder and stack of one folder, checked against its card."""

    def __init__(self, folder: Path = SHIPPED, threads: int = 2) -> None:
        card, digest = checked(folder)
        self.stack = read_stack(card, folder)
        self.bias = self.stack.bias
        self.version = f"second-{digest[:12]}"
        self.encoder = Encoder(folder, threads)

    def again(self, texts: Sequence[str], first: Scores) -> Scores:
        """Answers of both stages together.

        Raises:
            ModelError: the model refuses a text.
        """
        read = self.encoder.logits(texts)
        u, q, c = (
            self.stack.logit(head, first.logits[:, n], read[:, BINARY[n]])
            for n, head in enumerate(HEADS)
        )
        p = rounded(np.asarray(three(u, q), np.float64))
        shift = np.array([*self.stack.bias, 0.0])
        said = np.argmax(np.log(np.maximum(p, 1e-6)) + shift, axis=1)
        felt = [EMOTIONS[n] for n in np.argmax(read[:, FELT], axis=1)]
        polarity = [CLASSES[n] for n in said]
        logits = np.stack([u, q, c], axis=1)
        return replace(
            first, p=p, polarity=polarity, complaint=sigmoid(c), emotion=felt, logits=logits
        )


def checked(folder: Path) -> tuple[dict[str, Any], str]:
    """The card of a model folder, and the sha256 of its weights.

    Raises:
        ModelError: no card, no weights, or weights that are not the card's.
    """
    card, digest = _card(folder), _digest(folder / "model.onnx")
    if digest != card.get("weights", {}).get("sha256"):
        raise ModelError(f"{folder}/model.onnx: sha256 {digest} is not the card's; restore it")
    return card, digest


def read_stack(card: dict[str, Any], folder: Path) -> Stack:
    """The stack that a card holds.

    Raises:
        ModelError: a head or the decision is missing.
    """
    try:
        weights = {head: tuple(map(float, card["stack"][head])) for head in HEADS}
        bias = float(card["decision"]["negative"]), float(card["decision"]["neutral"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder}/card.toml: no stack of {', '.join(HEADS)}: {error}") from error
    return Stack({head: (w[0], w[1], w[2]) for head, w in weights.items()}, bias)


def _card(folder: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((folder / "card.toml").read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ModelError(
            f"{folder}: no readable card ({error}); restore the folder, run keqing train "
            '--stage second, or set [nlp.second_stage] model = "off"'
        ) from error


def _digest(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; restore it") from error
