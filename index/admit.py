"""What no engine takes: documents that would break an index or a count.

In:  Mentions. Out: Documents, and the refused ids with the reason. The rule
is the same for every engine, so that their answers stay equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from index.document import Document, to_document
from keqing.errors import IndexRejected
from keqing.records import Mention, utc_text

MAX_ID_BYTES = 512
EARLIEST_S = -(2**32)  # the year 1833: seconds of a post's place in the order have 33 bits
AHEAD_S = 24 * 3600  # a site's clock may be wrong by its time zone, not by more
MAX_COUNTER = 2**62

Refused = tuple[str, str]


def admit(mentions: Sequence[Mention]) -> tuple[list[Document], list[Refused]]:
    """Documents that may be stored, and (id, reason) of those that may not."""
    documents: list[Document] = []
    refused: list[Refused] = []
    for mention in mentions:
        try:
            document = to_document(mention)
        except IndexRejected as error:
            refused.append((mention.post.id, str(error)))
            continue
        if (why := _objection(document)) is None:
            documents.append(document)
        else:
            refused.append((document.id, f"{document.id[:80]}: {why}"))
    return documents, refused


def _objection(doc: Document) -> str | None:
    """Why a document is not taken; None if it is."""
    if len(doc.id) > MAX_ID_BYTES // 4 and len(doc.id.encode()) > MAX_ID_BYTES:
        return f"its id has more than {MAX_ID_BYTES} bytes"
    if doc.published_at < EARLIEST_S:
        return "published before 1834"
    if doc.published_at > doc.collected_at / 1000 + AHEAD_S:
        # Against the time of collection, not of loading: a replay refuses the same posts.
        return f"published {_text(doc.published_at)}, more than a day after it was collected"
    if storable((*doc.counters.values(), doc.risk, doc.severity)):  # nearly all
        return None
    for name, value in (*doc.counters.items(), ("risk", doc.risk), ("severity", doc.severity)):
        if not storable((value,)):
            return f"{name} = {value} is no number that can be stored"
    return None


def storable(numbers: Iterable[float | None]) -> bool:
    """Whether all are numbers that every engine keeps as they are; nan is none."""
    for one in numbers:  # a generator costs three times as much
        if one is not None and not -MAX_COUNTER <= one <= MAX_COUNTER:
            return False
    return True


def _text(at: int) -> str:
    return utc_text(datetime.fromtimestamp(at, UTC))
