"""What one text says: the answer of understanding, before stories, events and authors.

In:  nothing. Out: Reading, the record that the rest of the line takes.
"""

from __future__ import annotations

from dataclasses import dataclass

from keqing.records import AspectHit, Polarity, SeverityHit
from nlp.brands import Matches
from nlp.cascade import Stage

P = tuple[float, float, float]


@dataclass(frozen=True)
class Reading:
    """What one text says."""

    polarity: Polarity
    stage: Stage
    p: P  # negative, neutral, positive
    emotion: str
    intents: tuple[str, ...]  # the primary first
    sarcasm: tuple[str, ...]  # reasons
    aspects: tuple[str, ...]
    aspect_hits: tuple[AspectHit, ...]
    severity: tuple[SeverityHit, ...]
    matches: Matches
    tokens: tuple[str, ...]
    title_tokens: tuple[str, ...]
    keywords: tuple[str, ...]
    hashtags: tuple[str, ...]
    topics: tuple[str, ...]

    @property
    def intent(self) -> str | None:
        """The primary intent."""
        return self.intents[0] if self.intents else None
