"""What the index answers with: frozen values, each enough to show and to lead to its posts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from index.ast import Node
from keqing.records import Mention

Sort = Literal["time", "risk", "interactions", "similar"]


@dataclass(frozen=True)
class Window:
    """Half-open span of time on one clock."""

    start: datetime
    end: datetime
    clock: Literal["published", "first_seen"] = "published"

    def seconds(self) -> tuple[int, int]:
        """Bounds in stored whole seconds; a fraction in the end keeps its second in the window,
        or a post of this very second would be missed by a check of this very second.
        """
        return int(self.start.timestamp()), math.ceil(self.end.timestamp())


@dataclass(frozen=True)
class Hit:
    """One document as pages and alerts see it; `spans` mark the matched words of `text`."""

    id: str
    source: str
    channel: str
    kind: str
    platform: str
    url: str | None
    author: str | None
    author_name: str | None
    title: str | None
    text: str | None
    published_at: datetime
    published_precision: str
    first_seen_at: datetime
    collected_at: datetime
    polarity: str | None
    p_negative: float
    brands: tuple[str, ...]
    negative_brands: tuple[str, ...]
    topics: tuple[str, ...]
    aspects: tuple[str, ...]
    severity: tuple[str, ...]
    intent: str | None
    story: str
    region: str | None
    likes: int | None
    comments: int | None
    reposts: int | None
    risk: float | None
    rating: float | None
    keywords: tuple[str, ...]
    followers: int | None
    evidence: str | None
    spans: tuple[tuple[int, int], ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Count:
    """帖文, 不同事由, 作者声音: always shown together."""

    posts: int
    stories: int
    voices: int


@dataclass(frozen=True)
class SearchPage:
    """One page of hits; `next_cursor` asks for the next one, None at the end."""

    hits: tuple[Hit, ...]
    total: Count
    next_cursor: str | None
    as_of: datetime


@dataclass(frozen=True)
class Series:
    """Dense counts per step, oldest first, zeros filled; a blind step is the caller's to mark."""

    starts: tuple[datetime, ...]
    posts: tuple[int, ...]
    negative: tuple[int, ...]
    voices: tuple[int, ...]
    negative_voices: tuple[int, ...]
    positive: tuple[int, ...]


@dataclass(frozen=True)
class Bucket:
    """One value of a field with its posts and negative posts."""

    value: str
    posts: int
    negative: int


@dataclass(frozen=True)
class Keyword:
    """A word, its count here and in the background, and its JLH score."""

    word: str
    count: int
    background: int
    score: float


@dataclass(frozen=True)
class Similar:
    """A post of another story and the cosine of both vectors."""

    hit: Hit
    cosine: float


@dataclass(frozen=True)
class LoadReport:
    """What became of the mentions handed in; `rejected` pairs an id with the reason."""

    received: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    stale: int = 0
    rejected: tuple[tuple[str, str], ...] = ()

    def __add__(self, other: LoadReport) -> LoadReport:
        """Both together."""
        return LoadReport(
            self.received + other.received,
            self.created + other.created,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.stale + other.stale,
            self.rejected + other.rejected,
        )


class Build(Protocol):
    """A rebuild: all batches are added, then the answers come from it."""

    done: set[str]

    def add(self, batch_id: str, mentions: Sequence[Mention], now: datetime) -> LoadReport:
        """Write one batch; what is done is kept, so that a rebuild may be gone on with."""

    def swap(self, now: datetime) -> None:
        """Let questions be answered from it, in one step."""


class IndexEngine(Protocol):
    """Every question that pages and alerts ask; one contract suite runs on each engine."""

    def upsert(self, mentions: Sequence[Mention], now: datetime) -> LoadReport:
        """Store mentions; an older snapshot than the stored one is stale and skipped."""

    def refresh(self) -> None:
        """Make everything stored so far visible to questions."""

    def close(self) -> None:
        """Let go of files and connections."""

    def search(
        self,
        node: Node,
        window: Window | None,
        sort: Sort = "time",
        size: int = 20,
        cursor: str | None = None,
        fold: bool = False,
    ) -> SearchPage:
        """Posts that match, newest (riskiest, most answered) first."""

    def export(self, node: Node, window: Window | None, as_of: datetime) -> Iterator[Hit]:
        """Every match first seen before `as_of`, newest first; complete beside a writer."""

    def count(self, node: Node, window: Window | None) -> Count:
        """How many match."""

    def counts(
        self, brands: Sequence[str], window: Window, step_s: int, source: str | None = None
    ) -> dict[str, Series]:
        """Dense series per brand; steps are aligned to +08:00; back-fill without time is left out."""

    def counts_by(self, field: str, node: Node, window: Window | None) -> list[Bucket]:
        """Posts per value of a tag field, most first."""

    def keywords(
        self, node: Node, window: Window | None, background: Window, size: int = 20
    ) -> list[Keyword]:
        """Words that stand out in the window against the background."""

    def examples(self, node: Node, window: Window | None, n: int = 5) -> list[Hit]:
        """The riskiest posts of distinct stories."""

    def similar(self, post_id: str, window: Window | None, size: int = 10) -> list[Similar]:
        """Posts of other stories about a brand of this post, likest first, by embedding."""

    def document_alarms(self, window: Window, min_confidence: float) -> list[Hit]:
        """Posts with a brand that assert a severity class at least this surely."""

    def latest(self) -> datetime | None:
        """Newest first_seen_at; None in an empty index."""

    def generation(self) -> int:
        """A number that moves with every load that changed something."""

    def get(self, ids: Sequence[str]) -> list[Hit]:
        """Documents by id; missing ones are left out."""

    def find(self, field: Literal["author", "url"], value: str) -> list[str]:
        """Ids of the posts of an author (pseudonymous id) or at an address, sorted."""

    def tidy(self, now: datetime, months: int | None) -> int:
        """Nightly: drop months that lie wholly before the last `months`; how many documents went."""

    def building(self, now: datetime) -> Build:
        """A rebuild from Mentions, begun or gone on with."""

    def erase_ids(self, ids: Sequence[str]) -> int:
        """Remove documents for good; how many there were."""

    def snapshot(self, folder: Path) -> Path:
        """Put a copy into an existing folder, or the record of one kept elsewhere; gives the file."""

    def health(self) -> dict[str, Any]:
        """`ok`, `documents`, `bytes` and what is wrong."""
