"""What is made of a Leaning: which findings of the lists stand, and which a likeness adds.

In:  what the lists found of one post, its Leaning. Out: polarity, intents, aspects, dangers, emotion, sarcasm.
Every bound was chosen by posts of writers that had taught nothing (python -m bench.golden.bounds) and by Weibo
posts and reviews (python -m bench.golden.reviews), never by rounds 5 to 7. What a word names is never doubted: of 33
such dangers below .01 one was asserted, but of the plain posts that the lists know by heart two alarms would be lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from keqing.records import AspectHit, Polarity, SeverityHit
from nlp.aspects import Owner, like
from nlp.emotion import BLAMING as FELT
from nlp.emotion import JOY
from nlp.evidence import Evidence
from nlp.heads import SARCASM, Leaning, Likely
from nlp.intent import PRIORITY
from nlp.linear import CLASSES
from nlp.rules import Signs

P = tuple[float, float, float]
PRAISING = frozenset({"表扬", JOY})
BLAMED = FELT | {"投诉"}
SHARE = 0.3  # of the heads in the logits of neutral and of negative: more reads Weibo moods worse
RARER = 0.25  # off the logit of neutral, which is commoner among the posts that taught than among reviews
WANTED = 0.4  # an intent from here on
TOLD = 4.5  # times the odds of an intent that the lists found: plain words .74 → .80 right, vivid ones the same
PERHAPS = 0.2  # the best intent alone, where none is WANTED
SPOKEN_OF = 0.4  # an aspect that no word names, in a post without a word of any
BESIDE = 0.7  # … and in a post with one
DENIED = 0.01  # an aspect that a word names, below which it is not spoken of
LIKELY = 0.6  # a danger that no word names
BY_LIKENESS = 0.65  # what such a danger is worth: it is shown as likely
SURELY = 0.85  # … from here on it alarms like a word: of 147 such 133 were asserted
SURELY_WORTH = 0.85
IRONIC = 0.5  # sarcasm that no list sees: of 123 such posts 106 are meant so
LEAST = 1e-4  # no probability is nearer to 0 or 1
LIKENESS = "likeness"  # the reason of it


def polarity(p: P, leaning: Leaning) -> tuple[Polarity, P]:
    """Polarity and probabilities of both stages and the heads together."""
    new = leaning.polarity
    unfelt = _both(p[1], new[Polarity.NEUTRAL]) - RARER
    blame = _both(_of_felt(p[0], p[2]), _of_felt(new[Polarity.NEGATIVE], new[Polarity.POSITIVE]))
    neutral = 1 / (1 + math.exp(-unfelt))
    first, last = (round((1 - neutral) / (1 + math.exp(sign * blame)), 4) for sign in (-1, 1))
    mixed = first, max(0.0, round(1 - first - last, 4)), last
    return max(zip(mixed, CLASSES, strict=True), key=lambda one: one[0])[1], mixed


def wants(leaning: Leaning, p: P, told: Collection[str] = ()) -> tuple[str, ...]:
    """Intents, the likeliest first, the others by priority; those that the lists told are likelier."""
    raised = {n: _raised(value) if n in told else value for n, value in leaning.intents.items()}
    likely = _fitting(raised, p)
    best = max(likely, key=lambda name: likely[name])
    if likely[best] < PERHAPS:
        return ()
    rest = (name for name in PRIORITY if name != best and likely[name] >= WANTED)
    return (best, *rest)


def emotion(leaning: Leaning, p: P) -> str:
    """The likeliest emotion, the first of equals."""
    likely = _fitting(leaning.emotion, p)
    return max(likely, key=lambda name: likely[name])


def sarcasm(reasons: tuple[str, ...], leaning: Leaning) -> tuple[str, ...]:
    """Why a post may be meant the other way round: the lists' reasons, or that it reads so."""
    if reasons or leaning.sarcasm[SARCASM] < IRONIC:
        return reasons
    return (LIKENESS,)


def aspects(
    signs: Signs, hits: Sequence[AspectHit], leaning: Leaning, felt: Polarity, owner: Owner
) -> list[AspectHit]:
    """The lists' aspects that are likely enough, and the likely ones without a word, by place."""
    kept = [hit for hit in hits if leaning.aspects[hit.name] >= DENIED]
    named = {hit.name for hit in kept}
    least = BESIDE if named else SPOKEN_OF
    for name, p in leaning.aspects.items():
        clause = leaning.clauses["aspects"].get(name)
        if p >= least and name not in named and clause is not None:
            kept.append(like(signs, clause[0], name, clause[1], felt, owner))
    return sorted(kept, key=lambda hit: (hit.where != "title", hit.start, hit.name))


def needs_places(one: Evidence, likely: Likely) -> bool:
    """Whether an aspect or a danger is likely that no word of the post names."""
    named = {hit.name for hit in one.aspects if likely["aspects"][hit.name] >= DENIED}
    least = BESIDE if named else SPOKEN_OF
    new = any(p >= least for name, p in likely["aspects"].items() if name not in named)
    return new or any(p >= LIKELY for p in likely["severity"].values())


def dangers(
    hits: Sequence[SeverityHit],
    leaning: Leaning,
    elsewhere: Callable[[int], bool] = lambda _: False,
) -> tuple[SeverityHit, ...]:
    """The lists' dangers, none of them doubted, and the likely ones without a word.

    Where a word stands that its context takes back (denied, asked, passed on), a likeness does not alarm.

    Args:
        elsewhere: whether a clause speaks of a rival alone, whose danger is not ours.
    """
    surest = {hit.name: hit for hit in hits}
    for clause, new in _likely(leaning, set(surest)):
        if elsewhere(clause):
            continue
        if new.name not in surest or surest[new.name].confidence < new.confidence:
            surest[new.name] = new
    return tuple(sorted(surest.values(), key=lambda hit: (-hit.confidence, hit.name)))


def _both(old: float, new: float) -> float:
    """The logit of two probabilities together."""
    return (1 - SHARE) * _logit(old) + SHARE * _logit(new)


def _logit(p: float) -> float:
    held = min(max(p, LEAST), 1 - LEAST)
    return math.log(held / (1 - held))


def _of_felt(negative: float, positive: float) -> float:
    """The share of blame in what is felt; half where nothing is."""
    return (negative + LEAST) / (negative + positive + 2 * LEAST)


def _raised(p: float) -> float:
    """A probability after the lists said so too."""
    odds = TOLD * p / (1 - min(p, 0.9999))
    return odds / (1 + odds)


def _fitting(likely: Mapping[str, float], p: P) -> dict[str, float]:
    """Classes of praise less likely where a post blames, those of blame where it praises."""
    blame, _, praise = p
    held = {PRAISING: (1 - blame) ** 0.5, BLAMED: (1 - praise) ** 0.5}
    return {
        name: value * next((share for names, share in held.items() if name in names), 1.0)
        for name, value in likely.items()
    }


def _likely(leaning: Leaning, worded: Collection[str]) -> Iterator[tuple[int, SeverityHit]]:
    for name, (clause, words) in leaning.clauses["severity"].items():
        p = leaning.severity[name]
        if p >= LIKELY:
            worth = SURELY_WORTH if p >= SURELY and name not in worded else BY_LIKENESS
            yield clause, SeverityHit(name=name, term=words, confidence=worth)
