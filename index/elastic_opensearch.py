"""OpenSearch 2 and 3 behind the same client: its headers are those of plain JSON.

In:  requests of the client. Out: the same with `application/json` for the vendor's media types, and
answers with the product header that the client insists on. The client writes its headers late, so
this stands where they leave.
"""

from __future__ import annotations

from elastic_transport import HttpHeaders, Urllib3HttpNode
from elastic_transport._node import NodeApiResponse  # private: the lock holds its version
from elastic_transport.client_utils import DEFAULT, DefaultType

VENDOR = "application/vnd.elasticsearch+"


class OpenSearchNode(Urllib3HttpNode):
    """A node that speaks to OpenSearch."""

    def perform_request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: DefaultType | float | None = DEFAULT,
    ) -> NodeApiResponse:
        """Send with plain media types; mark the answer as one that the client may read."""
        sent = HttpHeaders({name: plain(value) for name, value in (headers or {}).items()})
        answer = super().perform_request(method, target, body, sent, request_timeout)
        answer.meta.headers.setdefault("x-elastic-product", "Elasticsearch")
        return answer


def plain(value: str) -> str:
    """`application/vnd.elasticsearch+json; compatible-with=9` → `application/json`."""
    if not value.startswith(VENDOR):
        return value
    return "application/" + value.removeprefix(VENDOR).partition(";")[0]
