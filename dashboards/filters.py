"""Filters ⇄ query string ⇄ query tree: all state of a page stands in its address.

In:  the pairs of a query string. Out: Filters, their canonical query string, their Window and Node.
`parse(pairs(f)) == f`. A bad value of a known key is BadFilter; unknown keys are dropped, because
messengers add their own to a shared link.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from dashboards.times import BEIJING
from index.query import All, And, Node, Not, Or, Range, Sort, Tag, Window, parse
from keqing.errors import UsageError
from keqing.records import Channel, Kind, Polarity

SORTS = ("time", "risk", "interactions", "similar")
SPANS = {"1h": 1, "6h": 6, "24h": 24, "7d": 168, "30d": 720}
RANGES = (*SPANS, "today", "yesterday")
LANGS = ("zh", "en")
FIELDS = {
    "brand": "brand", "against": "negative_brand", "source": "source", "channel": "channel",
    "polarity": "polarity", "intent": "intent", "aspect": "aspect", "severity": "severity",
    "topic": "topic", "event": "event", "region": "region", "author": "author", "kind": "kind",
    "story": "story", "segment": "segment",
}  # fmt: skip
CLOSED = {
    "polarity": tuple(Polarity),
    "channel": tuple(Channel),
    "kind": tuple(Kind),
    "sort": SORTS,
    "range": RANGES,
    "lang": LANGS,
    "fold": ("0", "1"),
}
MOST_VALUES, MOST_LENGTH, LONGEST = 32, 256, timedelta(days=400)


class BadFilter(UsageError):
    """A known key with a value that cannot be meant; `key` and `value` say which."""

    def __init__(self, key: str, value: str) -> None:
        super().__init__(f"{key}={value[:80]!r}: use {', '.join(CLOSED.get(key, ())) or 'another'}")
        self.key, self.value = key, value


@dataclass(frozen=True)
class Filters:
    """What a page is asked; many-valued keys are ORed, different keys ANDed."""

    brand: tuple[str, ...] = ()
    against: tuple[str, ...] = ()  # negative towards these brands
    source: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    polarity: tuple[str, ...] = ()
    intent: tuple[str, ...] = ()
    aspect: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    topic: tuple[str, ...] = ()
    event: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    story: tuple[str, ...] = ()
    segment: tuple[str, ...] = ()
    q: str = ""
    range: str = "24h"
    since: datetime | None = None
    until: datetime | None = None
    min_reposts: int | None = None
    fold: bool = True
    sort: Sort = "time"
    cursor: str = ""
    lang: str = "zh"

    def pairs(self) -> list[tuple[str, str]]:
        """The canonical pairs; defaults are left out."""
        found: list[tuple[str, str]] = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value == field.default:
                continue
            values = value if isinstance(value, tuple) else (value,)
            found += [(field.name, _text(one)) for one in values]
        return found

    def url(self, path: str, **changes: Any) -> str:
        """Address of `path` with these filters changed; a cursor never outlives a change."""
        changed = dataclasses.replace(self, **({"cursor": ""} | changes))
        query = urlencode(changed.pairs())
        return f"{path}?{query}" if query else path

    def window(self, now: datetime) -> Window:
        """The span that is asked, on the clock of publication."""
        if self.since or self.until:
            end = self.until or now
            start = self.since or end - timedelta(hours=24)
            return Window(min(start, end), end)
        today = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
        if self.range == "today":
            return Window(today.astimezone(UTC), now)
        if self.range == "yesterday":
            return Window((today - timedelta(days=1)).astimezone(UTC), today.astimezone(UTC))
        return Window(now - timedelta(hours=SPANS[self.range]), now)

    def node(self, segment: Callable[[str], Sequence[str]], scope: Sequence[str] | None) -> Node:
        """The question: query box and all filters, within a brand scope (None: no bound).

        Raises:
            QueryError: the query box cannot be read.
        """
        parts = [any_of(FIELDS[key], getattr(self, key)) for key in FIELDS if getattr(self, key)]
        if self.min_reposts is not None:
            parts.append(Range("reposts", float(self.min_reposts), None))
        if scope is not None:
            parts.append(any_of("brand", scope))
        typed = parse(self.q, segment)
        return all_of([typed, *parts])


def read(pairs: Iterable[tuple[str, str]]) -> Filters:
    """Filters of a query string; blanks and unknown keys are dropped.

    Raises:
        BadFilter: a known key has a value that cannot be meant.
    """
    given: dict[str, list[str]] = {}
    known = {field.name for field in dataclasses.fields(Filters)}
    for key, value in pairs:
        if key in known and value.strip():
            _check(key, value)
            given.setdefault(key, []).append(value)
    values: dict[str, Any] = {key: _value(key, found) for key, found in given.items()}
    filters = Filters(**values)
    if filters.since and filters.until and filters.until - filters.since > LONGEST:
        raise BadFilter("since", given["since"][-1])
    return filters


def any_of(field: str, values: Sequence[str]) -> Node:
    """Any of these values; none at all matches nothing."""
    tags = tuple(Tag(cast(Any, field), value) for value in dict.fromkeys(values))
    if not tags:
        return Not(All())
    return tags[0] if len(tags) == 1 else Or(tags)


def all_of(parts: Sequence[Node]) -> Node:
    """All of these; `All` alone when nothing else is asked."""
    asked = tuple(part for part in parts if not isinstance(part, All))
    if not asked:
        return All()
    return asked[0] if len(asked) == 1 else And(asked)


def _check(key: str, value: str) -> None:
    allowed = CLOSED.get(key)
    longest = 2500 if key == "q" else MOST_LENGTH
    if (allowed is not None and value not in allowed) or len(value) > longest:
        raise BadFilter(key, value)


def _value(key: str, found: list[str]) -> object:
    if key in FIELDS:
        if len(found) > MOST_VALUES:
            raise BadFilter(key, found[-1])
        return tuple(dict.fromkeys(found))
    last = found[-1]
    if key in ("since", "until"):
        return _moment(key, last)
    if key == "min_reposts":
        if not (last.isascii() and last.isdigit() and len(last) < 10):
            raise BadFilter(key, last)
        return int(last)
    return last == "1" if key == "fold" else last


def _moment(key: str, value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        local = moment.replace(tzinfo=BEIJING) if moment.tzinfo is None else moment
        return local.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadFilter(key, value) from error


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(BEIJING).isoformat()
    return str(int(value)) if isinstance(value, bool) else str(value)
