"""Intent and aspects by word lists; the complaint head may add 投诉.

In:  flat words of a post, probability of complaint, polarity. Out: primary intent, aspects.
"""

from __future__ import annotations

from keqing.records import Polarity
from nlp import lexicon

COMPLAINT = 0.7


def intent(flat_text: str, complaint: float, polarity: Polarity) -> str | None:
    """The strongest intent whose words stand in the text; None if there is none."""
    for name, terms in lexicon.rows("intents.tsv"):
        praise = name == "表扬" and polarity != Polarity.POSITIVE
        if not praise and any(term in flat_text for term in terms.split()):
            return name
    return "投诉" if complaint >= COMPLAINT and polarity == Polarity.NEGATIVE else None


def aspects(flat_text: str) -> tuple[str, ...]:
    """Every aspect of which a word stands in the text."""
    table = lexicon.rows("aspects.tsv")
    return tuple(name for name, terms in table if any(t in flat_text for t in terms.split()))
