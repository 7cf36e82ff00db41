"""The night's copy of a workflow database on a server: whole, or plainly left to the server."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keqing.errors import WorkflowError
from keqing.settings import Settings, load_settings
from keqing.stack.upkeep import NOT_COPIED, upkeep
from keqing.workflow import backup, db, incidents, postgres, trail
from keqing.workflow.move import checksums
from tests.alerts.test_incidents import seen
from tests.workflow.servers import PASSWORD, Cluster, programs

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 26, 20, 0, tzinfo=UTC)
pytestmark = pytest.mark.xdist_group("postgres")


@pytest.fixture
def name(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with something in it, which the environment names."""
    made = cluster.database()
    monkeypatch.setenv(postgres.URL_NAME, cluster.url(made))
    monkeypatch.setenv("KEQING__WORKFLOW__PASSWORD", PASSWORD)
    with db.begin(postgres.connect(cluster.address(made))) as tx:
        incidents.observe(tx, seen(), ["p1"], NOW)
        trail.record(tx, "王", "login", "o", "", "ok", NOW)
    return made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    return load_settings(tmp_path, env={})


def test_a_copy_restores_on_another_server(name: str, settings: Settings, cluster: Cluster) -> None:
    """pg_restore into an empty database gives the same rows, and the logs go on as chains."""
    engine = db.open_workflow(settings)
    report = upkeep(settings, engine, NOW)
    dump = settings.root / report.backup / "keqing.dump"
    assert report.workflow == "copied"
    assert dump.stat().st_mode & 0o777 == 0o600
    other = cluster.address(cluster.database("template0"))
    command = [str(programs() / "pg_restore"), "--host=127.0.0.1", f"--port={cluster.port}",
               "--username=keqing", f"--dbname={other.database}", "--no-owner", str(dump)]  # fmt: skip
    env = {"PATH": "/usr/bin:/bin", "PGPASSWORD": PASSWORD}
    subprocess.run(command, env=env, check=True, capture_output=True)
    restored = db.ready(postgres.connect(other))
    with db.read(engine) as one, db.read(restored) as two:
        assert checksums(one) == checksums(two)
    with db.begin(restored) as tx:
        trail.record(tx, "王", "login", "o", "", "ok", NOW)
        assert trail.verify(tx) == 2
    engine.dispose()


def test_without_pg_dump_the_report_says_so(
    name: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything else of the night is done; the workflow is the server's own to back up."""
    monkeypatch.setenv("PATH", "/nowhere")
    engine = db.open_workflow(settings)
    report = upkeep(settings, engine, NOW)
    assert report.workflow == NOT_COPIED
    there = {path.name for path in (settings.root / report.backup).iterdir()}
    assert "heads.json" in there
    assert "keqing.dump" not in there
    engine.dispose()


def test_a_failed_copy_leaves_nothing(
    name: str, settings: Settings, cluster: Cluster, tmp_path: Path
) -> None:
    """What pg_dump says is told without the password, and no half file looks whole."""
    engine = db.open_workflow(settings)
    env = {postgres.URL_NAME: cluster.url("nowhere"), "KEQING__WORKFLOW__PASSWORD": PASSWORD,
           "PATH": "/usr/bin:/bin"}  # fmt: skip
    with pytest.raises(WorkflowError, match="pg_dump failed") as refused:
        backup.snapshot(settings, engine, tmp_path, env)
    assert PASSWORD not in str(refused.value)
    assert not (tmp_path / "keqing.dump").exists()
    engine.dispose()
