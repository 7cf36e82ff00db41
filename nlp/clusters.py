"""Which texts are alike: embeddings → a space in which matters lie apart → clusters.

In:  unit vectors, one a row. Out: the cluster of each row. Each vector is drawn towards its nearest
neighbours first, which parts matters that touch at their edges; then come principal components and
k-means. `python -m bench.words` measures it.

Source: Wu et al. 2019, ICML, Simplifying graph convolutional networks (the drawing).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

K = range(3, 13)  # numbers of clusters that are tried
SMALLEST = 5  # rows a cluster, in the mean, where the number is to be found
COMPONENTS = 32
NEIGHBOURS, ROUNDS = 10, 2  # 20 and 40, 1 to 8 rounds: less by up to .03 on THUCNews titles (train)
RESTARTS = 5
SILHOUETTE_OF = 2000
BLOCK = 1024
SEED = 7

Floats = NDArray[np.float32]
Ints = NDArray[np.intp]


def centred(vectors: Floats) -> Floats:
    """Unit vectors from their common centre: strangers have a cosine of 0."""
    return unit(vectors - vectors.mean(axis=0))


def cohesion(rows: Floats) -> float:
    """Mean cosine of two different rows of some unit rows."""
    total, count = rows.sum(axis=0), len(rows)
    return float(total @ total - count) / (count * (count - 1))


def space(vectors: Floats) -> Floats:
    """(n, d) unit vectors → (n, ≤ COMPONENTS) unit rows in which like stories lie together."""
    from scipy.sparse import csr_matrix

    drawn = centred(vectors)
    count = len(drawn)
    some = min(NEIGHBOURS, max(1, count // 15))
    near, weight = _neighbours(drawn, some)
    rows = np.repeat(np.arange(count), some)
    graph: Any = csr_matrix((weight.ravel(), (rows, near.ravel())), (count, count))
    graph = graph.maximum(graph.T)
    graph.setdiag(1)
    scale = 1 / np.sqrt(np.asarray(graph.sum(axis=1)).ravel())
    for _ in range(ROUNDS):
        drawn = scale[:, None] * (graph @ (scale[:, None] * drawn))
    drawn = drawn - drawn.mean(axis=0)
    _, axes = np.linalg.eigh((drawn.T @ drawn).astype(np.float64))
    return unit(drawn @ axes[:, ::-1][:, :COMPONENTS])


def clusters(place: Floats, k: int | None = None, seed: int = SEED) -> Ints:
    """The cluster of each row of `space`, 0 … k-1; k by the best silhouette where it is None."""
    from sklearn.metrics import silhouette_score
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # sums of several threads differ in their last bits
        if k is not None:
            return _k_means(place, k, seed)
        best: tuple[float, Ints] = (-2.0, np.zeros(len(place), np.intp))
        different = len(np.unique(np.round(place, 4), axis=0))
        for n in range(K.start, min(K.stop, different, len(place) // SMALLEST + 1)):
            found = _k_means(place, n, seed)
            some = np.random.default_rng(seed).permutation(len(place))[:SILHOUETTE_OF]
            score = float(silhouette_score(place[some], found[some]))
            if score > best[0]:
                best = score, found
        return best[1]


def _k_means(place: Floats, k: int, seed: int) -> Ints:
    from sklearn.cluster import KMeans

    fitted: Ints = KMeans(k, n_init=RESTARTS, random_state=seed).fit_predict(place).astype(np.intp)
    return fitted


def _neighbours(rows: Floats, some: int) -> tuple[Ints, Floats]:
    """The nearest `some` others of each unit row, and their cosines from 0."""
    near = np.zeros((len(rows), some), np.intp)
    weight = np.zeros((len(rows), some), np.float32)
    for at in range(0, len(rows), BLOCK):
        alike = rows[at : at + BLOCK] @ rows.T
        own = np.arange(len(alike))
        alike[own, at + own] = -1
        found = np.argpartition(-alike, some - 1, axis=1)[:, :some]
        near[at : at + BLOCK] = found
        weight[at : at + BLOCK] = np.maximum(np.take_along_axis(alike, found, axis=1), 1e-6)
    return near, weight


def unit(rows: Any) -> Floats:
    """Rows of length 1; a row that is nothing but noise stays short."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    answer: Floats = (rows / np.maximum(lengths, 1e-5)).astype(np.float32)  # noise stays small
    return answer
