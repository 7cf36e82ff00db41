"""Posts that speak of the same matter in other words, by the vector of each story's first telling.

In:  packed vectors of Mentions (base64 of signed bytes). Out: bytes for the engines, and likeness.
A vector stands on the first post of a story; a copy is found by its story.
"""

from __future__ import annotations

import base64
import binascii

import numpy as np
from numpy.typing import NDArray

from keqing.errors import IndexRejected

WIDTH = 512


def vector_bytes(post_id: str, packed: str | None) -> bytes | None:
    """The signed bytes of a packed vector.

    Raises:
        IndexRejected: not WIDTH bytes, or all zero, which has no direction.
    """
    if packed is None:
        return None
    try:
        body = base64.b64decode(packed, validate=True)
    except binascii.Error as error:
        raise IndexRejected(f"{post_id}: vector is no base64") from error
    if len(body) != WIDTH or not any(body):
        raise IndexRejected(f"{post_id}: vector has {len(body)} bytes, {WIDTH} not all zero needed")
    return body


def cosines(one: bytes, others: list[bytes]) -> NDArray[np.float64]:
    """Cosine of `one` with each of `others`."""
    matrix = np.frombuffer(b"".join(others), np.int8).reshape(-1, WIDTH).astype(np.float64)
    vector = np.frombuffer(one, np.int8).astype(np.float64)
    lengths = np.linalg.norm(matrix, axis=1) * np.linalg.norm(vector)
    answer: NDArray[np.float64] = matrix @ vector / lengths
    return answer
