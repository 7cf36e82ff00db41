"""PostgreSQL as the workflow database: reached, refused, restarted, and the same in its answers."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keqing.errors import (
    BadConfig,
    IndexBusy,
    KeqingError,
    WorkflowError,
    WorkflowForbidden,
    WorkflowUnavailable,
)
from keqing.settings import load_settings
from keqing.stack.database import workflow
from keqing.stack.place import Place
from keqing.workflow import (
    accounts,
    authors,
    crawl,
    db,
    incident_log,
    incidents,
    outbox,
    postgres,
    runs,
    stories,
    trail,
)
from tests.alerts.test_incidents import notice, seen
from tests.elastic import secure
from tests.workflow.servers import PASSWORD, Cluster, wait_until

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
Opened = Callable[[], db.Engine]
pytestmark = pytest.mark.xdist_group("postgres")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    return tmp_path


def planned(root: Path, words: str) -> Path:
    plan = (ROOT / "keqing.toml").read_text("utf-8")
    (root / "keqing.toml").write_text(f"{plan}\n[workflow]\n{words}\n", "utf-8")
    return root


def test_the_plan_chooses_the_server(root: Path, cluster: Cluster) -> None:
    """[workflow] url with the password from the environment or its file; no file in var is made."""
    name = cluster.database()
    planned(root, f'url = "{cluster.url(name)}"')
    (root / "pw").write_text(f"{PASSWORD}\n")
    settings = load_settings(root, env={})
    for env in (
        {"KEQING__WORKFLOW__PASSWORD": PASSWORD},
        {"KEQING__WORKFLOW__PASSWORD_FILE": str(root / "pw")},
        {"KEQING__WORKFLOW__URL": cluster.url(name).replace("@", f":{PASSWORD}@")},
    ):
        engine = db.open_workflow(settings, env)
        with db.begin(engine) as tx:
            runs.start(tx, "crawl", "demo", NOW)
        engine.dispose()
    with db.read(postgres.connect(cluster.address(name))) as tx:
        assert len(runs.last(tx, "crawl")) == 3
    assert not (root / "var" / "keqing.db").exists()
    assert settings.config_hash == load_settings(ROOT, env={}).config_hash


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ('url = "mysql://k@db/k"', "no address of PostgreSQL"),
        ('url = "postgresql://k:geheim@db/k"', "no password in the url"),
        ('urls = "postgresql://k@db/k"', "Did you mean 'url'"),
        ("timeout_s = 0", "timeout_s"),
    ],
)
def test_a_bad_setting_names_its_line(root: Path, words: str, said: str) -> None:
    """File, line and field; a password that was written there is not repeated."""
    with pytest.raises(BadConfig, match=r"keqing\.toml:\d+: workflow") as refused:
        load_settings(planned(root, words), env={})
    assert said in str(refused.value)
    assert "geheim" not in str(refused.value)


def test_a_bad_secret_url_is_not_repeated(root: Path) -> None:
    """The variable may hold a password, so the error names the variable only."""
    env = {"KEQING__WORKFLOW__URL": "mysql://k:geheim@db/k"}
    with pytest.raises(BadConfig, match="KEQING__WORKFLOW__URL: ") as refused:
        db.open_workflow(load_settings(root, env=env), env)
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    ("more", "kind", "said"),
    [
        ({"password": "falsch"}, WorkflowForbidden, "the password is refused"),
        ({"password": None}, BadConfig, "set KEQING__WORKFLOW__PASSWORD"),
        ({"database": "nowhere"}, WorkflowForbidden, "make it with createdb"),
        ({"port": 9}, WorkflowUnavailable, "is the server running"),
        ({"host": "no-such-host.invalid"}, WorkflowUnavailable, "no connection"),
        ({"host": "/nowhere"}, WorkflowUnavailable, "no connection"),
        ({"tls": True}, WorkflowForbidden, "the server has no TLS"),
        ({"ca": Path("/nowhere.pem"), "tls": True}, BadConfig, "cannot be read"),
    ],
)
def test_what_refuses_us_is_told(
    cluster: Cluster, more: dict[str, Any], kind: type[KeqingError], said: str
) -> None:
    """Each says what happened, at which address, what to do; no password."""
    at = cluster.address(**{"database": cluster.database(), **more})
    with pytest.raises(kind, match=said) as refused, db.read(postgres.connect(at)):
        pass
    assert at.shown in str(refused.value) or "ca" in more
    assert PASSWORD not in f"{refused.value} {at!r}"


def test_a_missing_right_is_told(cluster: Cluster) -> None:
    """A role that may only look gets a sentence, not a trace."""
    name = cluster.database()
    cluster.tell(f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'", user="postgres")
    guest = postgres.connect(cluster.address(name, user="guest"))
    with pytest.raises(WorkflowForbidden, match="owner of the database"):
        db.ready(guest)


def test_the_socket_of_the_same_machine(cluster: Cluster) -> None:
    """A folder as host is the unix socket there."""
    engine = postgres.connect(cluster.address(cluster.database(), host=str(cluster.home)))
    with db.read(db.ready(engine)) as tx:
        assert runs.last(tx, "crawl") == []


def _write(engine: db.Engine, meanwhile: Callable[[], None] = lambda: None) -> None:
    with db.begin(engine) as tx:
        meanwhile()
        runs.start(tx, "crawl", "demo", NOW)


def test_a_restart_costs_one_call(cluster: Cluster, own: Cluster) -> None:
    """While the server is away calls say so; the same engine works on when it is back."""
    engine = db.ready(postgres.connect(own.address(own.database())))
    with db.begin(engine) as tx:
        runs.start(tx, "crawl", "demo", NOW)
    own.stop("fast")
    with pytest.raises(WorkflowUnavailable), db.read(engine) as tx:
        runs.last(tx, "crawl")
    own.start()
    with db.read(engine) as tx:
        assert len(runs.last(tx, "crawl")) == 1
    with pytest.raises(WorkflowUnavailable, match="try again"):
        _write(engine, meanwhile=lambda: own.stop("fast"))
    own.start()
    with db.read(engine) as tx:
        assert len(runs.last(tx, "crawl")) == 1
    engine.dispose()


def test_tls_is_checked(cluster: Cluster, own: Cluster, tmp_path: Path) -> None:
    """With its authority the connection is encrypted; a strange one and another name are refused."""
    files = secure.files()
    for name in ("node.crt", "node.key"):
        path = own.home / "data" / name
        path.write_bytes(files[name])
        path.chmod(0o600)
        if os.getuid() == 0:
            shutil.chown(path, "nobody", "nogroup")
    for setting in ("ssl_cert_file = 'node.crt'", "ssl_key_file = 'node.key'", "ssl = 'on'"):
        own.tell(f"ALTER SYSTEM SET {setting}", user="postgres")
    own.tell("SELECT pg_reload_conf()", user="postgres")
    (tmp_path / "ca.crt").write_bytes(files["ca.crt"])
    (tmp_path / "strange.crt").write_bytes(secure.stranger())

    def encrypted(**more: Any) -> bool:
        at = own.address("postgres", **{"tls": True, "ca": tmp_path / "ca.crt", **more})
        with db.read(postgres.connect(at)) as tx:
            ssl = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            return bool(tx.exec_driver_sql(ssl).scalar_one())

    wait_until(lambda: _says_yes(encrypted))
    assert not encrypted(tls=False)
    for more in ({"ca": tmp_path / "strange.crt"}, {"ca": None}, {"host": "localhost"}):
        with pytest.raises(WorkflowForbidden, match="certificate is not trusted"):
            encrypted(**more)


def _says_yes(asked: Callable[[], bool]) -> bool:
    """The server reads its new settings in a moment; until then it has no TLS."""
    try:
        return asked()
    except WorkflowForbidden:
        return False


def test_texts_are_kept_as_on_sqlite(opened: Opened) -> None:
    """Order by bytes, no limit of length, 64-bit numbers, NUL never breaks a chain."""
    with db.begin(opened()) as tx:
        for name in ("b", "a", "B", "ä", "é", "王", "🐱", "_"):
            tx.execute(
                accounts.ACCOUNTS.insert().values(
                    name=name, role="viewer", brands=[], password="x", one_time=False,
                    active=True, created_at=NOW,
                )
            )  # fmt: skip
        found = [user.name for user in accounts.users(tx)]
        assert found == sorted(found, key=lambda name: name.encode())
        runs.start(tx, "x" * 5000, "y" * 5000, NOW)
        big = authors.Telling("p", "s", "a", 2**40, False, True, False)
        authors.save_tellings(tx, [big])
        assert authors.tellings(tx, ["s"], 0, 2**41) == [big]
        trail.record(tx, "王\0", "login", "o\0", "", "ok", NOW)
        assert trail.verify(tx) == 1
        stories.add_voices(tx, {("s'\\", "“a”"): "p"})
        assert stories.voices(tx, [("s'\\", "“a”"), ("s", "b")]) == {("s'\\", "“a”"): "p"}
        crawl.remember(tx, [(f"p{n}", "h", NOW) for n in range(1200)])
        assert len(crawl.known(tx, [f"p{n}" for n in range(2000)])) == 1200


def test_a_log_cannot_be_emptied(cluster: Cluster) -> None:
    """TRUNCATE does not pass by the guards of rows."""
    engine = postgres.connect(cluster.address(cluster.database()))
    with pytest.raises(WorkflowError, match="append-only"), db.begin(engine) as tx:
        tx.exec_driver_sql("TRUNCATE audit_log")


def test_many_writers_are_one_chain(opened: Opened) -> None:
    """Eight threads act at once: every act stands in both chains, one incident, one notice."""
    engine = opened()
    failed: list[BaseException] = []

    def work(n: int) -> None:
        try:
            for k in range(5):
                with db.begin(engine) as tx:
                    incidents.observe(tx, seen(), [f"p{n}-{k}"], NOW)
                    outbox.queue(tx, notice(f"i.{n}.pr"))
                    trail.record(tx, f"w{n}", "a", "o", "", "ok", NOW)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with db.read(engine) as tx:
        [incident] = incidents.list_incidents(tx)
        assert incident.evidence_count == 40
        assert trail.verify(tx) == 40
        assert incident_log.verify_log(tx) == 1
        assert outbox.tally(tx) == {"queued": 1}


def test_a_writer_that_is_gone_gives_the_turn_back(cluster: Cluster) -> None:
    """The server ends a lost connection's transaction, and the next writer goes on."""
    name = cluster.database()
    gone, engine = (postgres.connect(cluster.address(name)) for _ in range(2))

    def meanwhile() -> None:
        with pytest.raises(IndexBusy), db.begin(engine, 0.1):
            pass
        kill = (
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        )
        cluster.tell(kill, database=name)
        _write(engine)

    with pytest.raises(WorkflowUnavailable):
        _write(gone, meanwhile)
    with db.read(engine) as tx:
        assert len(runs.last(tx, "crawl")) == 1


