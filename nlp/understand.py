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

RIVAL = 0.3  # of a danger that words about a rival alone tell
_COMMA = re.compile(r"[，,]")
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
        self.brands = settings.plan.brands
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
        matches = self._towards(title, text, polarity, max(p))
        tokens = self.segmenter.tokens(text)
        title_tokens = self.segmenter.tokens(title)
        return Reading(
            polarity=polarity,
            stage=stage,
            p=(p[0], p[1], p[2]),
            emotion=scores.emotion[n],
            intent=rules.intent(plain, float(scores.complaint[n]), polarity),
            aspects=rules.aspects(plain),
            severity=self._danger(plain, text, matches) or _passed_on(own),
            matches=matches,
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
            clauses = [_words_about(title, text, hit, found.hits) for hit in found.hits]
            scores = self.model.score(clauses)
            hits = tuple(
                self._felt(hit, scores.polarity[n], float(scores.p[n].max()))
                for n, hit in enumerate(found.hits)
            )
        return Matches(hits, found.rejected)

    def _danger(self, plain: str, text: str, matches: Matches) -> tuple[SeverityHit, ...]:
        """Severity; less sure where only a rival is spoken of, beside a brand of ours."""
        found = severity(plain)
        inside = [hit for hit in matches.hits if hit.where != "title"]
        rival = [hit for hit in inside if not self.brands[hit.brand].ours]
        if not found or not rival or len(rival) == len(matches.hits):
            return found
        spans = [_span(text, hit, inside) for hit in rival]
        ours = [h for h in inside if h not in rival]
        theirs = [s for s in spans if not any(s[0] <= h.start < s[1] for h in ours)]
        words = "。".join(text[start:stop] for start, stop in theirs)
        count = {hit.name: plain.count(hit.term) - flat(words).count(hit.term) for hit in found}
        return tuple(
            hit
            if count[hit.name] > 0
            else hit.model_copy(update={"confidence": round(hit.confidence * RIVAL, 3)})
            for hit in found
        )

    def _felt(self, hit: BrandHit, polarity: Polarity, p: float) -> BrandHit:
        return hit.model_copy(update={"polarity": polarity, "p": round(p, 4)})


def _passed_on(own: Words) -> tuple[SeverityHit, ...]:
    """What a repost without words of its own repeats."""
    return repeated(severity(flat(own.quoted))) if own.bare else ()


def _words_about(title: str, text: str, hit: BrandHit, hits: Sequence[BrandHit]) -> str:
    whole = title if hit.where == "title" else text
    start, stop = _span(
        whole, hit, [h for h in hits if (h.where == "title") == (hit.where == "title")]
    )
    return whole[start:stop]


def _span(text: str, hit: BrandHit, hits: Sequence[BrandHit]) -> tuple[int, int]:
    """Where the words about a hit stand: from its comma on, until a comma that brings another brand.

    Brands between the same two commas share their words; a sentence's end ends them all.
    """
    commas = [0, *(m.end() for m in _COMMA.finditer(text))]
    ends = [0, *(m.end() for m in _CLAUSE.finditer(text))]
    start = max(at for at in {*commas, *ends} if at <= hit.start)
    stop = next((m.start() for m in _CLAUSE.finditer(text) if m.start() >= hit.end), len(text))
    others = [other.start for other in hits if other.brand != hit.brand and other.start >= hit.end]
    for at in commas:
        following = next((c for c in commas if c > at), len(text))
        if at >= hit.end and any(at <= other < following for other in others):
            return start, min(at, stop)
    return start, stop


def _pairs(titles: Sequence[str], texts: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(titles, texts, strict=True))
