"""Where words settle what the models leave open, in posts that name a brand of the plan.

In:  Signs of a post, polarity and p of the models, whether it may be sarcastic or endangers. Out: polarity and p.
Each rule was counted on reviews (hotel, shopping, takeaway dev) and on the `tune` half of bench/golden: a
neutral post whose words only blame is blame (44 of 48 reviews), one that only denies faults
(没洒过没少过) is no blame. On posts about no brand the models alone decide: there the same rules lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from keqing.records import Polarity
from nlp.linear import CLASSES
from nlp.opinion import DENIED_BLAME
from nlp.rules import Signs

P = tuple[float, float, float]
SURE = 0.8  # a model that is surer than this of blame is not contradicted by one denial
UNSURE = 0.7  # below it much praise and no blame weighs more than the model
MANY = 2.0
_ASKS = re.compile(r"[?？]|吗(?:$|[，,。!！ ])|会不会|有没有|要不要|是否|是不是|怎么样|如何")
_SUPPOSES = re.compile(r"如果|要是|万一|假如|怕|担心|希望|建议|避免|防止|以免")


@dataclass(frozen=True)
class Weight:
    """How much a post's own words praise and blame; `denied` of the praise only denies faults."""

    praise: float
    blame: float
    denied: float


def weight(signs: Signs) -> Weight:
    """What the author's own words weigh, of a bare repost the quoted ones.

    Questions and suppositions are left out.
    """
    praise = blame = denied = 0.0
    for one in signs.opinions if signs.words.bare else signs.own_opinions:
        clause = signs.clauses.words(signs.clauses.at(one.start))
        if _ASKS.search(clause) or _SUPPOSES.search(clause):
            continue
        if one.weight < 0:
            blame -= one.weight
        elif one.weight == DENIED_BLAME:
            denied += 1
        praise += max(0.0, one.weight)
    return Weight(praise, blame, denied)


def settled(
    signs: Signs, polarity: Polarity, p: P, *, sarcastic: bool, endangers: bool
) -> tuple[Polarity, P]:
    """The models' answer, or that of the words where they all say one thing.

    p keeps its values: the two classes change places.
    """
    said = weight(signs)
    if polarity == Polarity.NEUTRAL and (said.blame or endangers) and not said.praise:
        return _instead(Polarity.NEGATIVE, polarity, p)
    if said.blame or sarcastic or endangers:
        return polarity, p
    denies = said.denied >= MANY or (said.denied and p[0] < SURE)
    if polarity == Polarity.NEGATIVE and (denies or (said.praise >= MANY and p[0] < UNSURE)):
        return _instead(Polarity.POSITIVE, polarity, p)
    if polarity == Polarity.NEUTRAL and said.praise >= MANY:
        return _instead(Polarity.POSITIVE, polarity, p)
    return polarity, p


def _instead(new: Polarity, old: Polarity, p: P) -> tuple[Polarity, P]:
    values = list(p)
    a, b = CLASSES.index(new), CLASSES.index(old)
    values[a], values[b] = values[b], values[a]
    return new, (values[0], values[1], values[2])
