"""Models, dictionaries, lexicons and plan of one installation, loaded together.

In:  settings. Out: Parts, and the versions that every field of a Reading was produced by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from keqing.records import Versions
from keqing.settings import Settings
from nlp import cascade, embed, heads, homonyms, house, lexicon, linear
from nlp.brands import Matcher
from nlp.cascade import Cascade
from nlp.cues import Scanner
from nlp.embed import Embedder
from nlp.heads import Heads
from nlp.house import House
from nlp.linear import Model
from nlp.rivals import Rivals
from nlp.segment import Segmenter, make_segmenter
from nlp.topics import Topics

LEXICONS = "lexicons"  # an installation's own words, beside keqing.toml
Taught = House | Literal["saved"] | None


@dataclass
class Parts:
    """What a Reader reads with; slow to load."""

    model: Model
    cascade: Cascade
    embedder: Embedder | None  # none where the second stage is off
    heads: Heads | None
    segmenter: Segmenter
    matcher: Matcher
    topics: Topics
    scanner: Scanner
    rivals: Rivals
    dictionary: str
    rules: str
    plan: str

    @property
    def version(self) -> str:
        """Versions of all models."""
        loaded = (self.cascade, self.embedder, self.heads)
        return "+".join(one.version for one in loaded if one is not None)

    @property
    def versions(self) -> Versions:
        """What every field was produced by."""
        return Versions(
            model=self.version, dictionary=self.dictionary, rules=self.rules, plan=self.plan
        )


def load(settings: Settings, taught: Taught = "saved", weigh: bool = True) -> Parts:
    """The parts of an installation.

    Args:
        taught: what corrections taught, by default as it is saved in this installation.
        weigh: whether heads weigh what the lists find (only with a second stage).
    """
    plan = settings.plan
    model = linear.load(linear.folder_of(plan.nlp.model, settings.root))
    if taught == "saved":
        taught = house.load(settings.var / house.FOLDER, model)
    embedder = None if plan.nlp.second_stage.model == "off" else embed.shipped()
    senses = homonyms.load(settings.var / homonyms.FOLDER)
    segmenter, own = make_segmenter(settings), settings.root / LEXICONS
    terms = list(lexicon.own(own))
    return Parts(
        model=model,
        cascade=cascade.build(model, plan.nlp.second_stage, settings.root, taught),
        embedder=embedder,
        heads=heads.load() if embedder is not None and weigh else None,
        segmenter=segmenter,
        matcher=Matcher(plan.brands, senses),
        topics=Topics(plan.topics),
        scanner=Scanner(terms),
        rivals=Rivals(frozenset(key for key, brand in plan.brands.items() if not brand.ours)),
        dictionary="+".join((segmenter.version, *([senses.version] if senses else []))),
        rules=lexicon.version(own),
        plan=settings.config_hash,
    )
