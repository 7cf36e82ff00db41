"""What a machine lacks is said, and is a failure in CI."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest
from _pytest.outcomes import Failed, Skipped

from tests.conftest import lacking
from tests.elastic import artifact
from tests.elastic.artifact import Missing, java_home, tree
from tests.elastic.servers import guard


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache and no programs."""
    monkeypatch.setattr(artifact, "CACHE", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    for cached in (java_home, tree):
        monkeypatch.setattr(artifact, cached.__name__, cached.__wrapped__)
    return tmp_path


def jdk(root: Path, version: str) -> Path:
    """A folder that looks like a JDK."""
    home = root / version
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "javac").touch()
    (home / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n', encoding="utf-8")
    return home


def test_the_first_jdk_that_fits_is_taken(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Java 17 is passed over; a runtime without a compiler is no JDK."""
    old, new = jdk(bare, "17.0.9"), jdk(bare, "21.0.1")
    monkeypatch.setenv("ES_JAVA_HOME", str(old))
    monkeypatch.setenv("JAVA_HOME", str(new))
    assert artifact.java_home() == new
    (new / "bin" / "javac").unlink()
    monkeypatch.setattr(artifact.Path, "glob", lambda self, pattern: iter(()))
    with pytest.raises(Missing, match="JDK >= 21"):
        artifact.java_home()


def test_without_maven_it_says_so(bare: Path) -> None:
    """The sentence names the program."""
    with pytest.raises(Missing, match="mvn"):
        artifact.tree()


def test_a_damaged_archive_is_no_server(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another content than the pinned one is not unpacked; the pinned one is."""
    path = bare / artifact.PINNED["file"]
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(f"{artifact.PINNED['folder']}/bin/elasticsearch", "#!/bin/sh\n")
    with pytest.raises(Missing):  # damaged, and no Maven to fetch it again
        artifact.tree()
    pinned = {**artifact.PINNED, "sha256": artifact._sha256(path)}
    monkeypatch.setattr(artifact, "PINNED", pinned)
    assert artifact.tree().joinpath("bin", "elasticsearch").stat().st_mode & 0o111


def test_a_killed_run_leaves_no_node(tmp_path: Path) -> None:
    """The guard ends the node and clears its folder when the run's end of the pipe is gone."""
    home = tmp_path / "home"
    home.mkdir()
    with subprocess.Popen(["sleep", "60"]) as node:
        watch = guard(home)
        (home / "es.pid").write_text(str(node.pid))
        assert node.poll() is None
        watch.communicate(timeout=30)
        assert node.wait(30) == -9
    assert not home.exists()


def test_a_lack_is_a_skip_and_in_ci_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """One rule for browser, server and database."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(Skipped, match="no JDK"):
        lacking("no JDK")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(Failed, match="no JDK"):
        lacking("no JDK")
