"""Where the words of a query stand in a text.

In:  the query, the document's tokens, its text. Out: sorted spans in code points of the text.
Tokens are aligned to the text from left to right; a token that is not found marks nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from index.ast import Node, leaves
from index.matcher import positions


def spans(node: Node, tokens: Sequence[str], text: str) -> tuple[tuple[int, int], ...]:
    """Spans of all matched leaves; overlapping ones are joined."""
    matched = sorted({n for leaf in leaves(node) for a, b in positions(leaf, tokens)
                      for n in range(a, b)})  # fmt: skip
    if not matched:
        return ()
    places = _places(tokens, text)
    found = sorted(place for n in matched if (place := places[n]) is not None)
    joined: list[tuple[int, int]] = []
    for start, end in found:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _places(tokens: Sequence[str], text: str) -> list[tuple[int, int] | None]:
    flat = text.lower()
    if len(flat) != len(text) or "Σ" in text:  # a final sigma is another letter than in a token
        flat = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    places: list[tuple[int, int] | None] = []
    at = 0
    for token in tokens:
        start = flat.find(token, at)
        if start < 0:
            places.append(None)
            continue
        at = start + len(token)
        places.append((start, at))
    return places
