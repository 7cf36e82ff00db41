"""What pages and exports show of a post: one binary column of the server's index.

In:  a Document, or a hit of a search that asked for it. Out: the column, or the content by name.
A record is one byte that names the dictionary, then the packed content with the counters, squeezed by
zstd. A column is read post by post, `_source` in packs of some hundred: so nothing is kept there that
stands here. A dictionary that was shipped stays, with its number: a better one gets the next.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from backports import zstd

from index.body import content
from index.document import COUNTERS, Document, Numbers
from keqing.errors import IndexFault, IndexOutdated

FIELD = "content"
DICTIONARIES: Mapping[int, str] = {1: "posts.zdict"}  # number → file beside this one
NEWEST = max(DICTIONARIES)
LEVEL = 1
# What a question asks for: with no stored field, not even `_id`, no pack is opened.
COLUMNS = {"_source": False, "stored_fields": "_none_"}

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class Content(NamedTuple):
    """What a record holds."""

    kept: dict[str, Any]  # by the names of index.body.FIELDS
    collected_at: datetime
    counters: Numbers


def record(doc: Document) -> bytes:
    """A document's column."""
    counters = [doc.counters[name] for name in COUNTERS]
    whole = _encode((doc.mention.post.collected_at, counters, msgspec.Raw(doc.body)))
    return bytes((NEWEST,)) + _squeezer(NEWEST).compress(whole, zstd.ZstdCompressor.FLUSH_FRAME)


def column(doc: Document) -> str:
    """The column as JSON takes it."""
    return b64encode(record(doc)).decode("ascii")


def of_hit(hit: Mapping[str, Any]) -> Content:
    """The content of a hit whose `docvalue_fields` name FIELD.

    Raises:
        IndexOutdated: a dictionary that only a later version of keqing knows.
        IndexFault: no content, or a damaged one. Both name the index and the post.
    """
    try:
        return read(b64decode(hit["fields"][FIELD][0]))
    except KeyError as error:
        raise IndexFault(f"{place(hit)}: it has no column {FIELD}; run keqing rebuild") from error
    except (ValueError, msgspec.DecodeError, zstd.ZstdError) as error:
        raise IndexFault(f"{place(hit)}: damaged ({error}); run keqing rebuild") from error
    except IndexOutdated as error:
        raise IndexOutdated(f"{place(hit)}: {error}") from error


def read(said: bytes) -> Content:
    """The content of a record.

    Raises:
        IndexOutdated: written with a dictionary that is not here.
        ValueError, msgspec.DecodeError, zstd.ZstdError: it is damaged.
    """
    number = said[0] if said else 0
    if number not in DICTIONARIES:
        known = ", ".join(map(str, DICTIONARIES))
        raise IndexOutdated(
            f"written with dictionary {number}, known are {known}; update keqing here, or run "
            "keqing rebuild"
        )
    whole = zstd.decompress(said[1:], zstd_dict=_dictionary(number))
    collected_at, counters, body = _decode(whole)
    return Content(content(body), collected_at, dict(zip(COUNTERS, counters, strict=True)))


def place(hit: Mapping[str, Any]) -> str:
    """Where a hit lies, for messages: its index and its post."""
    asked = hit.get("fields", {}).get("id") or hit.get("sort") or [hit.get("_id", "?")]
    return f"{hit.get('_index', '?')}, {asked[-1]}"


@cache
def _dictionary(number: int) -> Any:
    """A shipped dictionary, ready for use."""
    path = Path(__file__).with_name(DICTIONARIES[number])
    return zstd.ZstdDict(path.read_bytes()).as_digested_dict


@cache
def _squeezer(number: int) -> zstd.ZstdCompressor:
    """One for all threads: each call is a whole frame and holds its lock."""
    return zstd.ZstdCompressor(LEVEL, zstd_dict=_dictionary(number))
