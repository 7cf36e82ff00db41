"""deploy/compose.yaml: valid by the compose specification, whole in each profile, safe as it stands."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.configuration import conf
from jsonschema import Draft202012Validator
from packaging.requirements import Requirement

from keqing.cli.main import _parser
from keqing.privacy import KEY_NAME
from keqing.settings import WorkflowSettings, load_settings
from keqing.stack import airflow

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
VENDOR = Path(__file__).parent / "vendor"
FILE = DEPLOY / "compose.yaml"
TEXT = FILE.read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROFILES = {"single", "cluster", "keqing", "kibana", "grafana", "postgres", "airflow-local",
            "airflow-celery"}  # fmt: skip
ROOT_ONCE = {"certs"}  # writes into new volumes, which are root's, and ends
DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")
CELERY = {"AIRFLOW__CELERY__BROKER_URL_CMD", "AIRFLOW__CELERY__RESULT_BACKEND_CMD",
          "AIRFLOW__CELERY__WORKER_CONCURRENCY"}  # fmt: skip  # of a provider that is not in the lock


def plain(value: object) -> str:
    """A value with the defaults of its variables, `$$` as the container sees it."""
    return DEFAULT.sub(r"\1", str(value)).replace("$$", "$")


def active(*profiles: str) -> set[str]:
    """Services that start with these profiles."""
    return {
        n
        for n, s in SERVICES.items()
        if not s.get("profiles") or set(s["profiles"]) & set(profiles)
    }


def ours() -> Iterator[tuple[str, dict[str, Any]]]:
    """Services of the image that deploy/Dockerfile makes."""
    yield from ((n, s) for n, s in SERVICES.items() if plain(s["image"]).startswith("keqing:"))


def test_the_schema_is_the_vendored_one() -> None:
    """The very bytes that VENDOR.json names, with their licence."""
    for entry in json.loads((VENDOR / "VENDOR.json").read_text("utf-8")):
        assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
        assert all((VENDOR / name).stat().st_size for name in entry["licence_files"])


def test_the_file_is_valid() -> None:
    """By the schema of the compose specification; a misspelt key is refused by it."""
    schema = json.loads((VENDOR / "compose-spec.json").read_text("utf-8"))
    validator = Draft202012Validator(schema)
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []
    wrong = {**COMPOSE, "services": {"x": {"image": "a:1", "healtcheck": {}}}}
    assert list(validator.iter_errors(wrong))


def test_images_are_pinned() -> None:
    """Each by a version with at least major and minor; Elastic's are the release that the tests run on."""
    pinned = json.loads((ROOT / "tests" / "elastic" / "artifact.json").read_text("utf-8"))
    release = pinned["coordinates"].split(":")[2]
    for name, service in SERVICES.items():
        image, _, tag = plain(service["image"]).rpartition(":")
        assert re.fullmatch(r"\d+\.\d+(\.\d+)?[a-z0-9.-]*", tag), name
        if image.startswith("docker.elastic.co/"):
            assert tag == release, name
    froms = re.findall(r"python:(\S+)", (DEPLOY / "Dockerfile").read_text("utf-8"))
    assert froms
    assert all(re.match(r"\d+\.\d+\.\d+-slim", tag) for tag in froms)
    assert "latest" not in TEXT


def test_nothing_leaves_this_machine() -> None:
    """Ports are published on loopback only, and no service uses the host's network."""
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert published
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in published)
    assert all(service.get("network_mode") in (None, "none") for service in SERVICES.values())


def test_no_secret_stands_inside() -> None:
    """Passwords and keys come by file: no such variable has a value, and no address has one in it."""
    for name, service in SERVICES.items():
        for key, value in (service.get("environment") or {}).items():
            if re.search(r"PASSWORD|SECRET|TOKEN|_KEY|SQL_ALCHEMY_CONN|BROKER|BACKEND", key):
                assert re.search(r"_FILE$|_CMD$", key), (name, key)
                assert "/run/secrets/" in str(value), (name, key)
    assert not re.search(r"://[^/\s@]+:[^/\s@]+@", TEXT)
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_every_secret_that_is_read_is_mounted() -> None:
    """What a service reads under /run/secrets it declares, secrets.sh makes it, and none is idle."""
    made = (DEPLOY / "secrets.sh").read_text("utf-8")
    scripts = {"prepare": "elasticsearch/prepare.sh", "kibana-objects": "kibana/import.sh",
               "airflow-init": "airflow/init.sh"}  # fmt: skip
    for name, service in SERVICES.items():
        has = set(service.get("secrets", ()))
        assert has <= COMPOSE["secrets"].keys(), name
        text = json.dumps(service) + (
            (DEPLOY / scripts[name]).read_text("utf-8") if name in scripts else ""
        )
        assert set(re.findall(r"/run/secrets/(\w+)", text)) <= has, name
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", ())}
    assert used == COMPOSE["secrets"].keys()
    for secret, declared in COMPOSE["secrets"].items():
        assert declared == {"file": f"secrets/{secret}"}
        assert re.search(rf"\b{secret}\b", made), secret


