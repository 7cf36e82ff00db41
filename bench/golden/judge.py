"""Precision, recall and F1 of each field that the rules decide, and what was read wrong.

In:  golden rows, a Reader, readings of their texts. Out: Scores by field, and Errors.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bench.golden.rows import NOTHING, Labels, Row, posts, rows, settings
from bench.golden.rows import Post as Golden
from keqing.privacy import mask
from keqing.records import Author, Post
from nlp import authors
from nlp.region import Regions
from nlp.said import Reading
from nlp.text import flat
from nlp.understand import Reader

SURE, NOTED = 0.8, 0.5  # a danger that alarms alone, one that is shown
NOW = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)


@dataclass
class Counts:
    """Right, wrongly found and missed of one class."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        """Share of what was found that is right; 1 where nothing was found."""
        found = self.right + self.wrong
        return self.right / found if found else 1.0

    @property
    def recall(self) -> float:
        """Share of what is there that was found; 1 where nothing is there."""
        there = self.right + self.missed
        return self.right / there if there else 1.0

    @property
    def f1(self) -> float:
        """2 right / (2 right + wrong + missed)."""
        both = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / both if both else 1.0


@dataclass
class Score:
    """One field: counts by class."""

    classes: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    rows: int = 0
    exact: int = 0  # rows without anything wrong or missed

    def add(self, wanted: Iterable[str], found: Iterable[str], may: Iterable[str] = ()) -> None:
        """One row: what must be, what was found, what may be."""
        must, got, free = set(wanted), set(found), set(may)
        self.rows += 1
        self.exact += must <= got <= must | free
        for name in must & got:
            self.classes[name].right += 1
        for name in must - got:
            self.classes[name].missed += 1
        for name in got - must - free:
            self.classes[name].wrong += 1

    def join(self, other: Score) -> None:
        """Count another's rows too."""
        self.rows += other.rows
        self.exact += other.exact
        for name, one in other.classes.items():
            mine = self.classes[name]
            mine.right, mine.wrong = mine.right + one.right, mine.wrong + one.wrong
            mine.missed += one.missed

    @property
    def whole(self) -> Counts:
        """All classes as one."""
        each = self.classes.values()
        return Counts(
            *(sum(getattr(c, part) for c in each) for part in ("right", "wrong", "missed"))
        )

    @property
    def macro(self) -> float:
        """Mean F1 of the classes that occur among the labels."""
        there = [c.f1 for c in self.classes.values() if c.right + c.missed]
        return sum(there) / len(there) if there else 1.0


@dataclass(frozen=True)
class Error:
    """A row that was read otherwise than its label says."""

    row: Row
    field: str
    text: str
    wanted: str
    found: str


