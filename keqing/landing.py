"""Raw landing (原始留存): what was collected, as it was; written once, chained, replayable.

In:  Posts of one crawl or import, raw bodies.
Out: `posts/<source>/<yyyy/mm/dd>/<window>.<n>.jsonl.gz`, `raw/<aa>/<sha256>.gz` and one hash chain
per source, `manifest/<source>.jsonl`. A row is {"n", "leaf", "salt", "post"} with
leaf = sha256(salt ‖ canonical post); the manifest keeps the root over the leaves, so that content
can be erased later while the chain still holds.
"""

from __future__ import annotations

import errno
import fcntl
import gzip
import hashlib
import json
import os
import secrets
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from keqing.errors import ChainBroken, DiskFull, LandingError
from keqing.private import private_folder
from keqing.records import Post

GENESIS = "0" * 64
ROWS_PER_SEGMENT = 1000


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
        return SegmentWriter(self, source, window, run_id)

    def files(self, source: str | None = None) -> list[str]:
        """Landed files relative to the root, in the order of the manifests."""
        names = [source] if source else sorted(p.stem for p in self._manifests().glob("*.jsonl"))
        return [str(e["file"]) for name in names for e in self._entries(name)]

    def read(self, file: str) -> Iterator[Post]:
        """The Posts of one landed file; erased rows are left out.

        Raises:
            LandingError: the file is damaged; names it and the row.
        """
        for row in self._rows(file):
            if row.get("post") is not None:
                yield _post(file, row)

    def keep_raw(self, body: bytes) -> str:
        """Store a response body by content; gives its sha256."""
        digest = hashlib.sha256(body).hexdigest()
        path = self.root / "raw" / digest[:2] / f"{digest}.gz"
        if not path.exists():
            _write_whole(path, gzip.compress(body, 6, mtime=0))
        return digest

    def heads(self) -> dict[str, str]:
        """Hash of the newest entry of each source's chain; a copy of it elsewhere proves the rest."""
        sources = sorted(p.stem for p in self._manifests().glob("*.jsonl"))
        entries = {source: self._entries(source) for source in sources}
        return {source: str(rows[-1]["entry"]) for source, rows in entries.items() if rows}

    def verify(self) -> VerifyReport:
        """Check chains, file hashes, roots and leaves.

        Raises:
            ChainBroken: names source and seq of the first entry that does not hold.
        """
        sources = sorted(p.stem for p in self._manifests().glob("*.jsonl"))
        entries = rows = 0
        for source in sources:
            previous = GENESIS
            for entry in self._entries(source):
                rows += self._check(source, entry, previous)
                previous, entries = str(entry["entry"]), entries + 1
        return VerifyReport(len(sources), entries, rows)

    def commit(self, source: str, part: Path, file: str, run_id: str) -> bool:
        """Turn a whole `.part` into a landed file and chain it; False if it stood there already."""
        rows = [json.loads(line) for line in part.read_bytes().splitlines()]
        packed = gzip.compress(part.read_bytes(), 6, mtime=0)
        manifest = self._manifests() / f"{source}.jsonl"
        with _lock(manifest.with_suffix(".lock")):
            last = _last_entry(manifest)
            if any(entry["file"] == file for entry in self._entries(source)):
                part.unlink()  # killed between the manifest line and this
                return False
            _write_whole(self.root / file, packed)
            body = {
                "seq": last["seq"] + 1 if last else 0,
                "type": "land",
                "file": file,
                "run": run_id,
                "rows": len(rows),
                "root": _root(rows),
                "bytes_sha256": hashlib.sha256(packed).hexdigest(),
                "prev": last["entry"] if last else GENESIS,
            }
            _append(manifest, _canonical(body | {"entry": _entry_hash(body)}) + b"\n")
        part.unlink()
        return True

    def _check(self, source: str, entry: dict[str, Any], previous: str) -> int:
        where = f"{source} seq {entry['seq']} ({entry['file']})"
        body = {key: value for key, value in entry.items() if key != "entry"}
        if entry["prev"] != previous or entry["entry"] != _entry_hash(body):
            raise ChainBroken(f"{where}: the chain does not agree with the entry before")
        path = self.root / str(entry["file"])
        if not path.exists():
            raise ChainBroken(f"{where}: the file is missing")
        if hashlib.sha256(path.read_bytes()).hexdigest() != entry["bytes_sha256"]:
            raise ChainBroken(f"{where}: the file's bytes have changed")
        rows = list(self._rows(str(entry["file"])))
        if len(rows) != entry["rows"] or _root(rows) != entry["root"]:
            raise ChainBroken(f"{where}: the rows do not give the stored root")
        for row in rows:
            if row.get("post") is not None and _leaf(row["salt"], row["post"]) != row["leaf"]:
                raise ChainBroken(f"{where}: row {row['n']} does not give its leaf")
        return len(rows)

    def _rows(self, file: str) -> Iterator[dict[str, Any]]:
        try:
            text = gzip.decompress((self.root / file).read_bytes())
            if not text:  # a file lands with at least one row
                raise EOFError("it is empty")
        except (OSError, EOFError, zlib.error) as error:
            raise LandingError(f"{file}: cannot be read ({error}); run keqing verify") from error
        for number, line in enumerate(text.splitlines()):
            row = _row(line)
            if row is None:
                raise LandingError(f"{file}: row {number} is damaged; run keqing verify")
            yield row

    def _manifests(self) -> Path:
        return self.root / "manifest"

    def _entries(self, source: str) -> list[dict[str, Any]]:
        path = self._manifests() / f"{source}.jsonl"
        if not path.exists():
            return []
        entries = []
        for number, line in enumerate(path.read_bytes().splitlines()):
            try:
                entries.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise ChainBroken(f"{source} seq {number}: manifest line unreadable") from error
        return entries


