"""Files that survive a kill and a full disk: appended and fsynced, or written aside and renamed.

In:  paths, bytes. Out: what is on the disk when a call returns; locks that end with their process.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keqing.errors import DiskFull, LandingError
from keqing.private import private_folder


def append(path: Path, data: bytes) -> None:
    """Add bytes durably; on an error the file is as long as before.

    Raises:
        DiskFull, LandingError: there is no room, or it cannot be written.
    """
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


def write_whole(path: Path, data: bytes) -> None:
    """Write aside, fsync, rename, fsync the folder."""
    private_folder(path.parent)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        append(aside, data)
        os.replace(aside, path)
    except DiskFull:
        aside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def locked(path: Path) -> int | None:
    """A descriptor that holds the file's lock until closed, or None if another process does."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Wait for a lock and hold it."""
    private_folder(path.parent)
    with open(path, "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _translated(path: Path, error: OSError) -> LandingError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"{path.name}: 磁盘已满 (disk full); free space and repeat the run")
    return LandingError(f"{path.name}: cannot write: {error.strerror}")
