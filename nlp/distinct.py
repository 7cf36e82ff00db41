"""Equal texts are read once: in a crisis a fifth of the posts are copies and reposts.

In:  texts, what reads distinct ones. Out: a row a text, as if each had been read by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

Rows = NDArray[Any]


def each_once(texts: Sequence[str], read: Callable[[Sequence[str]], Rows]) -> Rows:
    """Rows of `read` for `texts`, whose answer for a text must not hang on its neighbours."""
    place = {text: n for n, text in enumerate(dict.fromkeys(texts))}
    rows = read(list(place))
    return rows if len(place) == len(texts) else rows[[place[text] for text in texts]]
