"""Posts → what they say, a batch at a time; pure, no state of other batches.

In:  masked texts and titles. Out: one Reading each, independent of its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from keqing.records import BrandHit, Polarity, SeverityHit
from keqing.settings import Settings
from nlp import cascade, lexicon, linear, rules
from nlp.brands import Matcher, Matches
from nlp.segment import keywords, make_segmenter
from nlp.severity import repeated, severity
from nlp.text import Words, flat, hashtags, split

_CLAUSE = re.compile(r"[。！？!?；;\n]|(?:，|,)(?=但|不过|然而|可是)")


@dataclass(frozen=True)
class Reading:
    """What one text says."""

    polarity: Polarity
    stage: cascade.Stage
    p: tuple[float, float, float]  # negative, neutral, positive
    emotion: str
    intent: str | None
    aspects: tuple[str, ...]
    severity: tuple[SeverityHit, ...]
    matches: Matches
    tokens: tuple[str, ...]
    title_tokens: tuple[str, ...]
    keywords: tuple[str, ...]
    hashtags: tuple[str, ...]


class Reader:
    """Model, dictionary, lexicons and plan of one installation; build it once a process."""

    def __init__(self, settings: Settings) -> None:
        self.model = linear.load()
        self.segmenter = make_segmenter(settings)
        self.matcher = Matcher(settings.plan.brands)
        self.cascade = cascade.build(self.model, settings.plan.nlp.second_stage, settings.root)
        self.version = self.cascade.version
        self.dictionary = f"{self.segmenter.version}+{lexicon.version()}"

    def read(self, texts: Sequence[str], titles: Sequence[str]) -> list[Reading]:
        """One Reading per text (with its title, "" if none)."""
        whole = [f"{title}\n{text}" if title else text for title, text in _pairs(titles, texts)]
        scores, stages = self.cascade.score(whole)
        return [
            self._one(n, text, title, scores, stages[n])
            for n, (title, text) in enumerate(_pairs(titles, texts))
        ]

    def _one(
        self, n: int, text: str, title: str, scores: linear.Scores, stage: cascade.Stage
    ) -> Reading:
        polarity = scores.polarity[n]
        own = split(text)
        plain = flat(f"{title}\n{own.own[own.start :]}")
        p = tuple(float(value) for value in scores.p[n])
        tokens = self.segmenter.tokens(text)
        title_tokens = self.segmenter.tokens(title)
        return Reading(
            polarity=polarity,
            stage=stage,
            p=(p[0], p[1], p[2]),
            emotion=scores.emotion[n],
            intent=rules.intent(plain, float(scores.complaint[n]), polarity),
            aspects=rules.aspects(plain),
            severity=severity(plain) or _passed_on(own),
            matches=self._towards(title, text, polarity, max(p)),
            tokens=tuple(tokens),
            title_tokens=tuple(title_tokens),
            keywords=keywords([*title_tokens, *tokens]),
            hashtags=hashtags(text),
        )

    def _towards(self, title: str, text: str, polarity: Polarity, p: float) -> Matches:
        """Polarity towards each brand: of the whole text, or of its clause if there are several."""
        found = self.matcher.find(title, text)
        if len({hit.brand for hit in found.hits}) <= 1:
            hits = tuple(self._felt(hit, polarity, p) for hit in found.hits)
        else:
            clauses = [_clause(title if hit.where == "title" else text, hit) for hit in found.hits]
            scores = self.model.score(clauses)
            hits = tuple(
                self._felt(hit, scores.polarity[n], float(scores.p[n].max()))
                for n, hit in enumerate(found.hits)
            )
        return Matches(hits, found.rejected)

    def _felt(self, hit: BrandHit, polarity: Polarity, p: float) -> BrandHit:
        return hit.model_copy(update={"polarity": polarity, "p": round(p, 4)})


def _passed_on(own: Words) -> tuple[SeverityHit, ...]:
    """What a repost without words of its own repeats."""
    return repeated(severity(flat(own.quoted))) if own.bare else ()


def _clause(text: str, hit: BrandHit) -> str:
    start = max((m.end() for m in _CLAUSE.finditer(text) if m.end() <= hit.start), default=0)
    end = next((m.start() for m in _CLAUSE.finditer(text) if m.start() >= hit.end), len(text))
    return text[start:end]


def _pairs(titles: Sequence[str], texts: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(titles, texts, strict=True))
