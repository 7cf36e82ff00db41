"""Words of a text, with the plan's words kept whole.

In:  Settings (`[nlp] segmenter`, aliases and products of the plan).
Out: a Segmenter; index terms and query terms come from the same one. Its version names engine and
words, so a changed plan is a changed dictionary.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Container, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from keqing.settings import Plan, Settings
from nlp.text import flat
from nlp.words import accepted

PLAN_FREQUENCY = 1_000_000  # above any word of the base dictionary: a plan word is never split
MAX_KEYWORDS = 20
STOP_FILE = Path(__file__).parent / "lexicons" / "stopwords.tsv"


class Segmenter:
    """Cuts texts by one dictionary; build it once a process."""

    def __init__(self, engine: str, words: Iterable[str]) -> None:
        self.words = tuple(sorted({flat(word) for word in words if len(word) > 1}))
        self._cut: Any = _rust(self.words) if engine == "rjieba" else _python(self.words)
        release = importlib.metadata.version(engine)
        named = "\n".join((engine, release, *self.words))
        self.version = f"{engine}-{hashlib.sha256(named.encode()).hexdigest()[:12]}"

    def tokens(self, text: str) -> list[str]:
        """Words of `text`, lower-cased, simplified, without blanks and lone punctuation."""
        return self.cut(flat(text))

    def cut(self, plain: str) -> list[str]:
        """Words of a text that is flat already."""
        return [word for word in self._cut(plain) if word.isalnum() or _is_word(word)]


def make_segmenter(settings: Settings) -> Segmenter:
    """The segmenter of a plan, with the words that staff accepted.

    Raises:
        BadConfig: words.tsv has a line that is no decision.
    """
    own = [*plan_words(settings.plan), *accepted(settings.root)]
    return Segmenter(settings.plan.nlp.segmenter, own)


def in_dictionary(segmenter: Segmenter) -> Container[str]:
    """Every word that is known: the base dictionary's and the plan's."""
    return frozenset(segmenter.words) | _base_dictionary()


@cache
def _base_dictionary() -> frozenset[str]:
    import jieba

    jieba.setLogLevel(60)
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    return frozenset(word for word, count in tokenizer.FREQ.items() if count > 0)


def plan_words(plan: Plan) -> list[str]:
    """Every writing of a brand or product, and the phrases that exclude it."""
    words: list[str] = []
    for brand in plan.brands.values():
        words += [*brand.aliases, *brand.exclude]
        for writings in brand.products.values():
            words += writings
    return words


def keywords(tokens: Sequence[str], top: int = MAX_KEYWORDS) -> tuple[str, ...]:
    """Telling words of a text: by count, then by place; no stop words, digits, single letters."""
    stop = stop_words()
    counts: dict[str, int] = {}
    for word in tokens:
        if len(word) > 1 and word not in stop and not word.isdigit():
            counts[word] = counts.get(word, 0) + 1
    return tuple(sorted(counts, key=counts.__getitem__, reverse=True)[:top])


@cache
def stop_words() -> frozenset[str]:
    """Words without a subject of their own (lexicons/stopwords.tsv)."""
    lines = STOP_FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(w for line in lines if not line.startswith("#") for w in line.split())


def _is_word(word: str) -> bool:
    return any(char.isalnum() for char in word)


def _rust(words: Sequence[str]) -> Any:
    import rjieba

    engine = rjieba.Jieba()
    for word in words:
        engine.add_word(word, PLAN_FREQUENCY, "nz")
    return engine.cut


def _python(words: Sequence[str]) -> Any:
    import jieba

    jieba.setLogLevel(60)
    engine = jieba.Tokenizer()
    for word in words:
        engine.add_word(word, PLAN_FREQUENCY, "nz")
    return engine.lcut
