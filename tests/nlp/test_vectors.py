"""Embeddings of a batch: each text is read once, whoever asks for its vector."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from bench.golden.rows import settings
from keqing.records import Post
from nlp.distinct import each_once
from nlp.embed import Embedder, Floats, shipped, signed
from nlp.said import Reading
from nlp.understand import Reader
from nlp.vectors import of_posts

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
NAMED = "络驰停在地库里半夜自己烧起来了，旁边三台车都成了铁架子"


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(settings())


@pytest.fixture
def read_texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that the embedder reads while the test runs."""
    asked: list[str] = []
    really = Embedder._one

    def noting(self: Embedder, text: str) -> Floats:
        asked.append(text)
        return really(self, text)

    monkeypatch.setattr(Embedder, "_one", noting)
    return asked


def batch(reader: Reader, texts: Sequence[tuple[str, str]]) -> list[tuple[Post, Reading]]:
    """Posts with these titles and texts, read together."""
    posts = [
        Post(
            id=f"demo:{n}", platform="demo", source="demo", title=title or None, text=text,
            first_seen_at=NOW, collected_at=NOW, run_id="r",
        )
        for n, (title, text) in enumerate(texts)
    ]  # fmt: skip
    said = reader.read([text for _, text in texts], [title for title, _ in texts])
    return list(zip(posts, said, strict=True))


def test_rows_of_equal_texts_are_those_of_one_reading() -> None:
    """Each distinct text is read once, and its row stands at each of its places."""
    asked: list[list[str]] = []

    def lengths(texts: Sequence[str]) -> Floats:
        asked.append(list(texts))
        return np.array([[len(text)] for text in texts], np.float32)

    assert each_once(["甲", "乙乙", "甲"], lengths).tolist() == [[1], [2], [1]]
    assert asked == [["甲", "乙乙"]]


def test_equal_texts_of_a_batch_are_embedded_once(reader: Reader, read_texts: list[str]) -> None:
    """Copies of a post share one vector, title and text together."""
    read = batch(reader, [("", NAMED), ("说说络驰", "刹车软"), ("", NAMED)])
    read_texts.clear()  # the heads' encoder reads them too
    vectors = of_posts(shipped(), read)
    assert sorted(read_texts) == sorted([NAMED, "说说络驰\n刹车软"])
    assert vectors["demo:0"] == vectors["demo:2"] == signed(shipped().vectors([NAMED])[0])


def test_posts_of_no_brand_and_bare_reposts_get_none(reader: Reader) -> None:
    """Nothing is embedded for a post that names no brand or says nothing of its own."""
    read = batch(reader, [("", "今天天气不错"), ("", "转发微博//@甲：络驰的车漏水")])
    assert of_posts(shipped(), read) == {}
