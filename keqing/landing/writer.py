"""Appends Posts to a file that becomes a landed one; a kill at any moment loses nothing accepted.

In:  Posts of one run of a source. Out: parts, fsynced; whole ones are committed to the landing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from keqing.landing import files
from keqing.landing.rows import line
from keqing.private import private_folder
from keqing.records import Post

ROWS_PER_SEGMENT = 1000
Commit = Callable[[str, Path, str, str], bool]  # source, part, file, run → whether it is new


class SegmentWriter:
    """Appends Posts to a `.part`, fsynced per call; lands a segment after 1,000 rows.

    A `.part` left by a killed run of the same source is landed first, up to its last whole line,
    under the name it would have had.
    """

    def __init__(
        self, parts: Path, commit: Commit, source: str, window: datetime, run_id: str
    ) -> None:
        self._land_part, self._source, self._run_id = commit, source, run_id
        self._stem = f"{window:%Y%m%dT%H%M%SZ}-{run_id[:8]}"
        self._folder = parts / source
        private_folder(self._folder)
        self._files: list[str] = []
        self._segment = self._rows = 0
        self._alive = files.locked(self._folder / f"{self._stem}.alive")
        with files.lock(self._folder / "recover.lock"):
            self._recover()

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Land what was appended, also after an error: nothing accepted is lost."""
        self.close()

    def append(self, posts: Sequence[Post]) -> None:
        """Add Posts durably; when this returns, a crash cannot lose them.

        Raises:
            LandingError: an author id that is no pseudonym.
            DiskFull: no room; nothing of this call counts as accepted.
        """
        if not posts:
            return
        files.append(
            self._part,
            b"".join(line(n, post) for n, post in enumerate(posts, self._rows)),
        )
        self._rows += len(posts)
        if self._rows >= ROWS_PER_SEGMENT:
            self._land()

    def close(self) -> list[str]:
        """Land the rest; gives all files landed by this writer, relative to the landing's root."""
        self._land()
        if self._alive is not None:
            (self._folder / f"{self._stem}.alive").unlink(missing_ok=True)
            os.close(self._alive)
            self._alive = None
        return list(self._files)

    @property
    def _part(self) -> Path:
        return self._folder / f"{self._stem}.{self._segment}.part"

    def _land(self) -> None:
        if self._rows:
            self._commit(self._part)
            self._segment, self._rows = self._segment + 1, 0

    def _commit(self, part: Path) -> None:
        day = datetime.strptime(part.name[:8], "%Y%m%d").replace(tzinfo=UTC)
        file = f"posts/{self._source}/{day:%Y/%m/%d}/{part.stem}.jsonl.gz"
        if self._land_part(self._source, part, file, self._run_id):
            self._files.append(file)

    def _recover(self) -> None:
        for part in sorted(self._folder.glob("*.part")):
            guard = part.with_name(f"{part.name.split('.')[0]}.alive")
            alive = files.locked(guard)
            if alive is None:
                continue  # its writer lives
            os.close(alive)
            whole = part.read_bytes()
            whole = whole[: whole.rfind(b"\n") + 1]
            guard.unlink(missing_ok=True)
            if whole:
                files.write_whole(part, whole)
                self._commit(part)
            else:
                part.unlink()