def test_what_is_mounted_is_there() -> None:
    """Named volumes are declared and used; files of the repository exist; none is writable inside."""
    named = set()
    for name, service in SERVICES.items():
        for mount in map(plain, service.get("volumes", ())):
            source, target, *mode = mount.split(":")
            assert target.startswith("/"), name
            if source.startswith("."):
                assert (DEPLOY / source).exists(), source
                assert mode == ["ro"], source
            else:
                named.add(source)
    assert named == COMPOSE["volumes"].keys()


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_profile_is_a_whole(profile: str) -> None:
    """All that its services wait for starts with it, and what they wait for can be told."""
    starts = active(profile)
    assert starts
    for name in starts:
        for wanted, how in (SERVICES[name].get("depends_on") or {}).items():
            assert wanted in SERVICES, name
            assert wanted in starts or how.get("required") is False, (name, wanted)
            once = SERVICES[wanted].get("restart") == "no"
            expected = "service_completed_successfully" if once else "service_healthy"
            assert how["condition"] == expected, (name, wanted)


def test_there_is_no_other_profile() -> None:
    """And the page names each, with what it starts."""
    assert {p for service in SERVICES.values() for p in service["profiles"]} == PROFILES
    page = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    assert [p for p in sorted(PROFILES) if f"`{p}`" not in page] == []


def test_every_service_keeps_to_the_rules() -> None:
    """No root but once, no capability, a memory limit; what stays has a health check and restarts."""
    for name, service in SERVICES.items():
        user = plain(service["user"])
        assert (user == "0:0") == (name in ROOT_ONCE), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        if service["restart"] == "no":
            assert "ports" not in service, name
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name
    assert all(service["read_only"] for _, service in ours())


def test_three_nodes_are_one_cluster() -> None:
    """Each knows all three, has data of its own, one folder of snapshots, and answers to one name."""
    nodes = {name: SERVICES[name] for name in active("cluster") if name.startswith("es")}
    assert len(nodes) == 3
    for name, node in nodes.items():
        env = node["environment"]
        assert env["node.name"] == name
        for key in ("discovery.seed_hosts", "cluster.initial_master_nodes"):
            assert sorted(env[key].split(",")) == sorted(nodes)
        assert node["networks"]["default"]["aliases"] == ["elasticsearch"]
    data = [
        mount.split(":")[0] for n in nodes.values() for mount in n["volumes"] if "/data" in mount
    ]
    assert len(set(data)) == 3
    for layer in ("http", "transport"):
        for node in (*nodes.values(), SERVICES["elasticsearch"]):
            assert node["environment"][f"xpack.security.{layer}.ssl.enabled"] == "true"
    names = yaml.safe_load((DEPLOY / "elasticsearch" / "instances.yml").read_text("utf-8"))
    [certified] = [set(one["dns"]) for one in names["instances"] if one["name"] == "node"]
    assert {*nodes, "elasticsearch", "localhost"} <= certified


def test_commands_are_verbs_that_exist() -> None:
    """keqing's command line takes them as they stand; Airflow's are known, scripts are there."""
    known = {"api-server", "scheduler", "dag-processor"}
    for name, service in ours():
        entry, command = service.get("entrypoint", ["keqing"]), service.get("command", [])
        if entry == ["keqing"]:
            _parser().parse_args(command)
        elif entry == ["airflow"]:
            assert command[0] in known or command[:2] == ["celery", "worker"], name
        else:
            assert (ROOT / entry[-1]).exists(), name
    dockerfile = (DEPLOY / "Dockerfile").read_text("utf-8")
    [command] = re.findall(r"^CMD (\[.*\])$", dockerfile, re.M)
    _parser().parse_args(json.loads(command))
    assert json.loads(re.findall(r"^ENTRYPOINT (\[.*\])$", dockerfile, re.M)[0]) == ["keqing"]
    for service in SERVICES.values():
        for script in re.findall(r"deploy/[\w/]+\.(?:py|sh)", json.dumps(service)):
            assert (ROOT / script).exists() or (f":/{script}:ro" in str(service["volumes"]))


