"""A search server's errors in our words: what happened, to which server, what to do.

In:  foreign exceptions, answers with an error in them. Out: IndexFaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from elastic_transport import ConnectionTimeout, SerializationError, TlsError
from elasticsearch import ApiError, UnsupportedProductError

from keqing.errors import (
    IndexBusy,
    IndexFault,
    IndexForbidden,
    IndexRejected,
    IndexTimeout,
    IndexUnavailable,
)
from keqing.settings import IndexSettings

Answer = dict[str, Any]
SHOWN = 300  # characters of a server's reason that a message repeats


def whole(answer: Answer) -> Answer:
    """The answer of a search, if it is one of all shards and in time."""
    if "error" in answer:
        raise refused(int(answer.get("status", 500)), answer, "search")
    if answer.get("timed_out"):
        raise IndexTimeout("the question took too long; narrow it")
    if failed := answer.get("_shards", {}).get("failed"):
        raise IndexUnavailable(
            f"{failed} shards did not answer; try again, then look at the server"
        )
    return answer


def translated(error: Exception, settings: IndexSettings, *, writing: bool) -> IndexFault:
    """A foreign error in our words: what happened, to which server, what to do."""
    where = settings.url or ""
    if isinstance(error, UnsupportedProductError):
        return IndexForbidden(
            f"{where}: the server is no Elasticsearch; for OpenSearch write "
            'flavour = "opensearch" under [index]'
        )
    if isinstance(error, ApiError):
        return refused(error.meta.status, error.body, where)
    if isinstance(error, TlsError):
        said = str(error)[:SHOWN]
        return IndexForbidden(f"{where}: its certificate is not trusted ({said}); set [index] ca")
    if isinstance(error, ConnectionTimeout) and not writing:
        return IndexTimeout(
            f"{where}: no answer within {settings.timeout_s:g} s; narrow the question"
        )
    if isinstance(error, SerializationError):
        return IndexUnavailable(f"{where}: the answer is not JSON; is this the search server?")
    return IndexUnavailable(
        f"{where}: no connection ({str(error)[:SHOWN]}); is the server running?"
    )


def refused(status: int, body: object, where: str) -> IndexFault:
    """The error of a status code and the server's reason."""
    kind, said = reason(body)
    if status == 429 and kind == "cluster_block_exception":
        return IndexBusy(f"{where}: it takes no more ({said}); free disk space on the server")
    if status == 429:
        return IndexBusy(f"{where}: too busy ({said}); try again later")
    if status == 401:
        return IndexForbidden(f"{where}: credentials are refused; check the key, user and password")
    if status == 403 and kind == "cluster_block_exception":
        return IndexUnavailable(f"{where}: the index is blocked ({said})")
    if status == 403:
        return IndexForbidden(f"{where}: a right is missing ({said})")
    if status in (408, 504) or "timeout" in kind or "time_exceeded" in kind:
        return IndexTimeout(f"{where}: it took too long ({said}); narrow the question")
    if status in (406, 415) or kind == "media_type_header_exception":
        return IndexForbidden(f"{where}: another server version than 9 ({said})")
    if status >= 500 or status == 404:
        return IndexUnavailable(f"{where}: {status} {said}")
    return IndexRejected(f"{where}: refused ({said})")


def reason(body: object) -> tuple[str, str]:
    """Type and shortened sentence of a server's error; the deepest cause says most."""
    error: Any = body.get("error", body) if isinstance(body, Mapping) else body
    if not isinstance(error, Mapping):
        return "", str(error)[:SHOWN]
    causes = [error, *error.get("root_cause", [])[:1]]
    while isinstance(deeper := causes[-1].get("caused_by"), Mapping):
        causes.append(deeper)
    said = "; ".join(dict.fromkeys(str(c.get("reason") or c.get("type", "")) for c in causes))
    return str(error.get("type", "")), said[:SHOWN]
