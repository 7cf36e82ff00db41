"""Scoring again beside what stands: a second set of Mention files, and what would be different.

In:  settings, the workflow database with the batch log, a name, a window of scoring times.
Out: var/beside/<name>/ with Mention files of the window by the models and the plan of now; a
Comparison with the files that stand: changed values with posts, corrections of the judging half right
then and now, alerts that would and would not have been. Nothing that stands is written.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from alerts.run import check
from index.engine import open_index
from index.run import mentions_of
from keqing.errors import UsageError
from keqing.private import private_folder
from keqing.records import Incident, Mention, utc_text
from keqing.settings import IndexSettings, Settings
from keqing.workflow import batches, corrections, incidents
from keqing.workflow.batches import LoggedBatch
from keqing.workflow.corrections import Correction, own_value
from keqing.workflow.db import Engine, begin, open_file, read
from keqing.workflow.overlay import shown
from nlp.rescore import rescored
from nlp.understand import Reader

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
ABOUT = "about.json"
AT_ONCE = 500
FIELDS = ("polarity", "intent", "emotion", "severity", "brands")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rescored:
    """What was written beside."""

    name: str
    batches: int
    posts: int
    folder: str


@dataclass(frozen=True)
class Change:
    """One field of one post that would be different."""

    post: str
    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Alert:
    """An incident in short, as one of the two sides would have opened it."""

    brand: str
    scope: str
    level: str
    title: str


@dataclass
class Comparison:
    """What the set beside changes."""

    name: str
    posts: int
    changed: dict[str, int] = field(default_factory=dict)
    moves: dict[str, int] = field(default_factory=dict)
    sample: list[Change] = field(default_factory=list)
    judged: int = 0  # corrections of the judging half in the window
    right_before: int = 0
    right_after: int = 0
    alerts_lost: list[Alert] = field(default_factory=list)
    alerts_gained: list[Alert] = field(default_factory=list)
    alerts_same: int = 0


def rescore(
    settings: Settings, engine: Engine, name: str, since: datetime, until: datetime, now: datetime
) -> Rescored:
    """Score the batches of a window again into var/beside/<name>; a killed run leaves no such folder.

    Raises:
        UsageError: the name is taken or no name, or the window holds no batch.
    """
    folder = _folder(settings, name)
    if folder.exists():
        raise UsageError(f"{folder}: 已经存在，请换个名字或先删除 (exists; take another name)")
    window = _window(engine, since, until)
    if not window:
        raise UsageError(
            f"{utc_text(since)} – {utc_text(until)}: 这段时间没有研判批次 (no batch was scored)"
        )
    private_folder(folder.parent)
    aside = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=folder.parent))
    try:
        posts = _write(settings, aside, window, now)
        about = {"since": utc_text(since), "until": utc_text(until), "made_at": utc_text(now)}
        (aside / ABOUT).write_text(json.dumps(about), encoding="utf-8")
        os.replace(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Rescored(name, len(window), posts, str(folder))


def compare(settings: Settings, engine: Engine, name: str, size: int = 20) -> Comparison:
    """The set beside against the one that stands.

    Args:
        size: how many changed posts are named.

    Raises:
        UsageError: there is no such set.
    """
    folder = _folder(settings, name)
    if not (folder / ABOUT).exists():
        raise UsageError(f"{name}: 没有这一套；先 keqing score --as {name} (no such set)")
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    since, until = (datetime.fromisoformat(about[key]) for key in ("since", "until"))
    window = _window(engine, since, until)
    with read(engine) as tx:
        rows = corrections.standing(corrections.every(tx))
    found = Comparison(name, 0)
    _labels(found, list(_pairs(settings, folder, window)), rows, size)
    _alerts(found, settings, engine, folder, since, until)
    return found


def _write(settings: Settings, folder: Path, window: Sequence[LoggedBatch], now: datetime) -> int:
    reader, posts = Reader(settings), 0
    for batch in window:
        old = list(mentions_of(settings.var / "mentions" / batch.mention_file))
        path = folder / "mentions" / batch.mention_file
        private_folder(path.parent)
        with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
            for at in range(0, len(old), AT_ONCE):
                part = rescored(old[at : at + AT_ONCE], reader, now)
                file.writelines(mention.model_dump_json() + "\n" for mention in part)
        posts += len(old)
    return posts


def _pairs(
    settings: Settings, folder: Path, window: Sequence[LoggedBatch]
) -> Iterator[tuple[Mention, Mention]]:
    """Each post of the window once, as its newest batch has it: as it stands, and beside."""
    pairs: dict[str, tuple[Mention, Mention]] = {}
    for batch in window:
        before = mentions_of(settings.var / "mentions" / batch.mention_file)
        after = {m.post.id: m for m in mentions_of(folder / "mentions" / batch.mention_file)}
        pairs |= {m.post.id: (m, after[m.post.id]) for m in before if m.post.id in after}
    yield from (pairs[id_] for id_ in sorted(pairs))


def _labels(
    found: Comparison,
    pairs: Sequence[tuple[Mention, Mention]],
    rows: Sequence[Correction],
    size: int,
) -> None:
    changes = [change for before, after in pairs for change in _changes(before, after)]
    found.posts = len(pairs)
    found.changed = dict(Counter(change.field for change in changes).most_common())
    moved = Counter(f"{c.field}: {c.before} → {c.after}" for c in changes)
    found.moves = dict(moved.most_common())
    found.sample = changes[:size]
    sides = {before.post.id: (before, after) for before, after in pairs}
    judging = [row for row in rows if row.half == "judge" and row.post in sides]
    found.judged = len(judging)
    found.right_before = sum(own_value(sides[r.post][0], r.field) == r.to for r in judging)
    found.right_after = sum(own_value(sides[r.post][1], r.field) == r.to for r in judging)


def _changes(before: Mention, after: Mention) -> Iterator[Change]:
    for name in FIELDS:
        was, now = _value(before, name), _value(after, name)
        if was != now:
            yield Change(before.post.id, name, was, now)


def _value(mention: Mention, name: str) -> str:
    if name == "brands":
        return " ".join(sorted({hit.brand for hit in mention.brands})) or corrections.NONE
    return own_value(mention, name)


def _alerts(
    found: Comparison, settings: Settings, engine: Engine, folder: Path,
    since: datetime, until: datetime,
) -> None:  # fmt: skip
    before = _opened(settings, engine, {}, since, until)
    with read(engine) as tx:
        files = {b.mention_file for b in batches.logged(tx)}
    beside = {file: folder / "mentions" / file for file in files}
    own = {file: path for file, path in beside.items() if path.exists()}
    after = _opened(settings, engine, own, since, until)
    found.alerts_lost = [_short(before[key]) for key in sorted(before.keys() - after.keys())]
    found.alerts_gained = [_short(after[key]) for key in sorted(after.keys() - before.keys())]
    found.alerts_same = len(before.keys() & after.keys())


def _opened(
    settings: Settings,
    engine: Engine,
    instead: Mapping[str, Path],
    since: datetime,
    until: datetime,
) -> dict[tuple[str, str, str], Incident]:
    """Incidents that checks through the window would have opened on these files, by what they are.

    The last day is walked even where the window is shorter; everything runs in a folder that goes.
    """
    with tempfile.TemporaryDirectory(prefix="keqing-beside-") as scratch:
        plan = settings.plan.model_copy(update={"index": IndexSettings()})
        again = settings.model_copy(update={"root": Path(scratch), "plan": plan})
        own = open_file(again.var / "keqing.db")
        index = open_index(again)
        with read(engine) as tx:
            log = batches.logged(tx)
        for batch in log:
            standing = settings.var / "mentions" / batch.mention_file
            mentions = list(mentions_of(instead.get(batch.mention_file, standing)))
            index.upsert(shown(engine, mentions), batch.scored_at)
        index.refresh()
        for moment in _moments(since, until):
            check(again, own, index, moment)
        with begin(own) as tx:
            opened = incidents.list_incidents(tx)
        index.close()
        own.dispose()
    return {(i.brand, i.scope, i.level): i for i in opened if not i.scope.startswith("blind:")}


def _moments(since: datetime, until: datetime) -> list[datetime]:
    """Ends of the days of a window, the last one its end; a check walks the day before it."""
    days = max(1, -(-(until - since) // DAY))
    return [until - DAY * n for n in range(days - 1, -1, -1)]


def _short(incident: Incident) -> Alert:
    return Alert(incident.brand, incident.scope, incident.level, incident.title)


def _window(engine: Engine, since: datetime, until: datetime) -> list[LoggedBatch]:
    with read(engine) as tx:
        return [b for b in batches.logged(tx) if since <= b.scored_at <= until]


def _folder(settings: Settings, name: str) -> Path:
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r}: 名字只用小写字母、数字、- 和 _ (a-z, 0-9, -, _)")
    return settings.var / "beside" / name