def test_settings_that_are_named_exist() -> None:
    """keqing's variables build a plan, or are secrets that the program reads; the values arrive."""
    secrets = {"KEQING__INDEX__PASSWORD_FILE", f"{WorkflowSettings().password_env}_FILE",
               f"{KEY_NAME}_FILE", "KEQING__WORKFLOW__URL"}  # fmt: skip
    seen = set()
    for _, service in ours():
        env = {k: plain(v) for k, v in (service.get("environment") or {}).items()}
        given = {name: value for name, value in env.items() if name.startswith("KEQING__")}
        if not given:
            continue
        plan = load_settings(ROOT, env=given).plan
        assert plan.index.public
        assert (plan.index.user, plan.index.snapshots) == ("keqing", "nightly")
        assert plan.dashboards.base_url == "https://localhost:8443"
        seen |= {name for name in given if name.endswith("_FILE")} | (
            {"KEQING__WORKFLOW__URL"} & given.keys()
        )
        WorkflowSettings(url=given["KEQING__WORKFLOW__URL"])
    assert seen == secrets


def test_airflow_settings_that_are_named_exist() -> None:
    """Options of Airflow; a `_CMD` only for those that Airflow reads so; one address of its API."""
    known = conf.configuration_description
    for name, service in ours():
        for key, value in (service.get("environment") or {}).items():
            if not key.startswith("AIRFLOW__") or key in CELERY:
                continue
            _, section, option = key.lower().split("__")
            bare = option.removesuffix("_cmd")
            assert bare in known[section]["options"], (name, key)
            if option != bare:
                assert (section, bare) in conf.sensitive_config_values, (name, key)
                assert shlex.split(value)[0] == "cat", (name, key)
    env = SERVICES["airflow-worker"]["environment"]
    port = str(airflow.PORTS["airflow"])
    assert env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"http://airflow-api:{port}/execution/"
    assert SERVICES["airflow-api"]["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_workers_have_what_the_tasks_need() -> None:
    """Whoever runs tasks sees plan, landing and certificates, and the database and index secrets."""
    for name in ("airflow-scheduler", "airflow-worker"):
        service = SERVICES[name]
        targets = {plain(mount).split(":")[1] for mount in service["volumes"]}
        assert targets >= {"/opt/keqing/var", "/opt/keqing/keqing.toml", "/certs"}
        assert {"keqing_index_password", "keqing_db_password", "keqing_author_key"} <= set(
            service["secrets"]
        )


def test_the_image_holds_what_runs_and_no_more() -> None:
    """A user without rights, no compiler, no tests, no secrets; all that is copied is there."""
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    final = text.rpartition("\nFROM ")[2]
    assert re.search(r"^USER \$\{KEQING_UID\}:0$", final, re.M)
    assert "HEALTHCHECK" in final
    assert not re.search(r"gcc|build-essential|pip install|uv ", final)
    rows = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").split()
    assert rows[0] == "*"
    kept = {row.removeprefix("!") for row in rows if row.startswith("!")}
    assert [name for name in kept if not (ROOT / name).exists()] == []
    assert not kept & {"tests", "docs", "bench", "var", ".git"}
    assert {"deploy/secrets", "deploy/.env"} <= set(rows)
    packages = {"keqing", "crawlers", "nlp", "index", "alerts", "dashboards", "demo", "dags"}
    assert packages | {"airflow.cfg", "keqing.toml", "deploy"} <= kept


def test_the_cluster_lock_adds_to_the_run_lock() -> None:
    """The image runs what everybody runs, and beside it Airflow's workers and PostgreSQL."""
    lock, cluster = (
        [Requirement(line) for line in path.read_text("utf-8").splitlines()]
        for path in (ROOT / "requirements.lock", DEPLOY / "cluster.lock")
    )
    python = {"python_version": "3.12", "python_full_version": "3.12.11"}  # the image's
    ours, theirs = (
        {str(w.name): str(w.specifier) for w in rows if not w.marker or w.marker.evaluate(python)}
        for rows in (lock, cluster)
    )
    assert ours.items() <= theirs.items(), "run make lock"
    assert all(re.fullmatch(r"==[^,*]+", version) for version in theirs.values())
    names = theirs.keys()
    assert {"celery", "redis", "psycopg2-binary", "apache-airflow-providers-celery"} <= names
