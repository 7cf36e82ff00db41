"""Stage `score`: Posts that landed and are not scored → Mention files.

In:  settings, the workflow database, the time; or bare {"id", "text"} lines.
Out: one file of Mentions a batch, written aside and renamed; stories, voices, events and the batch log are
written in one transaction with it, so that a kill at any moment leaves nothing half done.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from keqing.cycles import without_gc
from keqing.errors import LandingError, UsageError
from keqing.landing import Landing
from keqing.privacy import mask, masked
from keqing.private import private_folder
from keqing.records import Mention, Post, Versions
from keqing.settings import Settings
from keqing.workflow import batches
from keqing.workflow.db import Engine, begin
from nlp import happenings, speakers, stories
from nlp.embed import packed
from nlp.said import Reading
from nlp.stories import Place
from nlp.understand import Reader
from nlp.vectors import of_posts

FILES_PER_BATCH = 5  # a landed file holds at most 1,000 posts
LINES_AT_ONCE = 500
PACKED = 1  # level of gzip: 8 µs a post, 6 takes 24 for files that are an eighth smaller


@dataclass
class ScoreReport:
    """What was understood; `rejected` counts brand look-alikes by reason.

    `unreadable` names damaged landing files with their reason; they wait, the others are scored.
    """

    read: int = 0
    scored: int = 0
    about_us: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)


def score(settings: Settings, engine: Engine, now: datetime) -> ScoreReport:
    """Score every landed file that no batch holds yet."""
    landing = Landing(settings.var / "landing")
    with begin(engine) as tx:
        done = batches.scored(tx)
    waiting = [file for file in landing.files() if file not in done]
    report = ScoreReport()
    if not waiting:
        return report
    reader = Reader(settings)
    for at in range(0, len(waiting), FILES_PER_BATCH):
        _score_readable(settings, engine, reader, waiting[at : at + FILES_PER_BATCH], now, report)
    return report


def _score_readable(
    settings: Settings, engine: Engine, reader: Reader, files: Sequence[str], now: datetime,
    report: ScoreReport,
) -> None:  # fmt: skip
    """Score files together; where one is damaged each for itself, so that it holds back no other."""
    try:
        score_batch(settings, engine, reader, files, now, report)
    except LandingError as error:
        if len(files) == 1:
            report.unreadable[files[0]] = str(error)
            return
        for file in files:
            _score_readable(settings, engine, reader, [file], now, report)


def score_batch(
    settings: Settings,
    engine: Engine,
    reader: Reader,
    files: Sequence[str],
    now: datetime,
    report: ScoreReport,
) -> None:
    """Score these landed files together into one file of Mentions; adds to `report`."""
    landing = Landing(settings.var / "landing")
    with without_gc():
        posts = [masked(post) for file in files for post in landing.read(file)]
        texts, titles = [p.text or "" for p in posts], [p.title or "" for p in posts]
        readings = reader.read(texts, titles, [p.source for p in posts])
        _write(
            settings, engine, reader, files, list(zip(posts, readings, strict=True)), now, report
        )


def score_lines(settings: Settings, lines: Iterable[str]) -> Iterator[dict[str, object]]:
    """Flat rows of what bare lines say.

    Raises:
        UsageError: a line that is no {"id", "text"} object; names its number.
    """
    reader = Reader(settings)
    chunk: list[tuple[object, str]] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            chunk.append(_bare(number, line))
        if len(chunk) == LINES_AT_ONCE:
            yield from _rows(reader, chunk)
            chunk = []
    yield from _rows(reader, chunk)


def _bare(number: int, line: str) -> tuple[object, str]:
    try:
        row = json.loads(line)
        return row.get("id", number), mask(str(row["text"]))
    except (json.JSONDecodeError, AttributeError, KeyError) as error:
        raise UsageError(f'line {number}: no {{"id": …, "text": …}} object') from error


def _rows(reader: Reader, chunk: Sequence[tuple[object, str]]) -> Iterator[dict[str, object]]:
    readings = reader.read([text for _, text in chunk], [""] * len(chunk))
    for (id_, _), said in zip(chunk, readings, strict=True):
        yield {
            "id": id_, "polarity": said.polarity, "p_negative": said.p[0], "p_neutral": said.p[1],
            "p_positive": said.p[2], "emotion": said.emotion, "intent": said.intent,
            "severity": [hit.name for hit in said.severity if hit.confidence >= 0.5],
            "aspects": list(said.aspects), "keywords": list(said.keywords),
            "model": reader.version,
        }  # fmt: skip


def _write(
    settings: Settings, engine: Engine, reader: Reader, files: Sequence[str],
    read: Sequence[tuple[Post, Reading]], now: datetime, report: ScoreReport,
) -> None:  # fmt: skip
    batch_id = hashlib.sha256("\n".join(files).encode()).hexdigest()[:16]
    name = f"{now:%Y-%m-%d}/{batch_id}.jsonl.gz"
    versions = reader.versions
    vectors = (
        of_posts(reader.parts.embedder, read) if reader.parts.embedder else {}
    )  # before the lock is taken
    with begin(engine) as tx:
        places = stories.fold(tx, batch_id, read, now)
        events = happenings.events(tx, reader, settings.plan.brands, read, places, now, vectors)
        verdicts = speakers.fold(tx, settings.plan.brands, read, places, now)
        mentions = [
            speakers.told(
                _mention(post, said, place, event, vectors.get(post.id), versions, now), verdict
            )
            for (post, said), place, event, verdict in zip(
                read, places, events, verdicts, strict=True
            )
        ]
        _save(settings.var / "mentions" / name, mentions)
        batches.record_scored(tx, batch_id, files, name, now)
    report.read += len(read)
    report.scored += len(mentions)
    report.about_us += sum(bool(mention.brands) for mention in mentions)
    reasons = Counter(rejection.reason for m in mentions for rejection in m.rejected)
    report.rejected = dict(Counter(report.rejected) + reasons)
    report.files.append(name)


def _mention(
    post: Post, said: Reading, place: Place, event: str | None, vector: bytes | None,
    versions: Versions, now: datetime,
) -> Mention:  # fmt: skip
    speaks = bool(post.text or post.title)
    return Mention(
        post=post,
        brands=said.matches.hits,
        rejected=said.matches.rejected,
        polarity=said.polarity if speaks else None,
        p_negative=said.p[0] if speaks else 0.0,
        p_neutral=said.p[1] if speaks else 0.0,
        p_positive=said.p[2] if speaks else 0.0,
        stage=said.stage if speaks else "none",
        intent=said.intent,
        intents=said.intents,
        emotion=said.emotion,
        sarcasm=said.sarcasm,
        aspects=said.aspects,
        aspect_hits=said.aspect_hits,
        severity=said.severity,
        hashtags=said.hashtags,
        topics=said.topics,
        keywords=said.keywords,
        tokens=said.tokens,
        title_tokens=said.title_tokens,
        story=place.story,
        story_role=place.role,
        event=event,
        vector=packed(vector) if vector and place.role == "original" else None,
        voice=place.voice,
        risk=_risk(said) if said.matches.hits else None,
        versions=versions,
        scored_at=now,
    )


def _risk(said: Reading) -> float:
    surest = max((hit.confidence for hit in said.severity), default=0.0)
    return round(50 * said.p[0] + 30 * surest, 4)


def _save(path: Path, mentions: Sequence[Mention]) -> None:
    private_folder(path.parent)
    body = "".join(mention.model_dump_json() + "\n" for mention in mentions).encode()
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with open(aside, "wb") as file:
        file.write(gzip.compress(body, PACKED, mtime=0))
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)
