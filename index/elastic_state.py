"""What an installation knows about itself on the server: which edition is read, and its generation.

In:  a Server. Out: the current Edition, made at the first use; a number that moves with every load.
The read alias is the only record of which edition is current, so that a swap is one atomic step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from index.elastic_client import Server
from index.elastic_mapping import OLD, VERSION, Names, template
from keqing.errors import IndexOutdated, IndexUnavailable

_STATE = {
    "settings": {"number_of_shards": 1, "auto_expand_replicas": "0-1", "hidden": True},
    "mappings": {"dynamic": "false", "properties": {}},
}


@dataclass(frozen=True)
class Edition:
    """One whole build of the index: `v<version>-<number>`."""

    version: int
    number: int

    @property
    def name(self) -> str:
        """How its indices and its template are called."""
        return f"v{self.version}-{self.number}"

    @classmethod
    def of(cls, name: str) -> Edition:
        """The edition of a name."""
        version, _, number = name.removeprefix("v").partition("-")
        return cls(int(version), int(number))


class State:
    """Editions and small documents of one installation."""

    def __init__(self, server: Server) -> None:
        self.server, self.names = server, Names(server.settings.name)

    def current(self) -> Edition:
        """The edition that is read and written; the first use of an empty server installs it.

        Raises:
            IndexOutdated: it was built by another version of keqing.
            IndexUnavailable: there were loads, and the indices are gone.
        """
        edition = self.stored()
        if edition is None:
            edition = self._install()
        if edition.version != VERSION:
            raise IndexOutdated(
                f"{self.names.alias} has version {edition.version}, needed is {VERSION}; "
                "run keqing rebuild"
            )
        return edition

    def stored(self) -> Edition | None:
        """The edition behind the read alias; None if there is no such alias."""
        editions = self.behind()
        if len(editions) > 1:
            names = ", ".join(edition.name for edition in editions)
            raise IndexUnavailable(f"alias {self.names.alias} mixes {names}; run keqing rebuild")
        return editions[0] if editions else None

    def behind(self) -> list[Edition]:
        """All editions behind the read alias; more than one is damage."""
        found = {self.edition_of(index) for index in self.indices()}
        return sorted(found, key=lambda e: (e.version, e.number))

    def indices(self) -> list[str]:
        """Indices behind the read alias."""
        found = self.server.ask("GET", f"/_alias/{self.names.alias}", accept=[404])
        return [] if "error" in found else sorted(found)

    def edition_of(self, index: str) -> Edition:
        """The edition that an index belongs to."""
        rest = index.removeprefix(self.names.template(""))
        try:
            version, number, _ = rest.split("-", 2)
            return Edition.of(f"{version}-{number}")
        except ValueError as error:
            said = f"alias {self.names.alias} points at {index}, which is none of ours"
            raise IndexUnavailable(f"{said}; name another alias in [index] name") from error

    def editions(self) -> list[Edition]:
        """All editions that have a template, oldest first."""
        path = f"/_index_template/{self.names.template('v*')}"
        found = self.server.ask("GET", path, accept=[404]).get("index_templates", [])
        names = [t["name"].removeprefix(self.names.template("")) for t in found]
        return sorted((Edition.of(n) for n in names), key=lambda e: (e.version, e.number))

    def make(self, edition: Edition, *, live: bool) -> None:
        """Template and first index of an edition."""
        self.declare(edition, live=live)
        self.server.create(f"{self.names.template(edition.name)}-{OLD}")

    def declare(self, edition: Edition, *, live: bool) -> None:
        """Write an edition's template; a live one puts new months under the read alias."""
        body = template(self.server.settings, edition.name, live=live)
        self.server.tell("PUT", f"/_index_template/{self.names.template(edition.name)}", body)

    def generation(self) -> int:
        """Moves with every load that changed something: the version of one small document."""
        return int(self.read("generation").get("_version", 0))

    def moved(self) -> int:
        """Say that answers may be different now; gives the new generation."""
        return int(self.write("generation", {})["_version"])

    def read(self, name: str) -> Mapping[str, Any]:
        """One of the small documents, empty if there is none."""
        found = self.server.ask("GET", f"/{self.names.state}/_doc/{name}", accept=[404])
        return {} if "error" in found else found

    def write(self, name: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keep one of the small documents; gives the server's answer."""
        return self.server.tell("PUT", f"/{self.names.state}/_doc/{name}", body)

    def prepare(self) -> None:
        """Make the index of the small documents, if it is not there."""
        self.server.create(self.names.state, _STATE)

    def _install(self) -> Edition:
        if self.generation():
            raise IndexUnavailable(
                f"alias {self.names.alias} is gone, and there were loads; restore a snapshot, or "
                "run keqing rebuild"
            )
        edition = Edition(VERSION, 1)
        self.prepare()
        self.make(edition, live=True)
        return edition
