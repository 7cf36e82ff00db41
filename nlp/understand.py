"""Posts → what they say, a batch at a time; pure, no state of other batches.

In:  masked texts and titles. Out: one Reading each, independent of its neighbours.
The way: lists and dictionaries (Seen), both stages (Answer), what the lists make of both (Found), what
the heads make of all that (leaned), the Reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from keqing.records import Versions
from keqing.settings import Settings
from nlp import aspects, leaned, parts, rules, worded
from nlp.cascade import Watch
from nlp.emotion import emotion
from nlp.evidence import Evidence
from nlp.found import Answer, Found, Seen, evidence, settled
from nlp.intent import intents
from nlp.parts import Taught
from nlp.said import Reading
from nlp.sarcasm import sarcasm
from nlp.segment import keywords
from nlp.text import flat, hashtags, split
from nlp.towards import felt, spoken

GRAVE = 0.8  # a danger as sure as this is blame, whatever the tone


class Reader:
    """Understanding with the Parts of one installation; build it once a process."""

    def __init__(self, settings: Settings, taught: Taught = "saved", weigh: bool = True) -> None:
        """`taught`, `weigh`: see nlp/parts.py."""
        self.parts = parts.load(settings, taught, weigh)

    @property
    def version(self) -> str:
        """Versions of the models."""
        return self.parts.version

    @property
    def versions(self) -> Versions:
        """What every field that this Reader gives was produced by."""
        return self.parts.versions

    def read(
        self, texts: Sequence[str], titles: Sequence[str], sources: Sequence[str] = ()
    ) -> list[Reading]:
        """One Reading per text (with its title, "" if none, and its source, where known)."""
        seen, answers = self._read(texts, titles, sources)
        found = [self._found(one, answer) for one, answer in zip(seen, answers, strict=True)]
        leaned.weigh(self.parts, seen, answers, found)
        return [self._one(*each) for each in zip(seen, answers, found, strict=True)]

    def evidence(self, texts: Sequence[str]) -> list[Evidence]:
        """What the heads weigh of each text: all that lists and both stages find in it."""
        seen, answers = self._read(texts, [""] * len(texts))
        each = zip(seen, answers, strict=True)
        return [evidence(one, answer, self._found(one, answer)) for one, answer in each]

    def _read(
        self, texts: Sequence[str], titles: Sequence[str], sources: Sequence[str] = ()
    ) -> tuple[list[Seen], list[Answer]]:
        """What lists and both stages say of each text; brands with the polarity towards them."""
        pairs = list(zip(map(_sound, titles), map(_sound, texts), strict=True))
        known = sources or [""] * len(pairs)
        seen = [self._seen(*pair, source) for pair, source in zip(pairs, known, strict=True)]
        answers = self._answers([one.whole for one in seen], [self._watched(one) for one in seen])
        answers = [self._worded(one, answer) for one, answer in zip(seen, answers, strict=True)]
        whole = [(answer.polarity, max(answer.p)) for answer in answers]
        felt([one.towards for one in seen], self.parts.model, whole)
        return seen, answers

    def _seen(self, title: str, text: str, source: str) -> Seen:
        """What lists and dictionaries find; each text is made flat and split once."""
        plain = flat(title), flat(text)
        matches = self.parts.matcher.find(title, text, plain, source)
        signs = rules.read(self.parts.scanner, *plain, split(text), matches.hits)
        return Seen(
            whole=f"{title}\n{text}" if title else text,
            signs=signs,
            towards=spoken(matches, signs),
            sarcasm=sarcasm(signs),
            tokens=self.parts.segmenter.cut(plain[1]),
            title_tokens=self.parts.segmenter.cut(plain[0]) if title else [],
            hashtags=hashtags(text),
            topics=self.parts.topics.read(signs.text),
        )

    def _watched(self, seen: Seen) -> Watch:
        """How closely to look: danger named or praise that may be blame, beside a brand of ours."""
        if not self.parts.rivals.name_us(seen.towards):
            return Watch.NO
        grave = "severity" in seen.signs.found or bool(seen.sarcasm)
        return Watch.CLOSELY if grave else Watch.YES

    def _answers(self, whole: Sequence[str], watched: Sequence[Watch]) -> list[Answer]:
        scores, stages = self.parts.cascade.score(whole, watched)
        return [
            Answer(polarity, stage, (p[0], p[1], p[2]), feeling, complaint)
            for polarity, stage, p, feeling, complaint in zip(
                scores.polarity,
                stages,
                scores.p.tolist(),
                scores.emotion,
                scores.complaint.tolist(),
                strict=True,
            )
        ]

    def _worded(self, seen: Seen, answer: Answer) -> Answer:
        """The models' answer, corrected by words that all say one thing of a brand."""
        if not seen.towards.matches.hits:
            return answer
        dangers = self.parts.rivals.dangers(seen.signs, seen.towards)
        polarity, p = worded.settled(
            seen.signs,
            answer.polarity,
            answer.p,
            sarcastic=bool(seen.sarcasm),
            endangers=any(hit.confidence >= GRAVE for hit in dangers),
        )
        return replace(answer, polarity=polarity, p=p)

    def _found(self, seen: Seen, answer: Answer) -> Found:
        """What the lists find, given what both stages say."""
        signs, towards, rivals = seen.signs, seen.towards, self.parts.rivals
        said = aspects.aspects(signs, answer.polarity, towards.owner)
        not_ours = rivals.not_ours(towards)
        wants = intents(
            signs,
            rivals.towards_us(towards, answer.polarity),
            answer.complaint,
            [hit for hit in said if hit.brand not in not_ours],
            bool(seen.sarcasm),
            bool(towards.matches.hits),
            rivals.better(towards),
        )
        return Found(said, wants, rivals.dangers(signs, towards), sarcasm=seen.sarcasm)

    def _one(self, seen: Seen, answer: Answer, found: Found) -> Reading:
        towards, reasons = seen.towards, found.sarcasm
        said, wants, named = found.aspects, found.wants, bool(towards.matches.hits)
        answer, matches = settled(answer, towards.matches, wants, reasons)
        return Reading(
            polarity=answer.polarity,
            stage=answer.stage,
            p=answer.p,
            emotion=found.emotion
            or emotion(
                seen.signs, answer.polarity, answer.emotion, wants if named else (), bool(reasons)
            ),
            intents=wants,
            sarcasm=reasons,
            aspects=aspects.names(said, answer.polarity, self.parts.rivals.not_ours(towards)),
            aspect_hits=tuple(said),
            severity=found.severity,
            matches=matches,
            tokens=tuple(seen.tokens),
            title_tokens=tuple(seen.title_tokens),
            keywords=keywords([*seen.title_tokens, *seen.tokens]),
            hashtags=seen.hashtags,
            topics=seen.topics,
        )


def _sound(text: str) -> str:
    """Half a surrogate pair, which JSON can carry and no library reads, as a question mark."""
    return text.encode("utf-8", "replace").decode()