class SegmentWriter:
    """Appends Posts to a `.part`, fsynced per call; lands a segment after 1,000 rows.

    A `.part` left by a killed run of the same source is landed first, up to its last whole line,
    under the name it would have had.
    """

    def __init__(self, landing: Landing, source: str, window: datetime, run_id: str) -> None:
        self._landing, self._source, self._run_id = landing, source, run_id
        self._stem = f"{window:%Y%m%dT%H%M%SZ}-{run_id[:8]}"
        self._folder = landing.root / "parts" / source
        private_folder(self._folder)
        self._files: list[str] = []
        self._segment = self._rows = 0
        self._alive = _locked(self._folder / f"{self._stem}.alive")
        with _lock(self._folder / "recover.lock"):
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
        _append(
            self._part,
            b"".join(_line(n, post) for n, post in enumerate(posts, self._rows)),
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
        if self._landing.commit(self._source, part, file, self._run_id):
            self._files.append(file)

    def _recover(self) -> None:
        for part in sorted(self._folder.glob("*.part")):
            guard = part.with_name(f"{part.name.split('.')[0]}.alive")
            alive = _locked(guard)
            if alive is None:
                continue  # its writer lives
            os.close(alive)
            whole = part.read_bytes()
            whole = whole[: whole.rfind(b"\n") + 1]
            guard.unlink(missing_ok=True)
            if whole:
                _write_whole(part, whole)
                self._commit(part)
            else:
                part.unlink()


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _post(file: str, row: dict[str, Any]) -> Post:
    try:
        return Post.model_validate(row["post"])
    except ValueError as error:
        raise LandingError(f"{file}: row {row.get('n')} is no post; run keqing verify") from error


def _line(n: int, post: Post) -> bytes:
    author = post.author.id
    if author is not None and ":" not in author:
        raise LandingError(f"{post.id}: author id is no pseudonym; use privacy.pseudonym")
    body, salt = post.model_dump(mode="json"), secrets.token_hex(16)
    return _canonical({"n": n, "leaf": _leaf(salt, body), "salt": salt, "post": body}) + b"\n"


def _locked(path: Path) -> int | None:
    """A descriptor that holds the file's lock until closed, or None if another process does."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    private_folder(path.parent)
    with open(path, "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _canonical(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _leaf(salt: str, post: object) -> str:
    return hashlib.sha256(bytes.fromhex(salt) + _canonical(post)).hexdigest()


def _root(rows: Sequence[dict[str, Any]]) -> str:
    return hashlib.sha256("".join(str(row["leaf"]) for row in rows).encode()).hexdigest()


def _entry_hash(body: dict[str, Any]) -> str:
    return hashlib.sha256(str(body["prev"]).encode() + _canonical(body)).hexdigest()


def _last_entry(manifest: Path) -> dict[str, Any] | None:
    if not manifest.exists():
        return None
    text = manifest.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if len(whole) != len(text):  # killed while the line was written: the file lands again
        _write_whole(manifest, whole)
    lines = whole.splitlines()
    return json.loads(lines[-1]) if lines else None


def _append(path: Path, data: bytes) -> None:
    size = path.stat().st_size if path.exists() else 0
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        while data:
            data = data[os.write(fd, data) :]
        os.fsync(fd)
    except OSError as error:
        os.ftruncate(fd, size)
        raise _translated(path, error) from error
    finally:
        os.close(fd)


def _write_whole(path: Path, data: bytes) -> None:
    """Write aside, fsync, rename, fsync the folder."""
    private_folder(path.parent)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _append(aside, data)
        os.replace(aside, path)
    except DiskFull:
        aside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _translated(path: Path, error: OSError) -> LandingError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"{path.name}: 磁盘已满 (disk full); free space and repeat the run")
    return LandingError(f"{path.name}: cannot write: {error.strerror}")
