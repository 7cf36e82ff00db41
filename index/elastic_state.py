"""What an installation knows about itself on the server: which edition is read, and its generation.

In:  a Server. Out: the current Edition, made at the first use; a number that moves with every load.
"""

from __future__ import annotations

from dataclasses import dataclass

from index.elastic_client import Server
from index.elastic_mapping import OLD, Names, template
from index.schema import INDEX_VERSION
from keqing.errors import IndexOutdated, IndexUnavailable

_STATE = {
    "settings": {"number_of_shards": 1, "auto_expand_replicas": "0-1", "hidden": True},
    "mappings": {"dynamic": "false", "properties": {}},
}


@dataclass(frozen=True)
class Edition:
    """One whole build of the index."""

    name: str
    version: int

    @property
    def number(self) -> int:
        """Which build of its version it is, from 1."""
        return int(self.name.rpartition("-")[2])


class State:
    """The state index of one installation."""

    def __init__(self, server: Server) -> None:
        self.server, self.names = server, Names(server.settings.name)

    def current(self) -> Edition:
        """The edition that is read and written; the first use of an empty server installs it.

        Raises:
            IndexOutdated: it was built by another version of keqing.
        """
        edition = self.stored()
        if edition is None:
            edition = self._install()
        if edition.version != INDEX_VERSION:
            raise IndexOutdated(
                f"{self.names.alias} has version {edition.version}, needed is {INDEX_VERSION}; "
                "run keqing rebuild"
            )
        return edition

    def stored(self) -> Edition | None:
        """The edition on record; None before the first use."""
        found = self.server.ask("GET", f"/{self.names.state}/_doc/current", accept=[404])
        if "_source" not in found:
            return None
        return Edition(found["_source"]["edition"], int(found["_source"]["version"]))

    def record(self, edition: Edition) -> None:
        """Write which edition is current."""
        body = {"edition": edition.name, "version": edition.version}
        params = {"refresh": "true"}
        self.server.tell("PUT", f"/{self.names.state}/_doc/current", body, params=params)

    def make(self, edition: str, *, live: bool) -> None:
        """Template and first index of an edition."""
        body = template(self.server.settings, edition, live=live)
        self.server.tell("PUT", f"/_index_template/{self.names.template(edition)}", body)
        self.server.create(f"{self.names.template(edition)}-{OLD}")

    def generation(self) -> int:
        """Moves with every load that changed something: the version of one small document."""
        found = self.server.ask("GET", f"/{self.names.state}/_doc/generation", accept=[404])
        return int(found.get("_version", 0))

    def moved(self) -> None:
        """Say that answers may be different now."""
        self.server.tell("PUT", f"/{self.names.state}/_doc/generation", {})

    def _install(self) -> Edition:
        if self.generation():
            raise IndexUnavailable(
                f"{self.names.state} is damaged: it has loads and no edition; restore a snapshot"
            )
        edition = Edition(f"v{INDEX_VERSION}-1", INDEX_VERSION)
        self.server.create(self.names.state, _STATE)
        self.make(edition.name, live=True)
        self.record(edition)
        return edition
