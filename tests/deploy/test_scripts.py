"""deploy/'s scripts, run: secrets, certificates, preparation of the server, health."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography import x509

from tests.conftest import lacking
from tests.elastic.artifact import Missing, java_home, tree
from tests.elastic.fake import Asked, Told, fake, told

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def run(*command: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    usual = {"PATH": os.environ["PATH"]}
    return subprocess.run(command, env={**usual, **(env or {})}, capture_output=True, text=True,
                          timeout=120, check=False)  # fmt: skip


def needs(tool: str) -> None:
    """A program of the server's image that this machine may lack."""
    if shutil.which(tool) is None:
        lacking(f"tests of deploy/'s scripts need {tool}")


def test_secrets_are_made_once(tmp_path: Path) -> None:
    """Each declared one, for its owner's eyes only; a second run makes the missing and changes none."""
    shutil.copy(DEPLOY / "secrets.sh", tmp_path)
    made = run("sh", str(tmp_path / "secrets.sh"))
    assert made.returncode == 0, made.stderr
    folder = tmp_path / "secrets"
    before = {path.name: path.read_text("utf-8") for path in folder.iterdir()}
    assert len({value for name, value in before.items()}) == len(before) == 19
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert before["airflow_db_password"] in before["airflow_db_url"]
    assert before["redis_password"] in before["airflow_broker_url"]
    assert json.loads(before["airflow_passwords"]).keys() == {"pr", "ops"}
    assert not any(value in made.stdout for value in before.values())
    owner = os.getuid() or 1000
    assert (tmp_path / ".env").read_text("utf-8") == f"KEQING_UID={owner}\n"
    assert {path.stat().st_uid for path in folder.iterdir()} == {owner}
    (folder / "keqing_author_key").unlink()
    assert run("sh", str(tmp_path / "secrets.sh")).returncode == 0
    after = {path.name: path.read_text("utf-8") for path in folder.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"keqing_author_key"}


def test_certificates_are_of_one_authority(tmp_path: Path) -> None:
    """By the server's own program: names, chain and rights; what is there is not made again."""
    needs("unzip")
    try:
        util = tree() / "bin" / "elasticsearch-certutil"
        env = {"ES_JAVA_HOME": str(java_home()), "CERTS": str(tmp_path), "CERTUTIL": str(util),
               "INSTANCES": str(DEPLOY / "elasticsearch" / "instances.yml")}  # fmt: skip
    except Missing as error:
        lacking(f"the certificates' test needs {error}")
    script = ("bash", str(DEPLOY / "elasticsearch" / "certs.sh"))
    done = run(*script, env=env)
    assert done.returncode == 0, done.stderr
    ca = x509.load_pem_x509_certificate((tmp_path / "ca" / "ca.crt").read_bytes())
    for name, dns in (("node", "es03"), ("kibana", "kibana"), ("pages", "localhost")):
        path = tmp_path / name / f"{name}.crt"
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        certificate.verify_directly_issued_by(ca)
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert dns in named.get_values_for_type(x509.DNSName)
        assert stat.S_IMODE((tmp_path / name / f"{name}.key").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "ca" / "ca.key").stat().st_mode) == 0o600
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert run(*script, env=env).returncode == 0
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Files as secrets.sh makes them, for scripts that call curl."""
    needs("curl")
    for name in ("elastic_password", "kibana_system_password", "kibana_viewer_password",
                 "keqing_index_password", "keqing_public_password"):  # fmt: skip
        (tmp_path / name).write_text(f'{name}-"\\x', "utf-8")
    return tmp_path


def test_the_server_is_prepared(secrets: Path) -> None:
    """Each role as its file says, users with their roles, Kibana's password, the repository."""
    asked: dict[tuple[str, str], dict[str, object]] = {}

    def server(one: Asked) -> Told:
        assert one.headers["Authorization"].startswith("Basic ")
        asked[(one.method, one.path)] = json.loads(one.body)
        return told(200, {})

    with fake(server) as es:
        env = {"URL": es.url, "SECRETS": str(secrets), "CA": "/dev/null",
               "ROLES": str(DEPLOY / "elasticsearch" / "roles")}  # fmt: skip
        for name in ("keqing_index_password", "keqing_public_password", "kibana_viewer_password",
                     "kibana_system_password"):  # fmt: skip
            (secrets / name).write_text(name, "utf-8")
        (secrets / "elastic_password").write_text("boss", "utf-8")
        done = run("bash", str(DEPLOY / "elasticsearch" / "prepare.sh"), env=env)
    assert done.returncode == 0, done.stderr
    for path in (DEPLOY / "elasticsearch" / "roles").glob("*.json"):
        assert asked.pop(("PUT", f"/_security/role/{path.stem}")) == json.loads(
            path.read_text("utf-8")
        )
    assert asked.pop(("PUT", "/_security/user/keqing_public")) == {
        "password": "keqing_public_password", "roles": ["keqing_public"]}  # fmt: skip
    assert asked.pop(("PUT", "/_security/user/keqing"))["roles"] == ["keqing_writer"]
    viewer = asked.pop(("PUT", "/_security/user/keqing_kibana"))["roles"]
    assert viewer == ["keqing_public", "keqing_kibana"]
    assert asked.pop(("POST", "/_security/user/kibana_system/_password"))
    assert asked.pop(("PUT", "/_snapshot/nightly"))["type"] == "fs"
    assert not asked
    assert "boss" not in done.stdout + done.stderr