@dataclass
class Judged:
    """Scores by (half, field), and all errors."""

    scores: dict[tuple[str, str], Score] = field(default_factory=lambda: defaultdict(Score))
    errors: list[Error] = field(default_factory=list)

    def add(
        self, row: Row, name: str, text: str, wanted: Sequence[str], found: Sequence[str],
        may: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Count one row of one field, and keep it if it is wrong."""
        self.scores[row.half, name].add(wanted, found, may)
        if set(wanted) - set(found) or set(found) - set(wanted) - set(may):
            shown = "、".join([*wanted, *(f"{m}?" for m in may)])
            self.errors.append(Error(row, name, text, shown, "、".join(found)))

    def both(self, name: str) -> Score:
        """One field of both halves."""
        answer = Score()
        for (_, field_), score in self.scores.items():
            if field_ == name:
                answer.join(score)
        return answer


def judge(
    second_stage: bool = True, rounds: frozenset[int] | None = None, heads: bool = True
) -> Judged:
    """Read all golden rows and count."""
    reader = Reader(settings(second_stage), weigh=heads)
    answer = Judged()
    judge_posts(answer, reader, posts(rounds))
    _dangers(answer, reader, list(rows("dangers", rounds)))
    _names(answer, reader, list(rows("names", rounds)))
    _regions(answer, reader, list(rows("regions", rounds)))
    _roles(answer, list(rows("roles", rounds)))
    _masks(answer, list(rows("masks", rounds)))
    return answer


def judge_posts(answer: Judged, reader: Reader, golden: Sequence[Golden]) -> None:
    """Count posts with labels of every field."""
    for post, said in zip(golden, _read(reader, [p.text for p in golden]), strict=True):
        text, row = f"[{post.case}] {post.text}", post.row
        wanted, may = _one_of(post.intents, said.intents)
        answer.add(row, "intent", text, wanted, said.intents, may)
        answer.add(row, "primary intent", text, *_primary(post.intents, said.intent))
        emotion = said.emotion if said.emotion in post.emotions else post.emotions[0]
        answer.add(row, "emotion", text, [emotion], [said.emotion])
        _aspects(answer, post, said, text)
        felt = {hit.brand: str(hit.polarity) for hit in said.matches.hits}
        key = _keys(reader)
        for brand, sign in post.towards.items():
            answer.add(row, "towards", f"{text} → {brand}", [sign], [felt.get(key[brand], "")])
        must, perhaps = post.severity.must, post.severity.may
        answer.add(row, "severity of posts", text, must, sure(said), perhaps)
        answer.add(row, "dangers at all", text, must, sure(said, NOTED), perhaps)
        if post.sarcastic is not None:
            flags = ["s"] if post.sarcastic else []
            answer.add(row, "sarcasm", text, flags, ["s"] if said.sarcasm else [])


def _aspects(answer: Judged, post: Golden, said: Reading, text: str) -> None:
    """Aspects; with the clause that carries each; with its polarity too."""
    row, hits = post.row, said.aspect_hits
    must = [one.name for one in post.aspects if not one.optional]
    may = [one.name for one in post.aspects if one.optional]
    names = [name for name in said.aspects if name != "none"]
    answer.add(row, "aspects", text, must, names, may)
    for one in post.aspects:
        of_name = [hit for hit in hits if hit.name == one.name]
        if one.optional or one.name not in names:
            continue
        at = post.text.find(one.anchor)
        there = [hit for hit in of_name if hit.start < at + len(one.anchor) and at < hit.end]
        wanted = f"{one.name}:{one.anchor}"
        spans = [wanted] if there else [post.text[hit.start : hit.end] for hit in of_name[:1]]
        answer.add(row, "  its clause", text, [wanted], spans)
        best = (there or of_name)[0]
        answer.add(
            row, "  its polarity", f"{text} → {wanted}", [one.polarity], [str(best.polarity)]
        )


def _dangers(answer: Judged, reader: Reader, golden: Sequence[Row]) -> None:
    texts = [row.cells[2] for row in golden]
    for row, said in zip(golden, _read(reader, texts), strict=True):
        wanted, kind, text = row.cells
        found = sure(said)
        if wanted == NOTHING:
            answer.add(row, "danger, not asserted", f"[{kind}] {text}", [], found)
        else:
            answer.add(row, "danger, asserted", text, [wanted], found, found)


def _names(answer: Judged, reader: Reader, golden: Sequence[Row]) -> None:
    key = _keys(reader)
    texts = [row.cells[1] for row in golden]
    for row, said in zip(golden, _read(reader, texts), strict=True):
        name, sign, text = row.cells[0][:-1], row.cells[0][-1], row.cells[1]
        found = key[name] in {hit.brand for hit in said.matches.hits}
        answer.add(row, "brand", text, ["+"] if sign == "+" else [], ["+"] if found else [])


def _regions(answer: Judged, reader: Reader, golden: Sequence[Row]) -> None:
    said = _read(reader, [row.cells[0] for row in golden])
    where = Regions(reader.parts.matcher._brands)
    for row, one in zip(golden, said, strict=True):
        text, ip, wanted = row.cells
        found = where.of(_post(text, region=ip), one)
        place = found.place or found.region or ""
        province, _, finer = wanted.partition(" ")
        right = found.region == province and (finer in place if finer else place == province)
        answer.add(
            row,
            "region",
            f"{text} ({ip}) {wanted} ≠ {place}",
            ["right"],
            ["right"] if right else [],
        )


def _roles(answer: Judged, golden: Sequence[Row]) -> None:
    brands = settings(False).plan.brands
    for row in golden:
        wanted, author, text = row.cells
        made = _post(text, author=Author.model_validate(json.loads(author or "{}")))
        words = authors.said(flat(text), about_us=True)
        found = authors.role(made, words, brands, lived_before=False, suspected=False)
        answer.add(row, "role", text, [wanted], [str(found.role)])


def _masks(answer: Judged, golden: Sequence[Row]) -> None:
    for row in golden:
        text, secrets = row.cells
        masked = mask(text)
        if secrets == NOTHING:
            answer.add(
                row, "mask, harmless", f"{text} → {masked}", [], ["mask"] if masked != text else []
            )
        else:
            gone = [] if any(one in masked for one in secrets.split(",")) else ["gone"]
            answer.add(row, "mask, contact", text, ["gone"], gone)


def _keys(reader: Reader) -> dict[str, str]:
    """Key of each brand by its name and its other writings."""
    brands = reader.parts.matcher._brands.items()
    return {word: key for key, brand in brands for word in (brand.name, *brand.aliases)}


def sure(said: Reading, least: float = SURE) -> list[str]:
    """Classes of danger sure enough for an alarm, or for notice."""
    return [hit.name for hit in said.severity if hit.confidence >= least]


def _read(reader: Reader, texts: Sequence[str]) -> list[Reading]:
    return reader.read(texts, [""] * len(texts)) if texts else []


def _one_of(wanted: Labels, found: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Two optional intents and no certain one: either is wanted."""
    if wanted.must or len(wanted.may) < 2 or set(wanted.may) & set(found):
        return wanted.must, wanted.may
    return wanted.may[:1], wanted.may[1:]


def _primary(wanted: Labels, found: str | None) -> tuple[list[str], list[str]]:
    """The intent that the post has above all; an optional one is as good."""
    right = {*wanted.must[:1], *wanted.may}
    none_right = not wanted.must and len(wanted.may) < 2
    if found in right or (found is None and none_right):
        return [found or "-"], [found or "-"]
    return [wanted.must[0] if wanted.must else next(iter(wanted.may), "-")], [found or "-"]


def _post(text: str, **more: Any) -> Post:
    return Post(
        id="x:1", platform="x", source="x", text=text, run_id="golden", first_seen_at=NOW,
        collected_at=NOW, **({"author": Author(id="k1:a")} | more),
    )  # fmt: skip
