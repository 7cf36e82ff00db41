"""Second stage: any BERT-like sequence classifier in a local folder.

In:  a folder with config.json, tokenizer.json and weights (nlp/runtimes.py); texts.
Out: probabilities of negative, neutral, positive. One unpadded post a call and one thread inside it:
dynamic int8 takes its ranges over the whole tensor, so that neighbours and padding would move labels.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keqing.errors import ModelError, UnknownLabels
from keqing.logs import get_logger
from nlp.distinct import each_once
from nlp.linear import CLASSES as POLARITIES
from nlp.linear import Scores, rounded
from nlp.runtimes import open_runtime

FILES = ("config.json", "tokenizer.json")
NAMES = ("negative", "neutral", "positive")
WORDS: Mapping[str, tuple[str, ...]] = {
    "negative": ("negative", "neg", "负面", "消极", "差评", "1 star", "2 stars"),
    "neutral": ("neutral", "neu", "中性", "3 stars"),
    "positive": ("positive", "pos", "正面", "积极", "好评", "4 stars", "5 stars"),
}
PLAIN = (
    ("太差了，再也不买了", "negative"), ("质量很好，推荐购买", "positive"),
    ("服务态度恶劣，投诉无门", "negative"), ("味道好极了，下次还来", "positive"),
    ("收到就是坏的，气死我了", "negative"), ("物流很快，包装仔细", "positive"),
    ("客服不理人，失望透顶", "negative"), ("非常满意，五星好评", "positive"),
    ("用了一天就坏，垃圾产品", "negative"), ("店员热情，环境舒服", "positive"),
)  # fmt: skip
NEUTRAL = 1
MAX_TOKENS = 512
CLASSES = (2, 3, 5)
log = get_logger(__name__)


class Classifier:
    """A loaded model. `has_neutral` is False for two-class models: their p(neutral) is 0."""

    bias = (0.0, 0.0)

    def __init__(self, folder: Path, labels: Mapping[str, str], threads: int = 2) -> None:
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise ModelError(
                f"{folder}: {', '.join(missing)} missing; save the model with its tokenizer there, "
                'or set [nlp.second_stage] model = "off"'
            )
        config = _config(folder / "config.json")
        self._columns = columns_of(config.get("id2label") or {}, labels, folder)
        self.has_neutral = "neutral" in self._columns
        self._runtime = open_runtime(folder)
        self.version = f"second-{self._runtime.digest}"
        self._tokenizer = open_tokenizer(
            folder, int(config.get("max_position_embeddings", MAX_TOKENS))
        )
        self._threads = threads
        self._glance()

    def predict(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Probabilities, one row a text, columns negative, neutral, positive; each by itself.

        Raises:
            ModelError: the model refuses a text or answers in another shape.
        """
        return each_once(texts, self._rows)

    def _rows(self, texts: Sequence[str]) -> NDArray[np.float64]:
        if not texts:
            return np.zeros((0, 3))
        with ThreadPoolExecutor(self._threads) as pool:
            return rounded(np.stack(list(pool.map(self._one, texts))))

    def again(self, texts: Sequence[str], first: Scores) -> Scores:
        """Its answers in place of `first`, with the first stage's complaint and emotion.

        A model without a neutral class decides between the poles; how polar is the first's word.
        """
        p = self.predict(texts)
        if not self.has_neutral:
            p = p * (1 - first.p[:, [NEUTRAL]])
            p[:, NEUTRAL] = first.p[:, NEUTRAL]
            p = rounded(p)
        polarity = [POLARITIES[n] for n in np.argmax(p, axis=1)]
        return replace(first, p=p, polarity=polarity)

    def _glance(self) -> None:
        """Read ten plain sentences and log it: labels that were swapped are seen at once."""
        p = self.predict([text for text, _ in PLAIN])
        said = [NAMES[0] if row[0] > row[2] else NAMES[2] for row in p]
        right = sum(name == true for name, (_, true) in zip(said, PLAIN, strict=True))
        tell = log.info if right >= len(PLAIN) // 2 else log.warning
        tell("plain sentences read", model=self.version, right=right, of=len(PLAIN), said=said)

    def _one(self, text: str) -> NDArray[np.float64]:
        encoded = self._tokenizer.encode(text)
        arrays = {
            "input_ids": encoded.ids,
            "attention_mask": encoded.attention_mask,
            "token_type_ids": encoded.type_ids,
        }
        feed = {name: np.array([arrays[name]], dtype=np.int64) for name in self._runtime.inputs}
        try:
            logits = self._runtime.logits(feed)
        except (RuntimeError, ValueError, IndexError) as error:
            raise ModelError(f"{self.version}: the model refuses a text: {error}") from error
        if logits.shape != (len(self._columns),):
            raise ModelError(f"{self.version}: {logits.shape} logits, labels {len(self._columns)}")
        odds = np.exp(logits - logits.max())
        p = np.zeros(3)
        for share, name in zip(odds / odds.sum(), self._columns, strict=True):
            p[NAMES.index(name)] += share
        return p


def columns_of(
    id2label: Mapping[str, str], labels: Mapping[str, str], folder: Path
) -> tuple[str, ...]:
    """Polarity of each output, by the plan's `labels` or by the label's own name.

    Raises:
        UnknownLabels: with what was found and the line to write.
    """
    wrong = sorted(set(labels.values()) - set(NAMES))
    if wrong:
        raise UnknownLabels(f"keqing.toml: labels map to {wrong}; use {', '.join(NAMES)}")
    ordered = [str(id2label[key]) for key in sorted(id2label, key=int)]
    read = [labels.get(name) or _named(name) for name in ordered]
    if len(read) not in CLASSES or None in read or not {"negative", "positive"} <= set(read):
        line = ", ".join(f'"{name}" = "negative"' for name in ordered[:1])
        raise UnknownLabels(
            f"{folder}/config.json: labels {ordered} cannot be read as negative, neutral, positive; "
            f"write [nlp.second_stage] labels = {{ {line}, … }} in keqing.toml"
        )
    return tuple(str(name) for name in read)


def _named(label: str) -> str | None:
    plain = re.sub(r"[_\s]+", " ", label.strip().lower())
    return next((name for name, words in WORDS.items() if plain in words), None)


def _config(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: no JSON: {error}") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path}: no JSON object")
    return value


def open_tokenizer(folder: Path, most: int | None) -> Any:
    """The tokenizer of a folder, cutting at `most` tokens, or nowhere.

    The normaliser of tokenizer.json itself holds; AutoTokenizer would ignore it for BERT.

    Raises:
        ModelError: the file cannot be read.
    """
    from tokenizers import Tokenizer

    load = partial(Tokenizer.from_file, str(folder / "tokenizer.json"))
    try:
        tokenizer = load()
    except Exception as error:  # the library raises bare Exception
        raise ModelError(f"{folder}/tokenizer.json: {error}") from error
    tokenizer.no_padding()
    if most is None:
        tokenizer.no_truncation()
    else:
        tokenizer.enable_truncation(max_length=most)
    return tokenizer
