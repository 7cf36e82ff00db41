"""The connection to a search server: one way to ask, foreign errors translated once.

In:  the plan's [index], the environment that holds the secrets. Out: answers as plain dicts.
A 429, a 5xx and a lost connection are asked again with full jitter, as long as the caller's Patience
lasts; all our writes may be repeated. What is left becomes an IndexFault (elastic_faults). Nothing else in keqing
knows the client's package (elastic_opensearch knows its transport).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from elastic_transport import (
    ApiResponse,
    JsonSerializer,
    TransportError,
)
from elasticsearch import ApiError, Elasticsearch, UnsupportedProductError

from index.elastic_faults import Answer, reason, refused, translated, whole
from keqing.errors import (
    BadConfig,
    IndexFault,
)
from keqing.settings import IndexSettings, secret

PASSING = {429, 502, 503, 504}  # the same call may succeed in a moment


@dataclass(frozen=True)
class Patience:
    """How often and how long to try again; pauses are uniform in [0, min(cap, first × 2ⁿ)].

    Source: Brooker 2015, "Exponential Backoff And Jitter" (full jitter), AWS Architecture Blog.
    """

    tries: int
    first_s: float
    cap_s: float
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random

    def pause(self, n: int) -> None:
        """Wait before try n + 2."""
        self.sleep(self.draw() * min(self.cap_s, self.first_s * 2.0**n))


READING = Patience(3, 0.2, 1.0)  # somebody waits for a page
WRITING = Patience(9, 1.0, 30.0)  # a server restarts within this


class Server:
    """One cluster; safe to share between threads."""

    def __init__(
        self,
        settings: IndexSettings,
        env: Mapping[str, str] | None = None,
        reading: Patience = READING,
        writing: Patience = WRITING,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings, self.reading, self.writing = settings, reading, writing
        self.clock = clock
        self._client = _client(settings, env)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        params: Mapping[str, Any] | None = None,
        accept: Sequence[int] = (),
    ) -> Answer:
        """The answer of one call that reads.

        Args:
            accept: further status codes whose body is an answer.

        Raises:
            IndexFault: what went wrong, in our words.
        """
        return self._patiently(self.reading, method, path, body, params, accept)

    def tell(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        params: Mapping[str, Any] | None = None,
        accept: Sequence[int] = (),
    ) -> Answer:
        """The answer of one call that writes: more patient, since it may simply be repeated."""
        return self._patiently(self.writing, method, path, body, params, accept)

    def search(self, target: str, body: Mapping[str, Any]) -> Answer:
        """A search that is whole or an error: never an answer of some shards.

        Raises:
            IndexTimeout: it did not end in time.
            IndexUnavailable: a shard did not answer.
        """
        limit = f"{int(self.settings.timeout_s * 1000)}ms"
        params = {"allow_partial_search_results": "false"}
        answer = self.ask("POST", f"/{target}/_search", {**body, "timeout": limit}, params=params)
        return whole(answer)

    def searches(self, target: str, bodies: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """Several searches in one call, each whole or an error."""
        limit = f"{int(self.settings.timeout_s * 1000)}ms"
        head = {"allow_partial_search_results": False}
        lines = [line for body in bodies for line in (head, {**body, "timeout": limit})]
        answer = self.ask("POST", f"/{target}/_msearch", lines)
        return [whole(part) for part in answer["responses"]]

    def create(self, index: str, body: Mapping[str, Any] | None = None) -> None:
        """Make an index; one that is there already stays as it is."""
        answer = self.tell("PUT", f"/{index}", body, accept=[400])
        if "error" in answer and reason(answer)[0] != "resource_already_exists_exception":
            raise refused(400, answer, index)

    def bulk(self, lines: Sequence[bytes]) -> Answer:
        """One bulk call, tried once: who sends it knows which documents to send again."""
        body = b"\n".join([*lines, b""])  # one piece: the client looks at each line otherwise
        return self._once("POST", "/_bulk", body, None, (), writing=True)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _patiently(
        self,
        patience: Patience,
        method: str,
        path: str,
        body: object,
        params: Mapping[str, Any] | None,
        accept: Sequence[int],
    ) -> Answer:
        for n in range(patience.tries):
            try:
                writing = patience is self.writing
                return self._once(method, path, body, params, accept, writing=writing)
            except IndexFault as error:
                if not error.retry or n + 1 == patience.tries:
                    raise
                patience.pause(n)
        raise AssertionError("a try either answers or raises")

    def _once(
        self,
        method: str,
        path: str,
        body: object,
        params: Mapping[str, Any] | None,
        accept: Sequence[int],
        *,
        writing: bool,
    ) -> Answer:
        kind = "application/x-ndjson" if isinstance(body, list | bytes) else "application/json"
        headers = {"accept": "application/json"} | (
            {"content-type": kind} if body is not None else {}
        )
        # A client with other options is made anew with all its parts, in a millisecond: seldom asked for.
        client = self._client.options(ignore_status=list(accept)) if accept else self._client
        try:
            answer: ApiResponse[Any] = client.perform_request(
                method, path, params=params, headers=headers, body=body
            )
        except (ApiError, TransportError, UnsupportedProductError) as error:
            raise translated(error, self.settings, writing=writing) from error
        return dict(answer.body) if isinstance(answer.body, Mapping) else {}


_LINES = msgspec.json.Encoder(enc_hook=lambda record: record.__dict__)


def packed(value: object) -> bytes:
    """One line of a bulk body; a record in it goes out as its fields."""
    return _LINES.encode(value)


class _Answers(JsonSerializer):
    """Answers are read by msgspec, several times as fast; questions are small and keep any number."""

    def json_loads(self, data: bytes) -> Any:
        return msgspec.json.decode(data)


def _client(settings: IndexSettings, env: Mapping[str, str] | None) -> Elasticsearch:
    options: dict[str, Any] = {
        "hosts": list(settings.hosts),
        "request_timeout": settings.timeout_s * 1.2,  # the search's own deadline comes first
        "max_retries": len(settings.hosts) - 1,  # another host; the rest is Patience's work
        "retry_on_status": (),
        "retry_on_timeout": False,
        "opaque_id": "keqing",
        "serializers": {"application/json": _Answers()},
    }
    if key := secret(settings.api_key_env, env):
        options["api_key"] = key
    elif settings.user:
        password = secret(settings.password_env, env)
        if password is None:
            raise BadConfig(f"[index] user is set, {settings.password_env} is not; set it")
        options["basic_auth"] = (settings.user, password)
    if settings.ca is not None:
        if not settings.ca.is_file():
            raise BadConfig(f"[index] ca: {settings.ca} is not there")
        options["ca_certs"] = str(settings.ca)
    if settings.flavour == "opensearch":
        from index.elastic_opensearch import OpenSearchNode

        options["node_class"] = OpenSearchNode
    try:
        return Elasticsearch(**options)
    except (ValueError, OSError) as error:
        raise BadConfig(f"[index] {error}") from error
