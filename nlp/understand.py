"""Posts → what they say, a batch at a time; pure, no state of other batches.

In:  masked texts and titles. Out: one Reading each, independent of its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from keqing.errors import ModelError
from keqing.logs import get_logger
from keqing.records import AspectHit, Polarity, SeverityHit, Versions
from keqing.settings import Settings
from nlp import (
    aspects,
    cascade,
    embed,
    heads,
    house,
    lexicon,
    linear,
    relevance,
    rules,
    weighed,
    worded,
)
from nlp.brands import Matcher, Matches
from nlp.cues import Scanner
from nlp.emotion import emotion
from nlp.evidence import Evidence
from nlp.found import Answer, Found, Seen, evidence, settled
from nlp.heads import Leaning
from nlp.house import House
from nlp.intent import intents
from nlp.rules import Signs
from nlp.sarcasm import sarcasm
from nlp.segment import keywords, make_segmenter
from nlp.severity import RIVAL, asserted, repeated
from nlp.text import flat, hashtags, split
from nlp.topics import Topics
from nlp.towards import Towards, alike, felt, spoken

P = tuple[float, float, float]
GRAVE = 0.8  # a danger as sure as this is blame, whatever the tone
log = get_logger(__name__)


@dataclass(frozen=True)
class Reading:
    """What one text says."""

    polarity: Polarity
    stage: cascade.Stage
    p: P  # negative, neutral, positive
    emotion: str
    intents: tuple[str, ...]  # the primary first
    sarcasm: tuple[str, ...]  # reasons
    aspects: tuple[str, ...]
    aspect_hits: tuple[AspectHit, ...]
    severity: tuple[SeverityHit, ...]
    matches: Matches
    tokens: tuple[str, ...]
    title_tokens: tuple[str, ...]
    keywords: tuple[str, ...]
    hashtags: tuple[str, ...]
    topics: tuple[str, ...]

    @property
    def intent(self) -> str | None:
        """The primary intent."""
        return self.intents[0] if self.intents else None


class Reader:
    """Model, dictionary, lexicons and plan of one installation; build it once a process."""

    def __init__(
        self,
        settings: Settings,
        taught: House | Literal["saved"] | None = "saved",
        weigh: bool = True,
    ) -> None:
        """`taught`: what corrections taught, by default as it is saved in this installation.

        `weigh`: whether heads weigh what the lists find (only with a second stage).
        """
        self.model = linear.load(linear.folder_of(settings.plan.nlp.model, settings.root))
        self.segmenter = make_segmenter(settings)
        self.rivals = frozenset(k for k, brand in settings.plan.brands.items() if not brand.ours)
        senses = relevance.load(settings.var / relevance.FOLDER)
        self.matcher = Matcher(settings.plan.brands, senses)
        self.topics = Topics(settings.plan.topics)
        if taught == "saved":
            taught = house.load(settings.var / house.FOLDER, self.model)
        self.cascade = cascade.build(
            self.model, settings.plan.nlp.second_stage, settings.root, taught
        )
        off = settings.plan.nlp.second_stage.model == "off"
        self.embedder = None if off else embed.shipped()
        self.heads = heads.load(self.embedder) if self.embedder is not None and weigh else None
        loaded = (self.cascade, self.embedder, self.heads)
        self.version = "+".join(one.version for one in loaded if one is not None)
        own = settings.root / "lexicons"
        terms = list(lexicon.own(own))
        self._own_dangers = frozenset(one.term for one in terms if one.kind == "severity")
        self.scanner = Scanner(terms)
        words = (self.segmenter.version, *([senses.version] if senses else []))
        self.dictionary = "+".join(words)
        self.rules = lexicon.version(own)
        self._plan = settings.config_hash

    @property
    def versions(self) -> Versions:
        """What every field that this Reader gives was produced by."""
        return Versions(
            model=self.version, dictionary=self.dictionary, rules=self.rules, plan=self._plan
        )

    def read(
        self, texts: Sequence[str], titles: Sequence[str], sources: Sequence[str] = ()
    ) -> list[Reading]:
        """One Reading per text (with its title, "" if none, and its source, where known)."""
        seen, answers = self._read(texts, titles, sources)
        found = [self._found(one, answer) for one, answer in zip(seen, answers, strict=True)]
        self._weigh(seen, answers, found)
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
        said = [f"{title}\n{text}" if title else text for title, text in pairs]
        answers = self._answers(said, [self._watched(one) for one in seen])
        answers = [self._worded(one, answer) for one, answer in zip(seen, answers, strict=True)]
        whole = [(answer.polarity, max(answer.p)) for answer in answers]
        felt([one.towards for one in seen], self.model, whole)
        return seen, answers

    def _seen(self, title: str, text: str, source: str) -> Seen:
        """What lists and dictionaries find; each text is made flat and split once."""
        plain = flat(title), flat(text)
        matches = self.matcher.find(title, text, plain, source)
        signs = rules.read(self.scanner, *plain, split(text), matches.hits)
        tokens = self.segmenter.cut(plain[1])
        title_tokens = self.segmenter.cut(plain[0]) if title else []
        return Seen(
            signs,
            spoken(matches, signs),
            sarcasm(signs),
            tokens,
            title_tokens,
            hashtags(text),
            self.topics.read(signs.text),
        )

    def _watched(self, seen: Seen) -> cascade.Watch:
        """How closely to look: danger named or praise that may be blame, beside a brand of ours."""
        if not any(hit.brand not in self.rivals for hit in seen.towards.matches.hits):
            return cascade.Watch.NO
        grave = "severity" in seen.signs.found or bool(seen.sarcasm)
        return cascade.Watch.CLOSELY if grave else cascade.Watch.YES

    def _answers(self, whole: Sequence[str], watched: Sequence[cascade.Watch]) -> list[Answer]:
        scores, stages = self.cascade.score(whole, watched)
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
        grave = any(hit.confidence >= GRAVE for hit in self._danger(seen.signs, seen.towards))
        polarity, p = worded.settled(
            seen.signs,
            answer.polarity,
            answer.p,
            sarcastic=bool(seen.sarcasm),
            endangers=grave,
        )
        return replace(answer, polarity=polarity, p=p)

    def _found(self, seen: Seen, answer: Answer) -> Found:
        """What the lists find, given what both stages say."""
        signs, towards = seen.signs, seen.towards
        said = aspects.aspects(signs, answer.polarity, towards.owner)
        wants = intents(
            signs,
            self._towards_us(towards, answer.polarity),
            answer.complaint,
            [hit for hit in said if hit.brand not in self._not_ours(towards)],
            bool(seen.sarcasm),
            bool(towards.matches.hits),
            self._compared(towards),
        )
        return Found(said, wants, self._danger(signs, towards))

    def _weigh(self, seen: Sequence[Seen], answers: list[Answer], found: list[Found]) -> None:
        """Put in place what the heads make of the posts that name a brand of the plan."""
        if self.heads is None:
            return
        rows = [
            n
            for n, (one, answer) in enumerate(zip(seen, answers, strict=True))
            if one.towards.matches.hits and answer.stage != "degraded"
        ]
        try:
            leanings = self.heads.weigh(
                [evidence(seen[n], answers[n], found[n]) for n in rows], weighed.needs_places
            )
        except ModelError as error:
            log.warning("heads failed", rows=len(rows), error=str(error)[:200])
            for n in rows:
                answers[n] = replace(answers[n], stage="degraded")
            return
        for n, leaning in zip(rows, leanings, strict=True):
            answers[n], found[n] = self._leaned(seen[n], answers[n], found[n], leaning)

    def _leaned(
        self, seen: Seen, answer: Answer, found: Found, leaning: Leaning
    ) -> tuple[Answer, Found]:
        """Answer and findings of one post after its Leaning."""
        signs, towards = seen.signs, seen.towards
        polarity, p = weighed.polarity(answer.p, leaning)
        if not towards.shared:
            towards.matches = alike(towards.matches, polarity, max(p))
        said = aspects.aspects(signs, polarity, towards.owner)
        weighty = Found(
            weighed.aspects(signs, said, leaning, polarity, towards.owner),
            weighed.wants(leaning, p),
            weighed.dangers(
                found.severity,
                leaning,
                self._own_dangers,
                lambda clause: self._of_rival(towards, signs.clauses.span(clause)[0]),
            ),
            weighed.emotion(leaning, p),
        )
        return replace(answer, polarity=polarity, p=p), weighty

    def _one(self, seen: Seen, answer: Answer, found: Found) -> Reading:
        towards, reasons = seen.towards, seen.sarcasm
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
            aspects=aspects.names(said, answer.polarity, self._not_ours(towards)),
            aspect_hits=tuple(said),
            severity=found.severity,
            matches=matches,
            tokens=tuple(seen.tokens),
            title_tokens=tuple(seen.title_tokens),
            keywords=keywords([*seen.title_tokens, *seen.tokens]),
            hashtags=seen.hashtags,
            topics=seen.topics,
        )

    def _towards_us(self, towards: Towards, whole: Polarity) -> Polarity:
        """Polarity of what is said of us, where a rival is spoken of too; else of the whole post."""
        if not towards.shared:
            return whole
        felt_of = {h.polarity for h in towards.matches.hits if h.brand not in self.rivals}
        for one in (Polarity.NEGATIVE, Polarity.POSITIVE, Polarity.NEUTRAL):
            if one in felt_of:
                return one
        return whole

    def _compared(self, towards: Towards) -> bool:
        """Whether a comparison says that a rival is better than one of ours."""
        worse = [c.brand for c in towards.claims if c.verdict is not None and c.verdict < 0]
        return towards.shared and any(brand not in self.rivals for brand in worse)

    def _danger(self, signs: Signs, towards: Towards) -> tuple[SeverityHit, ...]:
        """Severity; less sure where only a rival is spoken of, beside a brand of ours."""
        if "severity" not in signs.found:
            return ()

        def discount(place: int) -> float:
            return RIVAL if self._of_rival(towards, place) else 1.0

        found = asserted(signs.own("severity"), signs.clauses, discount)
        if not found and signs.words.bare:
            return repeated(asserted(signs.quoted("severity"), signs.clauses))
        return found

    def _of_rival(self, towards: Towards, place: int) -> bool:
        """Whether a place is about a rival alone, beside a brand of ours."""
        about = towards.owned.at(place)
        return bool(about) and about <= self._not_ours(towards)

    def _not_ours(self, towards: Towards) -> frozenset[str]:
        """Rivals of a post that names one of ours too, and rivals without a name."""
        named = {hit.brand for hit in towards.matches.hits}
        return self.rivals | {""} if named - self.rivals else frozenset()


def _sound(text: str) -> str:
    """Half a surrogate pair, which JSON can carry and no library reads, as a question mark."""
    return text.encode("utf-8", "replace").decode()
