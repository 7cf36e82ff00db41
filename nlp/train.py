"""Fit the linear heads and write a model folder: weights.npz, card.toml, card.md.

In:  folders of labelled rows (rows.py), a seed.
Out: the folder. Same files, seed and versions give the same bytes (one BLAS thread).
Naive-Bayes log-count ratios scale the features before logistic regression; calibration and
decision come from out-of-fold scores.

Source: Wang & Manning 2012, ACL, Baselines and bigrams; Platt 1999.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sklearn
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from keqing.logs import get_logger
from nlp import card
from nlp.features import SIZE, Batch, Floats, featurise
from nlp.linear import EMOTIONS, dot, rounded, sigmoid
from nlp.rows import EMOTION_OF, LabelledSet, read_sets

C = 2.0
FOLDS = 3
SMOOTHING = 1.0
EMOTION_BITS = 17
CHUNK = 2000
log = get_logger(__name__)

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Head:
    """One fitted head: weights on the raw buckets, out-of-fold scores of its rows."""

    weights: Floats
    slope: float
    offset: float
    held_out: NDArray[np.float64]


def train(
    data: Sequence[Path], out: Path, seed: int = 7, without: Sequence[str] = (), c: float = C
) -> None:
    """Fit all heads on the `*_train` files of `data` and write the folder `out`."""
    sets = read_sets(data, "train", ("tri", "bin", "intent", "emo"), without)
    polar = [s for s in sets if s.task in ("tri", "bin")]
    texts = [text for s in polar for text in s.texts]
    labels = np.array([label for s in polar for label in s.labels])
    tri = np.array([s.task == "tri" for s in polar for _ in s.texts])
    raw = vectors(texts)
    idf = inverse_frequency(raw)
    x = weighted(raw, idf)
    log.info("features ready", rows=x.shape[0], features=int(x.nnz))
    sign = labels != "neu"
    neutral = fit(x[tri], labels[tri] == "neu", seed, c)
    negative = fit(x[sign], labels[sign] == "neg", seed, c)
    three = _three(neutral, negative, tri, sign)
    bias = decision(three, labels[tri], np.repeat(_names(polar), _sizes(polar))[tri])
    log.info("polarity fitted", bias=bias)
    complaint = _complaint(sets, idf, seed, c)
    arrays = {"idf": idf, "neutral": neutral.weights, "negative": negative.weights}
    arrays |= {"complaint": complaint.weights, "emotion": _emotion(sets, idf, c)}
    heads = {"neutral": neutral, "negative": negative, "complaint": complaint}
    out.mkdir(parents=True, exist_ok=True)
    packed = {name: value.astype(np.float16) for name, value in arrays.items()}
    np.savez_compressed(out / "weights.npz", allow_pickle=False, **packed)
    digest = hashlib.sha256((out / "weights.npz").read_bytes()).hexdigest()
    card.write(
        out,
        sha256=digest,
        seed=seed,
        c=c,
        versions={"scikit-learn": sklearn.__version__, "numpy": np.__version__},
        calibration={name: (head.slope, head.offset) for name, head in heads.items()},
        decision=bias,
        rows={s.name: len(s.texts) for s in sets},
    )


def vectors(texts: Sequence[str]) -> csr_matrix:
    """Sparse rows of 1 + log(tf), not yet weighted."""
    parts = [featurise(texts[at : at + CHUNK]) for at in range(0, len(texts), CHUNK)]
    starts = np.concatenate([[0], np.cumsum(np.concatenate([np.diff(p.starts) for p in parts]))])
    columns = np.concatenate([part.columns for part in parts])
    values = np.concatenate([part.values for part in parts])
    return csr_matrix(
        (values, columns.astype(np.int32), starts.astype(np.int32)), shape=(len(texts), SIZE)
    )


def inverse_frequency(x: csr_matrix) -> Floats:
    """log((1 + n) / (1 + df)) + 1 of each bucket, as the weights keep it (half precision)."""
    seen = np.bincount(x.indices, minlength=SIZE)
    idf = np.log((1 + x.shape[0]) / (1 + seen)) + 1
    return np.asarray(idf.astype(np.float16), dtype=np.float32)


def weighted(x: csr_matrix, idf: Floats) -> csr_matrix:
    """The same rows after idf, each block of unit length again."""
    from nlp.features import CHAR_BITS

    values = (x.data * idf[x.indices]).astype(np.float32)
    rows = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))
    block = rows * 2 + (x.indices >= (1 << CHAR_BITS))
    square = np.bincount(block, weights=values * values, minlength=2 * x.shape[0])
    values /= np.sqrt(np.maximum(square, 1e-12))[block].astype(np.float32)
    return csr_matrix((values, x.indices, x.indptr), shape=x.shape)


def fit(x: csr_matrix, y: Bools, seed: int, c: float) -> Head:
    """One head on all rows, with slope and offset from FOLDS held-out folds."""
    fold = np.random.default_rng(seed).integers(0, FOLDS, len(y))
    held_out = np.zeros(len(y))
    for k in range(FOLDS):
        weights, offset = _logistic(x[fold != k], y[fold != k], c)
        held_out[fold == k] = x[fold == k] @ weights + offset
    weights, offset = _logistic(x, y, c)
    slope, shift = _platt(held_out, y)
    log.info("head fitted", rows=len(y), slope=round(slope, 3))
    return Head(weights, slope, slope * offset + shift, slope * held_out + shift)


def decision(
    p: NDArray[np.float64], labels: NDArray[np.str_], names: NDArray[np.str_]
) -> tuple[float, float]:
    """Biases on log p of negative and neutral: best mean macro-F1 with a fair negative share."""
    truth = np.searchsorted(["neg", "neu", "pos"], labels)
    best, answer = -1.0, (0.0, 0.0)
    for negative in np.arange(-0.4, 0.41, 0.1):
        for neutral in np.arange(-0.8, 0.41, 0.1):
            said = np.argmax(
                np.log(np.maximum(p, 1e-6)) + np.array([negative, neutral, 0.0]), axis=1
            )
            if abs((said == 0).mean() - (truth == 0).mean()) > 0.02:
                continue
            score = np.mean([_macro(truth[names == n], said[names == n]) for n in set(names)])
            if score > best:
                best, answer = float(score), (round(float(negative), 2), round(float(neutral), 2))
    return answer


def _macro(truth: NDArray[np.int64], said: NDArray[np.int64]) -> float:
    hit = [(2 * ((truth == k) & (said == k)).sum(), (truth == k).sum() + (said == k).sum())
           for k in range(3)]  # fmt: skip
    return float(np.mean([up / max(down, 1) for up, down in hit]))


def _logistic(x: csr_matrix, y: Bools, c: float) -> tuple[Floats, float]:
    ratio = _log_count_ratio(x, y)
    scaled = csr_matrix((x.data * ratio[x.indices], x.indices, x.indptr), shape=x.shape)
    model = LogisticRegression(C=c, solver="liblinear", tol=1e-3)  # lbfgs needs hundreds of steps
    model.fit(scaled, y)
    return (model.coef_[0] * ratio).astype(np.float32), float(model.intercept_[0])


def _log_count_ratio(x: csr_matrix, y: Bools) -> Floats:
    rows = np.repeat(y, np.diff(x.indptr))
    yes = np.bincount(x.indices[rows], minlength=SIZE) + SMOOTHING
    no = np.bincount(x.indices[~rows], minlength=SIZE) + SMOOTHING
    ratio = np.log((yes / yes.sum()) / (no / no.sum()))
    return np.asarray(ratio, dtype=np.float32)


def _platt(score: NDArray[np.float64], y: Bools) -> tuple[float, float]:
    line = LogisticRegression(C=1e6).fit(score[:, None], y)
    return float(line.coef_[0, 0]), float(line.intercept_[0])


def _three(neutral: Head, negative: Head, tri: Bools, sign: Bools) -> NDArray[np.float64]:
    """Out-of-fold p of the tri rows; the sign of neutral rows comes from the full head."""
    q = np.full(len(tri), 0.5)
    q[sign] = sigmoid(negative.held_out)
    q, u = q[tri], sigmoid(neutral.held_out)
    return rounded(np.stack([q * (1 - u), u, (1 - q) * (1 - u)], axis=1))


def _complaint(sets: Sequence[LabelledSet], idf: Floats, seed: int, c: float) -> Head:
    rows = [s for s in sets if s.task == "intent"]
    x = weighted(vectors([text for s in rows for text in s.texts]), idf)
    y = np.array([label == "complaint" for s in rows for label in s.labels])
    return fit(x, y, seed, c)


def _emotion(sets: Sequence[LabelledSet], idf: Floats, c: float) -> Floats:
    rows = [s for s in sets if s.task == "emo"]
    x = weighted(vectors([text for s in rows for text in s.texts]), idf)
    folded = csr_matrix((x.data, x.indices % (1 << EMOTION_BITS), x.indptr),
                        shape=(x.shape[0], 1 << EMOTION_BITS))  # fmt: skip
    folded.sum_duplicates()
    said = np.array([EMOTION_OF[label] for s in rows for label in s.labels])
    parts = [LogisticRegression(C=c, max_iter=30).fit(folded, said == name) for name in EMOTIONS]
    return np.stack([np.append(m.coef_[0], m.intercept_[0]) for m in parts]).astype(np.float32)


def _names(sets: Sequence[LabelledSet]) -> list[str]:
    return [s.name for s in sets]


def _sizes(sets: Sequence[LabelledSet]) -> list[int]:
    return [len(s.texts) for s in sets]


__all__ = ["Batch", "dot", "train"]
