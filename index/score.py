"""How far a word stands out: one formula for every engine.

In:  counts here and in the background. Out: the JLH score, 0 where a word is no more frequent here.
"""

from __future__ import annotations


def jlh(count: int, n: int, background: int, m: int) -> float:
    """(share − usual) × share / usual.

    Args:
        count, n: posts here with the word, posts here.
        background, m: the same in the background; half a post is added, so that a new word counts.

    Source: the JLH score of Elasticsearch's significant terms (M. Harwood), absolute change × ratio.
    """
    share, usual = count / max(n, 1), (background + 0.5) / max(m, 1)
    return (share - usual) * share / usual if share > usual else 0.0
