"""The server for tests: fetched once by Maven, checked, unpacked under var/elasticsearch/.

In:  nothing but artifact.json. Out: the unpacked tree and a JDK that fits, or Missing with the reason.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import zipfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "var" / "elasticsearch"
PINNED: dict[str, str] = json.loads((Path(__file__).parent / "artifact.json").read_text("utf-8"))
JAVA_SINCE = 21
FETCH_S = 300


class Missing(Exception):
    """What this machine lacks."""


@cache
def java_home() -> Path:
    """A full JDK of version 21 or newer: the environment's first, then the system's."""
    named = [Path(os.environ[n]) for n in ("ES_JAVA_HOME", "JAVA_HOME") if os.environ.get(n)]
    system = sorted(Path("/usr/lib/jvm").glob("*"))
    for home in [*named, *system]:
        if (home / "bin" / "javac").exists() and _version(home) >= JAVA_SINCE:
            return home
    raise Missing(f"no JDK >= {JAVA_SINCE} (ES_JAVA_HOME, JAVA_HOME, /usr/lib/jvm)")


@cache
def tree() -> Path:
    """The unpacked distribution; two test runs at once fetch it once."""
    CACHE.mkdir(parents=True, exist_ok=True)
    target = CACHE / PINNED["folder"]
    with open(CACHE / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _unpack(_archive(), target)
    return target


def _archive() -> Path:
    path = CACHE / PINNED["file"]
    if path.exists() and _sha256(path) == PINNED["sha256"]:
        return path
    if shutil.which("mvn") is None:
        raise Missing("no Maven (mvn) to fetch the server with")
    command = ["mvn", "-B", "-q", "dependency:copy", f"-Dartifact={PINNED['coordinates']}",
               f"-DoutputDirectory={CACHE}"]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise Missing(f"Maven did not fetch the server within {FETCH_S} s") from error
    if not path.exists():
        raise Missing(f"Maven could not fetch the server: {done.stdout[-300:]}")
    if (found := _sha256(path)) != PINNED["sha256"]:
        raise AssertionError(f"{path.name} has sha256 {found}, pinned is {PINNED['sha256']}")
    return path


def _unpack(archive: Path, target: Path) -> None:
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(aside)
    for program in (aside / target.name / "bin").iterdir():
        program.chmod(0o755)  # a zip that Python unpacks has no such bits
    (aside / target.name).rename(target)
    aside.rmdir()


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _version(home: Path) -> int:
    release = home / "release"
    text = release.read_text("utf-8") if release.exists() else ""
    found = re.search(r'JAVA_VERSION="(\d+)', text)
    return int(found[1]) if found else 0
