"""The landing as a whole: landed files, raw bodies, the chains over them.

In:  the folder var/landing. Out: Posts in the order of landing; a check of everything.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from keqing.errors import ChainBroken, LandingError
from keqing.landing import files, rows
from keqing.landing.chain import Chain, Entry
from keqing.landing.writer import SegmentWriter
from keqing.records import Post


@dataclass(frozen=True)
class VerifyReport:
    """What `verify` walked."""

    sources: int
    entries: int
    rows: int


class Landing:
    """The landing under `root` (var/landing)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def writer(self, source: str, window: datetime, run_id: str) -> SegmentWriter:
        """A writer for one run of `source`; use it as a context, or call `close`."""
        return SegmentWriter(self.root / "parts", self.commit, source, window, run_id)

    def files(self, source: str | None = None) -> list[str]:
        """Landed files relative to the root, in the order of the manifests."""
        chains = [self._chain(source)] if source else self._chains()
        return [str(entry["file"]) for chain in chains for entry in chain.entries()]

    def read(self, file: str) -> Iterator[Post]:
        """The Posts of one landed file; erased rows are left out.

        Raises:
            LandingError: the file is damaged; names it and the row.
        """
        for row in self._rows(file):
            if row.get("post") is not None:
                yield rows.post_of(file, row)

    def keep_raw(self, body: bytes) -> str:
        """Store a response body by content; gives its sha256."""
        digest = hashlib.sha256(body).hexdigest()
        path = self.root / "raw" / digest[:2] / f"{digest}.gz"
        if not path.exists():
            files.write_whole(path, gzip.compress(body, 6, mtime=0))
        return digest

    def heads(self) -> dict[str, str]:
        """Hash of the newest entry of each source's chain; a copy of it elsewhere proves the rest."""
        found = {chain.source: chain.entries() for chain in self._chains()}
        return {source: str(entries[-1]["entry"]) for source, entries in found.items() if entries}

    def verify(self) -> VerifyReport:
        """Check chains, file hashes, roots and leaves.

        Raises:
            ChainBroken: names source and seq of the first entry that does not hold.
        """
        chains = self._chains()
        counts = [self._checked(chain, entry) for chain in chains for entry in chain.linked()]
        return VerifyReport(len(chains), len(counts), sum(counts))

    def commit(self, source: str, part: Path, file: str, run_id: str) -> bool:
        """Turn a whole `.part` into a landed file and chain it; False if it stood there already."""
        whole, chain = part.read_bytes(), self._chain(source)
        landed = [json.loads(line) for line in whole.splitlines()]
        packed = gzip.compress(whole, 6, mtime=0)
        with chain.growing():
            # It stands there after a kill between the manifest line and the end of the part.
            new = all(entry["file"] != file for entry in chain.entries())
            if new:
                files.write_whole(self.root / file, packed)
                chain.add({
                    "type": "land", "file": file, "run": run_id, "rows": len(landed),
                    "root": rows.root(landed), "bytes_sha256": hashlib.sha256(packed).hexdigest(),
                })  # fmt: skip
        part.unlink()
        return new

    def _checked(self, chain: Chain, entry: Entry) -> int:
        """How many rows a landed file has, if it is what its entry says."""
        where, path = chain.where(entry), self.root / str(entry["file"])
        if not path.exists():
            raise ChainBroken(f"{where}: the file is missing")
        if hashlib.sha256(path.read_bytes()).hexdigest() != entry["bytes_sha256"]:
            raise ChainBroken(f"{where}: the file's bytes have changed")
        landed = list(self._rows(str(entry["file"])))
        if len(landed) != entry["rows"] or rows.root(landed) != entry["root"]:
            raise ChainBroken(f"{where}: the rows do not give the stored root")
        for row in landed:
            if row.get("post") is not None and rows.leaf(row["salt"], row["post"]) != row["leaf"]:
                raise ChainBroken(f"{where}: row {row['n']} does not give its leaf")
        return len(landed)

    def _rows(self, file: str) -> Iterator[dict[str, Any]]:
        try:
            text = gzip.decompress((self.root / file).read_bytes())
            if not text:  # a file lands with at least one row
                raise EOFError("it is empty")
        except (OSError, EOFError, zlib.error) as error:
            raise LandingError(f"{file}: cannot be read ({error}); run keqing verify") from error
        for number, line in enumerate(text.splitlines()):
            row = rows.row_of(line)
            if row is None:
                raise LandingError(f"{file}: row {number} is damaged; run keqing verify")
            yield row

    def _chains(self) -> list[Chain]:
        names = sorted(path.stem for path in (self.root / "manifest").glob("*.jsonl"))
        return [self._chain(name) for name in names]

    def _chain(self, source: str) -> Chain:
        return Chain(self.root / "manifest", source)
