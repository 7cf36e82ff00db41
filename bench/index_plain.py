"""The same posts as a plain client keeps them: fields to ask by, and in `_source` the whole post.

In:  a Server, mentions. Out: bodies of bulk calls, ready to be sent, and the alias to ask. Settings and
asked fields are those of our index (index/elastic_mapping.py), but each with the server's defaults, and
what pages show lies as JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from index.body import shown, unpacked
from index.document import Document, to_document
from index.elastic_bulk import MOST
from index.elastic_client import Server, packed
from index.elastic_content import FIELD
from index.elastic_document import document_id, stored
from index.elastic_mapping import PROPERTIES, Names, index_settings
from keqing.records import Mention

Line = bytes


class Plain:
    """An index of its own under an alias."""

    def __init__(self, server: Server, name: str) -> None:
        self.server, self.names = server, Names(name)
        self._months: set[str] = set()

    @property
    def alias(self) -> str:
        """What is asked."""
        return self.names.alias

    @property
    def months(self) -> str:
        """All its indices."""
        return self.names.pattern("plain")

    def declare(self) -> None:
        """Fields and settings of each month to come."""
        asked = {name: usual(kind) for name, kind in PROPERTIES.items() if name != FIELD}
        asked["sig"] = PROPERTIES["sig"]  # a digest, which nobody would look for
        shown_only = {"shown": {"type": "object", "enabled": False}}
        body = {
            "index_patterns": [self.months],
            "priority": 500,
            "template": {
                "settings": index_settings(self.server.settings),
                "mappings": {"dynamic": "strict", "properties": {**asked, **shown_only}},
                "aliases": {self.alias: {}},
            },
        }
        self.server.tell("PUT", f"/_index_template/{self.names.template('plain')}", body)

    def calls(self, mentions: list[Mention]) -> Iterator[list[Line]]:
        """Bodies of bulk calls; months are made before."""
        lines: list[Line] = []
        for doc in map(to_document, mentions):
            month = self.names.month("plain", doc.published_at)
            if month not in self._months:
                self._months.add(month)
                self.server.create(month)
            lines += (packed({"index": {"_index": month, "_id": document_id(doc.id)}}), line(doc))
        for at in range(0, len(lines), 2 * MOST):
            yield lines[at : at + 2 * MOST]


def usual(kind: dict[str, Any]) -> dict[str, Any]:
    """A field with the server's defaults: found by as well as counted."""
    inside = {name: usual(part) for name, part in kind.get("properties", {}).items()}
    asked = {option: value for option, value in kind.items() if option != "index" or value}
    return {**asked, "properties": inside} if inside else asked


def line(doc: Document) -> bytes:
    """One document."""
    asked: dict[str, Any] = {name: value for name, value in stored(doc).items() if name != FIELD}
    whole = shown(unpacked(doc.body), doc.mention.post.collected_at)
    return packed({**asked, "shown": whole})