def test_a_server_that_refuses_ends_the_preparation(secrets: Path) -> None:
    """With its own words, and not as if all were well."""
    (secrets / "elastic_password").write_text("boss", "utf-8")
    with fake(lambda _: told(403, {"error": "no licence for this"})) as es:
        env = {"URL": es.url, "SECRETS": str(secrets), "CA": "/dev/null",
               "ROLES": str(DEPLOY / "elasticsearch" / "roles")}  # fmt: skip
        done = run("bash", str(DEPLOY / "elasticsearch" / "prepare.sh"), env=env)
    assert done.returncode != 0


@pytest.mark.parametrize(
    ("answer", "success"), [({"success": True}, True), ({"success": False, "errors": ["x"]}, False)]
)
def test_saved_objects_go_in_by_upload(
    secrets: Path, answer: dict[str, object], success: bool
) -> None:
    """The whole file as a form; an import that Kibana calls no success ends with exit 1."""
    (secrets / "elastic_password").write_text("boss", "utf-8")
    file = DEPLOY.parent / "dashboards" / "kibana" / "keqing.ndjson"
    bodies: list[Asked] = []

    def kibana(one: Asked) -> Told:
        bodies.append(one)
        text = json.dumps(answer, separators=(",", ":"))
        return Told(200, text.encode(), {"Content-Type": "application/json"})

    with fake(kibana) as server:
        env = {"URL": server.url, "SECRETS": str(secrets), "CA": "/dev/null", "FILE": str(file)}
        done = run("bash", str(DEPLOY / "kibana" / "import.sh"), env=env)
    assert (done.returncode == 0) is success
    [one] = bodies
    assert one.path == "/api/saved_objects/_import?overwrite=true"
    assert one.headers["kbn-xsrf"]
    assert file.read_bytes() in one.body


@pytest.mark.parametrize(
    ("part", "said", "code"),
    [
        ("", {}, 0),
        ("scheduler", {"scheduler": {"status": "healthy"}}, 0),
        ("scheduler", {"scheduler": {"status": "unhealthy"}}, 1),
        ("dag_processor", {}, 1),
    ],
)
def test_health_is_told_by_the_exit_code(part: str, said: dict[str, object], code: int) -> None:
    """Of an address, and of one part of Airflow's health page."""
    with fake(lambda _: told(200, said)) as server:
        done = run(sys.executable, str(DEPLOY / "health.py"), server.url, part)
    assert done.returncode == code
    assert bool(done.stderr) is bool(code)


def test_a_silent_address_is_not_healthy() -> None:
    """Nobody listens, or it answers an error: exit 1 with the reason."""
    assert run(sys.executable, str(DEPLOY / "health.py"), "http://127.0.0.1:9/").returncode == 1
    with fake(lambda _: told(503, {})) as server:
        assert run(sys.executable, str(DEPLOY / "health.py"), server.url).returncode == 1


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.sh")), ids=lambda path: path.name)
def test_scripts_can_be_read_by_their_shell(path: Path) -> None:
    """No syntax error, stops at the first failure, executable."""
    text = path.read_text("utf-8")
    shell = text.splitlines()[0].removeprefix("#!")
    assert run(shell, "-n", str(path)).returncode == 0
    assert "set -eu" in text
    assert path.stat().st_mode & 0o100
