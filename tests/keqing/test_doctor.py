"""A healthy installation has no fail; each broken state changes exactly its own line."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from index.sqlite import SqliteEngine
from keqing.cli import main
from keqing.privacy import KEY_NAME
from keqing.stack import machine
from keqing.stack.doctor import examine
from keqing.stack.findings import DoctorReport
from keqing.stack.place import Place
from keqing.stack.ports import HOST, Claims, free_port
from keqing.stack.secrets import airflow_passwords, airflow_secrets
from keqing.stack.supervisor import start_of
from keqing.workflow import db

ROOT = Path(__file__).resolve().parents[2]
LISTENER = """
import socket, sys, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
time.sleep(60)
"""


@dataclass
class Patient:
    """A healthy installation with copies of the shipped files, ready to be broken."""

    place: Place
    patch: pytest.MonkeyPatch
    keep: list[Any] = field(default_factory=list)

    @property
    def var(self) -> Path:
        return self.place.var

    @property
    def secret(self) -> Path:
        return next((self.var / "secrets").iterdir())

    def plan(self, old: str, new: str) -> None:
        rewrite(self.place.root / "keqing.toml", old, new)


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Patient:
    shutil.copy(ROOT / "keqing.toml", tmp_path)
    shutil.copy(ROOT / "airflow.cfg", tmp_path)
    shutil.copytree(ROOT / "dags", tmp_path / "dags")
    shutil.copytree(ROOT / "nlp" / "models" / "linear", tmp_path / "model")
    (tmp_path / "lock").write_text(f"pydantic=={version('pydantic')}\nnone==1 ; os_name == 'x'\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "chromium").touch(0o700)
    var = tmp_path / "var"
    var.mkdir(mode=0o700)
    airflow_secrets(var, {})
    airflow_passwords(var)
    (var / "ports.json").write_text(json.dumps({"dashboards": free_port(Claims())}))
    SqliteEngine(var / "mentions-4.db").close()
    monkeypatch.setattr("alerts.chart.chart_font", lambda: "Noto Sans CJK SC")
    place = Place(
        tmp_path,
        {"PATH": str(tmp_path / "bin")},
        lock=tmp_path / "lock",
        cfg=tmp_path / "airflow.cfg",
        dags=tmp_path / "dags",
        model=tmp_path / "model",
    )
    return Patient(place, monkeypatch)


def states(report: DoctorReport) -> dict[str, str]:
    return {line.name: str(line.state) for line in report.checks}


def old_python(p: Patient) -> None:
    p.place = replace(p.place, python=(3, 10))


def other_package(p: Patient) -> None:
    p.place.lock.write_text("pydantic==1.0\n")


def missing_package(p: Patient) -> None:
    p.place.lock.write_text("no-such-package-of-ours==1.0\n")


def old_sqlite(p: Patient) -> None:
    p.patch.setattr(machine, "sqlite_facts", lambda: ("3.39.4", True))


def no_fts5(p: Patient) -> None:
    p.patch.setattr(machine, "sqlite_facts", lambda: ("3.45.1", False))


def full_disk(p: Patient) -> None:
    usage = shutil.disk_usage(p.var)._replace(free=999_999_999)
    p.patch.setattr(shutil, "disk_usage", lambda _: usage)


def open_var(p: Patient) -> None:
    p.var.chmod(0o750)


def no_zone(p: Patient) -> None:
    def missing(name: str) -> None:
        raise ZoneInfoNotFoundError(name)

    p.patch.setattr(machine, "ZoneInfo", missing)


def taken_port(p: Patient) -> None:
    other = socket.create_server((HOST, 0))
    p.keep.append(other)
    (p.var / "ports.json").write_text(json.dumps({"airflow": other.getsockname()[1]}))


def torn_ports(p: Patient) -> None:
    (p.var / "ports.json").write_text('{"airflow": ')


def other_port(p: Patient) -> None:
    rewrite(p.place.cfg, "base_url = http://127.0.0.1:28080", "base_url = http://127.0.0.1:8080")


def bad_dag(p: Patient) -> None:
    (p.place.dags / "listen.py").write_text("def broken(:\n")


def no_dag(p: Patient) -> None:
    (p.place.dags / "collect.py").unlink()


def open_secret(p: Patient) -> None:
    p.secret.chmod(0o644)


def empty_secret(p: Patient) -> None:
    p.secret.write_text("")


def lost_secret_file(p: Patient) -> None:
    p.place = replace(p.place, env={**p.place.env, f"{KEY_NAME}_FILE": str(p.var / "none")})


def changed_model(p: Patient) -> None:
    with (p.place.model / "weights.npz").open("ab") as file:
        file.write(b"x")


def no_model(p: Patient) -> None:
    (p.place.model / "card.toml").unlink()


def no_chromium(p: Patient) -> None:
    (p.place.root / "bin" / "chromium").unlink()


def no_font(p: Patient) -> None:
    p.patch.setattr("alerts.chart.chart_font", lambda: None)


def nameless(p: Patient) -> None:
    p.plan('source = "demo-shop"', 'source = "demo-shp"')


def watch(p: Patient, address: str) -> None:
    (p.place.root / "sources").mkdir()
    card = f'title = "T"\nspider = "forum"\nplatform = "discuz:t"\nbase_url = "{address}"\n'
    (p.place.root / "sources" / "town.toml").write_text(card)
    p.plan("target = [", 'target = [\n  { source = "town", kind = "board", key = "2" },')


def no_contact(p: Patient) -> None:
    watch(p, "https://forum.example.org/")


def inner_site(p: Patient) -> None:
    p.plan('# contact = "mailto:ops@example.org"', 'contact = "mailto:ops@example.org"')
    watch(p, "http://10.0.0.1/")


def torn_index(p: Patient) -> None:
    (p.var / "mentions-4.db").write_bytes(b"no database at all" * 100)


def older_index(p: Patient) -> None:
    (p.var / "mentions-4.db").unlink()
    (p.var / "mentions-2.db").touch()


def empty_newer_index(p: Patient) -> None:
    (p.var / "mentions-2.db").touch()


def server_index(p: Patient) -> None:
    p.plan("[watch]", '[index]\nurl = "http://127.0.0.1:9200"\n\n[watch]')


def torn_workflow(p: Patient) -> None:
    (p.var / "keqing.db").write_bytes(b"no database at all" * 100)


def newer_workflow(p: Patient) -> None:
    with db.begin(db.open_file(p.var / "keqing.db")) as tx:
        tx.exec_driver_sql("INSERT INTO workflow_steps VALUES (999, 'of tomorrow')")


def lost_workflow_table(p: Patient) -> None:
    with db.begin(db.open_file(p.var / "keqing.db")) as tx:
        tx.exec_driver_sql("DROP TABLE notifications")


def server_workflow(p: Patient) -> None:
    p.plan("[watch]", '[workflow]\nurl = "postgresql://k@127.0.0.1:9/k"\n\n[watch]')


def no_first_stage(p: Patient) -> None:
    p.plan("[watch]", '[nlp]\nmodel = "mine"\n\n[watch]')


def torn_house(p: Patient) -> None:
    (p.var / "house").mkdir()
    (p.var / "house" / "house.npz").write_bytes(b"PK no more")


def half_second_stage(p: Patient) -> None:
    p.plan("[watch]", '[nlp.second_stage]\nmodel = "big"\n\n[watch]')


def no_mail_server(p: Patient) -> None:
    port = free_port(Claims())
    p.plan("[watch]", f'[smtp]\nhost = "{HOST}"\nport = {port}\nstarttls = false\n\n[watch]')


def no_mail_password(p: Patient) -> None:
    p.plan("[watch]", '[smtp]\nhost = "127.0.0.1"\nuser = "u"\n\n[watch]')


def mail_without_server(p: Patient) -> None:
    p.plan('channel = "spool"', 'channel = "email"')


@pytest.mark.parametrize(
    ("harm", "name", "state"),
    [
        (old_python, "python", "fail"),
        (other_package, "packages", "warn"),
        (missing_package, "packages", "warn"),
        (old_sqlite, "sqlite", "fail"),
        (no_fts5, "sqlite", "fail"),
        (full_disk, "disk", "fail"),
        (open_var, "var", "fail"),
        (no_zone, "time-zone", "fail"),
        (taken_port, "ports", "warn"),
        (torn_ports, "ports", "fail"),
        (other_port, "airflow-url", "fail"),
        (bad_dag, "dags", "fail"),
        (no_dag, "dags", "fail"),
        (open_secret, "secrets", "fail"),
        (empty_secret, "secrets", "fail"),
        (lost_secret_file, "secrets", "fail"),
        (changed_model, "model", "fail"),
        (no_model, "model", "fail"),
        (no_chromium, "chromium", "warn"),
        (no_font, "font", "warn"),
        (no_contact, "sources", "fail"),
        (inner_site, "sources", "fail"),
        (torn_index, "index", "fail"),
        (older_index, "index", "warn"),
        (empty_newer_index, "index", "warn"),
        (server_index, "index", "fail"),
        (torn_workflow, "workflow", "fail"),
        (newer_workflow, "workflow", "fail"),
        (lost_workflow_table, "workflow", "fail"),
        (server_workflow, "workflow", "fail"),
        (half_second_stage, "second-stage", "fail"),
        (no_first_stage, "second-stage", "fail"),
        (torn_house, "second-stage", "fail"),
        (no_mail_server, "smtp", "fail"),
        (no_mail_password, "smtp", "fail"),
        (mail_without_server, "smtp", "warn"),
    ],
)
def test_one_broken_state_is_one_line(
    patient: Patient, harm: Callable[[Patient], None], name: str, state: str
) -> None:
    """Healthy before; afterwards only this line differs, and it says what to do."""
    assert set(states(examine(patient.place)).values()) == {"ok"}
    harm(patient)
    report = examine(patient.place)
    assert {n: s for n, s in states(report).items() if s != "ok"} == {name: state}
    assert report.failed == (state == "fail")
    assert next(line for line in report.checks if line.name == name).advice
    for thing in patient.keep:
        thing.close()


def test_a_bad_plan_fails_and_leaves_out_what_needs_it(patient: Patient) -> None:
    """The plan's line names file, line and nearest name; no line is guessed without a plan."""
    nameless(patient)
    report = examine(patient.place)
    assert [line.name for line in report.checks if line.state == "fail"] == ["plan"]
    assert report.checks[-1].name == "plan"
    assert "keqing.toml:" in report.checks[-1].found
    assert "'demo-shop'" in report.checks[-1].found


