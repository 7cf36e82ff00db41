"""Corrections laid over Mentions when they are loaded; the files keep what the model said.

In:  Mentions as the model left them, the standing corrections of their posts.
Out: Mentions with the corrected values, `stage` human where the polarity is a person's, and the
model's own values beside in `corrected`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keqing.records import BrandHit, Corrected, Mention, Polarity, Rejection, SeverityHit
from keqing.workflow import corrections, event_links
from keqing.workflow.corrections import NONE, Correction
from keqing.workflow.db import Engine, read

HUMAN = "HUMAN"  # reason of a hit or a rejection that a person decided
NEGATIVE_POINTS = 50  # of a negative post in `risk`


def shown(engine: Engine, mentions: Sequence[Mention]) -> list[Mention]:
    """What readers see of these Mentions."""
    with read(engine) as tx:
        rows = corrections.of_posts(tx, {mention.post.id for mention in mentions})
        parted = event_links.parted(tx)
    corrected = [
        laid_over(one, rows[one.post.id]) if one.post.id in rows else one for one in mentions
    ]
    return [_parted(one, parted) for one in corrected]


def _parted(mention: Mention, parted: Mapping[str, str]) -> Mention:
    """The event of a story that staff took out of the one that it was scored into."""
    if mention.event is None or mention.story not in parted:
        return mention
    return mention.model_copy(update={"event": parted[mention.story]})


def laid_over(mention: Mention, rows: Sequence[Correction]) -> Mention:
    """One Mention with the corrections of its post; the order of the fields moves nothing.

    A correction that says what the model says now is kept beside and changes no value.
    """
    own = mention
    for row in sorted(rows, key=lambda row: (row.field != "polarity", row.field)):
        if row.to != corrections.own_value(own, row.field):
            mention = mention.model_copy(update=_changes(mention, own, row))
        elif row.field == "polarity":
            mention = mention.model_copy(update={"stage": "human"})
    beside = tuple(
        Corrected(
            field=row.field, model=corrections.own_value(own, row.field), to=row.to, by=row.by,
            at=row.at, reason=row.reason,
        )
        for row in sorted(rows, key=lambda row: row.field)
    )  # fmt: skip
    return mention.model_copy(update={"corrected": beside})


def _changes(mention: Mention, own: Mention, row: Correction) -> dict[str, Any]:
    if row.field == "polarity":
        return _polarity(mention, Polarity(row.to))
    if row.field == "intent":
        rest = tuple(name for name in mention.intents if name not in (row.to, own.intent))
        if row.to == NONE:
            return {"intent": None, "intents": ()}
        return {"intent": row.to, "intents": (row.to, *rest)}
    if row.field == "emotion":
        return {"emotion": None if row.to == NONE else row.to}
    if row.field == "severity":
        return {"severity": _severity(mention, row.to)}
    return _brand(mention, row.field.removeprefix("brand:"), row.to == "yes")


def _polarity(mention: Mention, to: Polarity) -> dict[str, Any]:
    """The post's polarity; hits that felt like the model's whole post follow it."""
    p = [float(to == one) for one in Polarity]
    hits = tuple(
        hit.model_copy(update={"polarity": to, "p": 1.0})
        if hit.polarity == mention.polarity
        else hit
        for hit in mention.brands
    )
    moved = NEGATIVE_POINTS * (p[0] - mention.p_negative)
    risk = None if mention.risk is None else round(max(0.0, mention.risk + moved), 4)
    return {
        "polarity": to, "p_negative": p[0], "p_neutral": p[1], "p_positive": p[2],
        "stage": "human", "brands": hits, "risk": risk,
    }  # fmt: skip


def _severity(mention: Mention, to: str) -> tuple[SeverityHit, ...]:
    if to == NONE:
        return ()
    term = next((hit.term for hit in mention.severity if hit.name == to), "")
    return (SeverityHit(name=to, term=term, confidence=1.0),)


def _brand(mention: Mention, key: str, ours: bool) -> dict[str, Any]:
    if not ours:
        gone = [hit for hit in mention.brands if hit.brand == key]
        kept = tuple(hit for hit in mention.brands if hit.brand != key)
        said = {Rejection(brand=key, alias=hit.alias, reason=HUMAN): None for hit in gone}
        risk = mention.risk if kept else None
        return {"brands": kept, "rejected": (*mention.rejected, *said), "risk": risk}
    left = tuple(found for found in mention.rejected if found.brand != key)
    alias = next((found.alias for found in mention.rejected if found.brand == key), "")
    hit = BrandHit(
        brand=key, entity=alias or key, alias=alias, **_place(mention, alias), reason=HUMAN,
        polarity=mention.polarity or Polarity.NEUTRAL, p=_sureness(mention),
    )  # fmt: skip
    risk = mention.risk if mention.risk is not None else NEGATIVE_POINTS * mention.p_negative
    return {"brands": (*mention.brands, hit), "rejected": left, "risk": round(risk, 4)}


def _place(mention: Mention, alias: str) -> dict[str, Any]:
    """Where an alias stands; at the begin, empty, where a person named a brand that the words do not."""
    at = (mention.post.text or "").find(alias) if alias else -1
    if at >= 0:
        return {"start": at, "end": at + len(alias), "where": "own"}
    in_title = (mention.post.title or "").find(alias) if alias else -1
    if in_title >= 0:
        return {"start": in_title, "end": in_title + len(alias), "where": "title"}
    return {"start": 0, "end": 0, "where": "own"}


def _sureness(mention: Mention) -> float:
    return max(mention.p_negative, mention.p_neutral, mention.p_positive)
