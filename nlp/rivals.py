"""What of a post is ours: rivals' blame is not counted against us.

In:  keys of the plan's rivals, whose words are whose in a post. Out: polarity towards us, dangers, and
which brands of the post are not ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from keqing.records import Polarity, SeverityHit
from nlp.rules import Signs
from nlp.severity import RIVAL, asserted, repeated
from nlp.towards import Towards

WORST_FIRST = (Polarity.NEGATIVE, Polarity.POSITIVE, Polarity.NEUTRAL)


@dataclass(frozen=True)
class Rivals:
    """Brands of the plan that are not ours."""

    keys: frozenset[str]

    def name_us(self, towards: Towards) -> bool:
        """Whether a post names a brand of ours."""
        return any(hit.brand not in self.keys for hit in towards.matches.hits)

    def not_ours(self, towards: Towards) -> frozenset[str]:
        """Rivals of a post that names one of ours too, and rivals without a name."""
        return self.keys | {""} if self.name_us(towards) else frozenset()

    def alone_at(self, towards: Towards, place: int) -> bool:
        """Whether a place is about a rival alone, beside a brand of ours."""
        about = towards.owned.at(place)
        return bool(about) and about <= self.not_ours(towards)

    def towards_us(self, towards: Towards, whole: Polarity) -> Polarity:
        """Polarity of what is said of us, where a rival is spoken of too; else of the whole post."""
        if not towards.shared:
            return whole
        felt = {h.polarity for h in towards.matches.hits if h.brand not in self.keys}
        return next((one for one in WORST_FIRST if one in felt), whole)

    def better(self, towards: Towards) -> bool:
        """Whether a comparison says that a rival is better than one of ours."""
        worse = [c.brand for c in towards.claims if c.verdict is not None and c.verdict < 0]
        return towards.shared and any(brand not in self.keys for brand in worse)

    def dangers(self, signs: Signs, towards: Towards) -> tuple[SeverityHit, ...]:
        """Dangers that words name; less sure where only a rival is spoken of."""
        if "severity" not in signs.found:
            return ()

        def discount(place: int) -> float:
            return RIVAL if self.alone_at(towards, place) else 1.0

        found = asserted(signs.own("severity"), signs.clauses, discount)
        if not found and signs.words.bare:
            return repeated(asserted(signs.quoted("severity"), signs.clauses))
        return found
