"""A workflow database moves from its file to a server: whole, compared, and again after a kill."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keqing.cli import main
from keqing.errors import UsageError, WorkflowOutdated
from keqing.workflow import (
    accounts,
    batches,
    corrections,
    db,
    incident_log,
    incidents,
    leases,
    migrations,
    postgres,
    runs,
    stories,
    trail,
)
from keqing.workflow.move import move
from tests.alerts.test_incidents import seen
from tests.workflow.servers import PASSWORD, Cluster

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 26, 4, 0, 0, 123456, tzinfo=UTC)
ROWS = 2500  # more than two batches
pytestmark = pytest.mark.xdist_group("postgres")


def fill(path: Path) -> db.Engine:
    """Every type of column, texts that are hard to keep, and numbers that must go on."""
    engine = db.open_file(path)
    with db.begin(engine) as tx:
        run = runs.start(tx, "check", None, NOW)
        runs.finish(
            tx, run, "ok", {"新": 3, "b": 0}, NOW + timedelta(microseconds=1), "it's \\ 'x' 🐱"
        )
        kept, _ = incidents.observe(tx, seen(), [f"weibo:{n}" for n in range(30)], NOW)
        incidents.act(tx, kept.id, "ack", "王", "好", kept.revision, NOW)
        accounts.create_first_admin(tx, NOW)
        for n in range(3):
            trail.record(tx, f"王{n}", "login", "o", "127.0.0.1", "ok", NOW)
        batches.record_scored(tx, "b1", ["f1"], "m1", NOW)
        stories.add_texts(
            tx, "b1", NOW, [stories.StoryText("s", 7, bytes(range(256)), b"")], b"\\x00\\xff"
        )
        stories.add_voices(tx, {(f"s{n}", f"作者{n}"): f"p{n}" for n in range(ROWS)})
        row = corrections.Correction("p", "polarity", "a", "b", "王", NOW, "r", "s", "x")
        corrections.add(tx, [row])
    return engine


def content(path: Path) -> str:
    """All that stands in the file."""
    with sqlite3.connect(path) as file:
        dump = "\n".join(file.iterdump())
    file.close()
    return dump


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    fill(tmp_path / "var" / "keqing.db").dispose()
    monkeypatch.setenv("KEQING__WORKFLOW__PASSWORD", PASSWORD)
    return tmp_path


def test_the_verb_moves_everything(
    root: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every table is equal, the file is as it was, numbers go on, and the plan may name the server."""
    file, name = root / "var" / "keqing.db", cluster.database("template0")
    before = content(file)
    verb = ["migrate", "--workflow", cluster.url(name), "--root", str(root)]
    for _ in range(2):  # a second run compares and copies nothing
        assert main([*verb, "--json"]) == 0
        said = capsys.readouterr()
        report = json.loads(said.out)
        assert report["checksum"] == report["server_checksum"]
        assert (report["different"], report["tables"]["nlp_voices"]) == ([], ROWS)
        assert f'url = "{cluster.url(name)}"' in said.err
        assert PASSWORD not in said.err + said.out
    assert content(file) == before
    engine = db.ready(postgres.connect(cluster.address(name)))
    with db.begin(engine) as tx:
        assert trail.verify(tx) == 3
        trail.record(tx, "王", "login", "o", "127.0.0.1", "ok", NOW)
        assert trail.verify(tx) == 4
        assert incident_log.verify_log(tx) == 2
        assert stories.texts(tx, ["s"])["s"].grams == bytes(range(256))
        batches.record_scored(tx, "b2", ["f2"], "m2", NOW)
        assert [batch.batch_id for batch in batches.every(tx)] == ["b1", "b2"]
    assert main(verb) == 2  # the server has moved on: it is nobody's empty database any more
    assert "name an empty database" in capsys.readouterr().err
    engine.dispose()


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from keqing.workflow import db, move, postgres
def progress(done, of):
    if done >= int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
