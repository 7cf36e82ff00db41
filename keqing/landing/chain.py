"""The hash chain of one source: a line for each landed file, each bound to the one before.

In:  `manifest/<source>.jsonl`. Out: its entries, its head, new entries; what does not hold is named.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from keqing.errors import ChainBroken
from keqing.landing import files
from keqing.landing.rows import canonical

GENESIS = "0" * 64
Entry = dict[str, Any]


class Chain:
    """Entries of a source, oldest first."""

    def __init__(self, folder: Path, source: str) -> None:
        self.source, self._path = source, folder / f"{source}.jsonl"

    def entries(self) -> list[Entry]:
        """All of them, unchecked.

        Raises:
            ChainBroken: a line cannot be read.
        """
        if not self._path.exists():
            return []
        found = []
        for number, line in enumerate(self._path.read_bytes().splitlines()):
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise ChainBroken(
                    f"{self.source} seq {number}: manifest line unreadable"
                ) from error
        return found

    def linked(self) -> Iterator[Entry]:
        """Entries, each once it is known to follow the one before.

        Raises:
            ChainBroken: names source and seq of the first that does not.
        """
        previous = GENESIS
        for entry in self.entries():
            body = {key: value for key, value in entry.items() if key != "entry"}
            if entry["prev"] != previous or entry["entry"] != _hash(body):
                raise ChainBroken(
                    f"{self.where(entry)}: the chain does not agree with the entry before"
                )
            yield entry
            previous = str(entry["entry"])

    def where(self, entry: Entry) -> str:
        """An entry's place, for messages."""
        return f"{self.source} seq {entry['seq']} ({entry['file']})"

    @contextmanager
    def growing(self) -> Iterator[None]:
        """Nobody else adds meanwhile; a line that a kill cut short is gone."""
        with files.lock(self._path.with_suffix(".lock")):
            text = self._path.read_bytes() if self._path.exists() else b""
            whole = text[: text.rfind(b"\n") + 1]
            if len(whole) != len(text):  # its file lands again
                files.write_whole(self._path, whole)
            yield

    def add(self, said: Entry) -> None:
        """Bind a new entry to the last one; to be called while `growing`."""
        before = self.entries()
        last = before[-1] if before else None
        body = {
            "seq": last["seq"] + 1 if last else 0,
            **said,
            "prev": last["entry"] if last else GENESIS,
        }
        files.append(self._path, canonical(body | {"entry": _hash(body)}) + b"\n")


def _hash(body: Entry) -> str:
    return hashlib.sha256(str(body["prev"]).encode() + canonical(body)).hexdigest()
