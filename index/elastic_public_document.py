"""What the reduced copy of a post holds: an allow-list, so that a new field is not in it by itself.

In:  a hit with the columns READ. Out: the reduced object, and the mapping of its month.
No author, no followers, no address, no id, no word that anybody wrote: facets, times and numbers. A
basic licence knows neither field security nor masked fields, and an alias hides documents only, so
what must not be read stands in another index or nowhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from index.elastic_content import FIELD, of_hit

PUBLIC_VERSION = 1  # raise it with any change here: the copy is then made again
TAGS = ("brand", "negative_brand", "source", "channel", "platform", "kind", "region", "polarity",
        "emotion", "intent", "aspect", "topic", "severity")  # fmt: skip
TIMES = ("published_at", "first_seen_at", "collected_at")
NUMBERS = ("negative", "voice", "risk", "severe", "interactions", "likes", "comments", "reposts",
           "views", "rating")  # fmt: skip
EXACT = ("second", "minute")  # only then does a delay mean something
# The columns that are asked for.
READ = [*TAGS, *TIMES, *NUMBERS, "timed", "facts.story", "id", FIELD]

_KEY, _LONG, _DOUBLE = {"type": "keyword"}, {"type": "long"}, {"type": "double"}
# ISO text from Kibana, milliseconds from Grafana
_DATE = {"type": "date", "format": "strict_date_optional_time||epoch_millis"}
PROPERTIES: dict[str, Any] = {
    **{name: _KEY for name in TAGS},
    **{name: _DATE for name in TIMES},
    **{name: _LONG for name in NUMBERS},
    "risk": _DOUBLE, "severe": _DOUBLE, "rating": _DOUBLE,
    "timed": {"type": "boolean"}, "precision": _KEY, "delay_s": _LONG,
    "story": _KEY, "rejected": _KEY, "flags": _KEY, "stage": _KEY, "model": _KEY,
}  # fmt: skip


def mapping() -> dict[str, Any]:
    """Strict: a field that is not listed here is refused by the server too."""
    return {
        "dynamic": "strict",
        "_meta": {"public_version": PUBLIC_VERSION},
        "properties": PROPERTIES,
    }


def reduced(hit: Mapping[str, Any]) -> dict[str, Any]:
    """The reduced object; `delay_s` is first sight minus publication, in seconds, if both are exact."""
    columns, kept = hit["fields"], of_hit(hit).kept
    (timed,), precision = columns["timed"], kept["published_precision"]
    given = {
        **{name: columns[name] for name in TAGS if name in columns},
        **{name: columns[name][0] for name in NUMBERS if name in columns},
        **{name: int(columns[name][0]) for name in TIMES},
        "timed": timed,
        "precision": precision,
        "story": _hash(columns["facts.story"][0]),
        "rejected": sorted({str(rejection["reason"]) for rejection in kept["rejected"]}),
        "flags": kept["flags"],
        "stage": kept["stage"],
        "model": kept["versions"]["model"],
    }
    if timed and precision in EXACT:
        given["delay_s"] = (given["first_seen_at"] - given["published_at"]) // 1000
    return given


def _hash(story: str) -> str:
    """A story may be called after a post; here it is only the same or another one."""
    return hashlib.blake2b(story.encode(), digest_size=8).hexdigest()
