"""Close texts have close vectors; a vector is a text's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import events_written
from nlp.embed import WIDTH, Embedder, packed, signed, unpacked

OF_ONE_HAPPENING = 0.2  # least mean average precision; the base as it is has .188 with g
ABOUT = [
    "奶茶里喝出了塑料片，店家不肯退款",
    "在杯子里发现异物，找店员要求退钱被拒绝",
    "周末的演唱会门票一开售就抢光了",
    "昨晚那场演出座无虚席，票早就卖完",
]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


def test_close_texts_are_close(embedder: Embedder) -> None:
    """Two tellings of one matter in other words are closer than tellings of two matters."""
    v = embedder.vectors(ABOUT)
    cosine = v @ v.T
    assert np.diag(cosine) == pytest.approx(1.0, abs=1e-5)
    apart = max(cosine[a, b] for a in (0, 1) for b in (2, 3))
    assert min(cosine[0, 1], cosine[2, 3]) > apart + 0.1


@pytest.mark.parametrize("writer", events_written.writers("unseen"))
def test_posts_of_one_happening_stand_out(embedder: Embedder, writer: str) -> None:
    """By writers who taught nothing: less its brand's mean, a pair of one happening ranks above most others."""
    held, found = events_written.book([writer]), []
    for brand, name in held.names.items():
        lines = [line for line in held.lines if line.brand == brand]
        vectors = embedder.vectors([line.text.replace("{b}", name) for line in lines])
        away = vectors - vectors.mean(axis=0)
        away /= np.linalg.norm(away, axis=1, keepdims=True)
        ones, others = np.triu_indices(len(lines), 1)
        told = np.array([line.happening for line in lines])
        same = (told[ones] == told[others]) & (told[ones] != "")
        order = np.argsort(-(away @ away.T)[ones, others], kind="stable")
        right = same[order]
        found.append((np.cumsum(right) / np.arange(1, len(right) + 1))[right].mean())
    assert np.mean(found) > OF_ONE_HAPPENING


def test_alone_is_in_a_batch(embedder: Embedder) -> None:
    """Bit-equal alone, together, shuffled, in both scripts; no text has no neighbour."""
    together = embedder.vectors(ABOUT)
    assert (np.concatenate([embedder.vectors([text]) for text in ABOUT]) == together).all()
    assert (embedder.vectors(ABOUT[::-1])[::-1] == together).all()
    assert (embedder.vectors(["門票搶光"]) == embedder.vectors(["门票抢光"])).all()
    assert embedder.vectors([]).shape == (0, WIDTH)


@given(st.integers(0, 2**32 - 1))
def test_a_packed_vector_keeps_its_direction(seed: int) -> None:
    """512 bytes keep the cosine to a thousandth."""
    vector = np.random.default_rng(seed).normal(size=WIDTH).astype(np.float32)
    vector /= np.linalg.norm(vector)
    back = unpacked(packed(signed(vector)))
    assert float(vector @ back) > 0.999
    assert np.linalg.norm(back) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("text", ["", "??", "QUJD"])
def test_what_is_no_packed_vector_is_refused(text: str) -> None:
    """Other bytes are refused, not read as a vector."""
    with pytest.raises(ValueError, match="no packed vector"):
        unpacked(text)