class Doctor:
    """The doctor's line on a database of the cluster."""

    def __init__(self, root: Path, cluster: Cluster) -> None:
        self.root, self.cluster, self.name = root, cluster, cluster.database()
        self.engine = postgres.connect(cluster.address(self.name))

    def says(self, **env: str) -> tuple[str, str]:
        planned(self.root, f'url = "{self.cluster.url(self.name)}"')
        usual = {"KEQING__WORKFLOW__PASSWORD": PASSWORD, "PATH": "/usr/bin:/bin"}
        found = workflow(Place(self.root, {**usual, **env}), load_settings(self.root, env={}))
        return str(found.state), f"{found.found} {found.advice}"

    def tell(self, sql: str) -> None:
        self.cluster.tell(sql, database=self.name, user="postgres")


@pytest.fixture
def doctor(root: Path, cluster: Cluster) -> Doctor:
    return Doctor(root, cluster)


def test_the_doctor_finds_a_server_well(doctor: Doctor) -> None:
    """Its version and step are told; without pg_dump the night's copy lacks it, which is a warning."""
    state, said = doctor.says()
    assert state == "ok", said
    assert f"{doctor.cluster.url(doctor.name)}（PostgreSQL 1" in said
    state, said = doctor.says(PATH="/nowhere")
    assert (state, "服务器自己的备份" in said) == ("warn", True)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DROP TABLE runs", "缺少表：runs"),
        ("INSERT INTO workflow_steps VALUES (999, 'x')", "update keqing"),
        ("INSERT INTO workflow_steps VALUES (0, 'copy of x')", "继续迁移"),
        ("ALTER TABLE runs OWNER TO postgres", "表 runs 属于别的角色"),
        ("ALTER SCHEMA public OWNER TO postgres; REVOKE CREATE ON SCHEMA public FROM keqing, public",
         "不能建表"),
    ],
)  # fmt: skip
def test_the_doctor_names_what_is_broken(doctor: Doctor, sql: str, said: str) -> None:
    """Each broken state is a fail with what to do."""
    doctor.tell(sql)
    state, found = doctor.says()
    assert state == "fail"
    assert said in found


def test_the_doctor_cannot_get_in(doctor: Doctor) -> None:
    """A wrong password and a missing database are told apart."""
    assert "the password is refused" in doctor.says(KEQING__WORKFLOW__PASSWORD="falsch")[1]
    doctor.name = "nowhere"
    state, said = doctor.says()
    assert (state, "createdb" in said) == ("fail", True)
