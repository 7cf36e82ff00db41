"""One Mention again, by the models and the plan of now.

In:  a Mention as it was scored, what a Reader says of its post now. Out: the Mention with every field
that a Reader gives; what depends on other posts (story, event, voice, author) is kept as it was, so
that a comparison shows what the models changed and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from keqing.records import Mention, SeverityHit, Versions
from nlp.said import Reading
from nlp.understand import Reader

NEGATIVE_POINTS, SEVERITY_POINTS = 50, 30  # of `risk`


def rescored(mentions: Sequence[Mention], reader: Reader, now: datetime) -> list[Mention]:
    """These Mentions again, in the same order."""
    posts = [mention.post for mention in mentions]
    said = reader.read(
        [p.text or "" for p in posts], [p.title or "" for p in posts], [p.source for p in posts]
    )
    return [_again(m, new, reader.versions, now) for m, new in zip(mentions, said, strict=True)]


def _again(mention: Mention, said: Reading, versions: Versions, now: datetime) -> Mention:
    speaks = bool(mention.post.text or mention.post.title)
    named = {hit.brand for hit in said.matches.hits}
    same_subject = bool(named & {hit.brand for hit in mention.brands})
    p = said.p if speaks else (0.0, 0.0, 0.0)
    update = {
        "brands": said.matches.hits, "rejected": said.matches.rejected,
        "polarity": said.polarity if speaks else None,
        "p_negative": p[0], "p_neutral": p[1], "p_positive": p[2],
        "stage": said.stage if speaks else "none",
        "intent": said.intent, "intents": said.intents, "emotion": said.emotion,
        "sarcasm": said.sarcasm, "aspects": said.aspects, "aspect_hits": said.aspect_hits,
        "severity": said.severity, "hashtags": said.hashtags, "topics": said.topics,
        "keywords": said.keywords, "tokens": said.tokens, "title_tokens": said.title_tokens,
        "event": mention.event if same_subject else None,
        "risk": _risk(mention, said) if named else None,
        "versions": versions, "scored_at": now,
    }  # fmt: skip
    return mention.model_copy(update=update)


def _risk(mention: Mention, said: Reading) -> float:
    """The old risk moved by what the words say now; its other parts stay."""
    now = NEGATIVE_POINTS * said.p[0] + SEVERITY_POINTS * _surest(said.severity)
    if mention.risk is None:
        return round(now, 4)
    then = NEGATIVE_POINTS * mention.p_negative + SEVERITY_POINTS * _surest(mention.severity)
    return round(max(0.0, mention.risk - then + now), 4)


def _surest(hits: Sequence[SeverityHit]) -> float:
    return max((hit.confidence for hit in hits), default=0.0)
