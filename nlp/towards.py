"""Polarity towards each brand of a post, for a whole batch in one call of the classifier.

In:  Matches and Signs of each post; the first stage's model; polarity and p of each whole post.
Out: Towards, whose hits carry the polarity towards their brand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from keqing.records import BrandHit, Polarity
from nlp.aspects import sign
from nlp.brands import Matches
from nlp.linear import CLASSES, Model
from nlp.rules import Signs, place
from nlp.target import Claim, Named, Owners, claims, named_in, owners

FRAMED = 0.9  # confidence of a comparison frame
WORDED = 0.7  # least confidence of opinion words
SURE = 0.8  # the classifier against the opinion words wins only above this
Felt = tuple[Polarity, float]


@dataclass
class Towards:
    """Brands of one post, the words that are about each, and what is said of them."""

    matches: Matches
    owned: Owners = field(default_factory=Owners)
    claims: list[Claim] = field(default_factory=list)
    shared: bool = False  # several brands, or a rival without a name, share the post

    def owner(self, place: int) -> str | None:
        """The one brand that a place is about ("" = a rival without a name)."""
        about = self.owned.at(place)
        return next(iter(about)) if len(about) == 1 else None


def spoken(matches: Matches, held: Signs) -> Towards:
    """Whose words are whose, before any classifier."""
    if not matches.hits:
        return Towards(matches)
    hits = [Named(*place(hit, held.base), hit.brand) for hit in matches.hits]
    named = named_in(held.text, hits)
    owned = owners(held.clauses, named, held.opinions)
    shared = len({one.brand for one in named}) > 1
    return Towards(matches, owned, claims(held.clauses, named, owned, held.opinions), shared)


def felt(batch: Sequence[Towards], model: Model, whole: Sequence[Felt]) -> None:
    """Give each hit of the batch its polarity; brands that share a post by their own words."""
    unsettled = [c for t in batch if t.shared for c in t.claims if c.verdict is None]
    scores = model.score([claim.words for claim in unsettled])
    judged = {id(c): (scores.polarity[n], scores.p[n].tolist()) for n, c in enumerate(unsettled)}
    for towards, document in zip(batch, whole, strict=True):
        said: dict[str, Felt] = {}
        for claim in towards.claims:
            if claim.verdict is not None:
                said[claim.brand] = sign(claim.verdict), FRAMED
            elif towards.shared:
                said[claim.brand] = _weighed(claim, *judged[id(claim)])
            else:
                said[claim.brand] = document
        hits = tuple(_with(hit, *said.get(hit.brand, document)) for hit in towards.matches.hits)
        towards.matches = Matches(hits, towards.matches.rejected)


def neutral(matches: Matches) -> Matches:
    """The same hits without judgement."""
    hits = tuple(_with(hit, Polarity.NEUTRAL, hit.p) for hit in matches.hits)
    return Matches(hits, matches.rejected)


def alike(matches: Matches, polarity: Polarity, p: float) -> Matches:
    """The same hits, each with this judgement."""
    return Matches(tuple(_with(hit, polarity, p) for hit in matches.hits), matches.rejected)


def _weighed(claim: Claim, polarity: Polarity, p: Sequence[float]) -> Felt:
    """Opinion words speak unless the classifier is sure of the opposite."""
    if claim.weight == 0:
        return polarity, max(p)
    worded = sign(claim.weight)
    against = p[CLASSES.index(sign(-claim.weight))]
    if against >= SURE:
        return polarity, max(p)
    return worded, max(WORDED, p[CLASSES.index(worded)])


def _with(hit: BrandHit, polarity: Polarity, p: float) -> BrandHit:
    return hit.model_copy(update={"polarity": polarity, "p": round(p, 4)})