at = postgres.Address("127.0.0.1", int(sys.argv[3]), "keqing", sys.argv[4], sys.argv[5])
source = db.open_file(Path(sys.argv[1]))
move.move(source, postgres.connect(at), datetime.now(UTC), progress)
"""


def killed(file: Path, after: int, cluster: Cluster, name: str) -> None:
    """A move that is killed behind `after` rows."""
    words = [str(file), str(after), str(cluster.port), name, PASSWORD]
    done = subprocess.run([sys.executable, "-c", KILLED, *words], check=False, env=dict(os.environ))
    assert done.returncode == -signal.SIGKILL


def test_a_killed_move_goes_on(root: Path, cluster: Cluster) -> None:
    """Nobody can open the half copy; the next run goes on behind the last batch and is equal."""
    file, name = root / "var" / "keqing.db", cluster.database("template0")
    killed(file, 1200, cluster, name)
    target = postgres.connect(cluster.address(name))
    with pytest.raises(WorkflowOutdated, match="unfinished copy"):
        db.ready(target)
    steps: list[int] = []
    report = move(db.open_file(file), target, NOW, lambda done, of: steps.append(done))
    assert report.equal
    assert report.resumed == steps[0] >= 1200
    assert steps[-1] == report.rows
    db.ready(target).dispose()


def test_a_file_that_moved_on_is_copied_again(root: Path, cluster: Cluster) -> None:
    """Rows that changed behind a killed run are found by the comparison, and all is copied anew."""
    file, name = root / "var" / "keqing.db", cluster.database("template0")
    killed(file, 2000, cluster, name)
    source, target = db.open_file(file), postgres.connect(cluster.address(name))
    with db.begin(source) as tx:
        stories.forget_voices(tx, "作者1", [])
        trail.record(tx, "后", "login", "o", "127.0.0.1", "ok", NOW)
    report = move(source, target, NOW, lambda done, of: None)
    assert (report.equal, report.resumed) == (True, 0)
    with db.read(db.ready(target)) as tx:
        assert trail.verify(tx) == 4
    target.dispose()


def test_what_is_not_ours_is_refused(root: Path, cluster: Cluster, tmp_path: Path) -> None:
    """Another installation's data or unfinished copy stays untouched; an empty one of ours will do."""
    source = db.open_file(root / "var" / "keqing.db")
    used = db.ready(postgres.connect(cluster.address(cluster.database())))
    with db.begin(used) as tx:
        runs.start(tx, "crawl", "demo", NOW)
    with pytest.raises(UsageError, match="other data"):
        move(source, used, NOW, lambda done, of: None)
    with db.read(used) as tx:
        assert migrations.version(tx) == migrations.newest()
        assert len(runs.last(tx, "crawl")) == 1
    half = cluster.database("template0")
    killed(root / "var" / "keqing.db", 1200, cluster, half)
    other = fill(tmp_path / "other.db")
    with pytest.raises(UsageError, match=r"unfinished copy of .*keqing\.db"):
        move(other, postgres.connect(cluster.address(half)), NOW, lambda done, of: None)
    empty = db.ready(postgres.connect(cluster.address(cluster.database())))
    assert move(source, empty, NOW, lambda done, of: None).equal


def test_nothing_moves_under_a_running_stage(root: Path, cluster: Cluster) -> None:
    """While somebody holds a lease the move is refused, and names it."""
    source = db.open_file(root / "var" / "keqing.db")
    target = postgres.connect(cluster.address(cluster.database("template0")))
    with (
        leases.hold(source, "score", leases.this_process("test"), lambda: NOW),
        pytest.raises(UsageError, match="score is at work"),
    ):
        move(source, target, NOW, lambda done, of: None)


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("http://db:5432/x", 2, "no address of PostgreSQL"),
        ("postgresql://keqing:geheim@db/x", 2, "no password in the url"),
        ("postgresql://db/x", 4, "no user"),
        ("postgresql://keqing@db", 4, "no database"),
        ("postgresql://keqing@db/x?sslmode=require", 4, "sslmode is not known"),
        ("postgresql://keqing@127.0.0.1:9/x", 1, "no connection"),
    ],
)
def test_a_wrong_address_is_refused(
    root: Path, url: str, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence says what is wrong, and never repeats a password."""
    assert main(["migrate", "--workflow", url, "--root", str(root)]) == code
    err = capsys.readouterr().err
    assert said in err
    assert "geheim" not in err