def test_var_must_be_a_folder(patient: Patient) -> None:
    """A file in the place of var is told."""
    shutil.rmtree(patient.var)
    patient.var.touch(0o700)
    assert states(examine(patient.place))["var"] == "fail"


def test_before_the_first_start_all_is_well_and_nothing_is_made(patient: Patient) -> None:
    """Without var there is nothing to complain of, and the doctor creates nothing."""
    shutil.rmtree(patient.var)
    before = sorted(patient.place.root.rglob("*"))
    assert set(states(examine(patient.place)).values()) == {"ok"}
    assert sorted(patient.place.root.rglob("*")) == before


def test_our_own_processes_may_hold_the_ports(patient: Patient) -> None:
    """A port on which a component of var/run listens is well; with a reused pid it is not ours."""
    process = subprocess.Popen(
        [sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, start_new_session=True
    )
    with process:
        assert process.stdout
        (patient.var / "ports.json").write_text(f'{{"airflow": {int(process.stdout.readline())}}}')
        (patient.var / "run").mkdir()
        file = patient.var / "run" / "airflow-api.json"
        file.write_text(json.dumps({"pid": process.pid, "start": start_of(process.pid)}))
        ours = states(examine(patient.place))["ports"]
        file.write_text(json.dumps({"pid": process.pid, "start": "1"}))
        foreign = states(examine(patient.place))["ports"]
        process.kill()
    assert (ours, foreign) == ("ok", "warn")


def test_a_mail_server_that_answers_is_well(patient: Patient) -> None:
    """Greeted and left without a mail; one that has no STARTTLS fails where the plan wants it."""
    server = Controller(Sink(), hostname=HOST, port=free_port(Claims()))
    server.start()
    try:
        patient.plan(
            "[watch]",
            f'[smtp]\nhost = "{HOST}"\nport = {server.port}\nstarttls = false\n\n[watch]',
        )
        assert states(examine(patient.place))["smtp"] == "ok"
        patient.plan("starttls = false", "starttls = true")
        assert states(examine(patient.place))["smtp"] == "fail"
    finally:
        server.stop()


def test_a_check_that_breaks_is_a_fail_and_the_round_goes_on(patient: Patient) -> None:
    """An unforeseen error is the line of its check only."""
    patient.place.cfg.write_text("[core]\n")
    report = examine(patient.place)
    assert {n for n, s in states(report).items() if s != "ok"} == {"airflow-url"}


def test_the_verb(patient: Patient, capsys: pytest.CaptureFixture[str]) -> None:
    """With the shipped files there is no fail: exit 0; a fail is exit 1; --json is one object."""
    root = str(patient.place.root)
    assert main(["doctor", "--root", root]) == 0
    assert "不合格 0 项" in capsys.readouterr().out
    open_var(patient)
    assert main(["doctor", "--root", root, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["failed"] == 1
    assert [c["name"] for c in report["checks"] if c["state"] == "fail"] == ["var"]
