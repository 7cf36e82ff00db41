"""DAG files and airflow.cfg hold what operations rely on; read by Airflow itself in a process."""

from __future__ import annotations

import configparser
import importlib
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
READ = """
import json, logging, sys
logging.disable(logging.CRITICAL)
from airflow.configuration import conf
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
known = conf.configuration_description
rows = {
    name: {
        "doc": dag.doc_md, "tags": sorted(dag.tags), "catchup": dag.catchup,
        "runs": dag.max_active_runs, "tasks": [
            {"id": t.task_id, "owner": t.owner, "retries": t.retries, "pool": t.pool,
             "after": sorted(t.upstream_task_ids), "told": bool(t.on_failure_callback)}
            for t in dag.tasks],
        "deadlines": [
            {"path": d.callback.path, "kwargs": d.callback.kwargs,
             "reference": d.reference.reference_name, "s": d.interval.total_seconds()}
            for d in dag.deadline or ()],
    }
    for name, dag in bag.dags.items()
}
options = [f"{s}/{o}" for s in known for o in known[s]["options"]]
print("REPORT" + json.dumps({"errors": bag.import_errors, "dags": rows, "options": options}))
"""


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    home = tmp_path_factory.mktemp("airflow")
    (home / "var").mkdir()
    env = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONFIG": str(ROOT / "airflow.cfg"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    }
    done = subprocess.run(
        [sys.executable, "-c", READ, str(ROOT / "dags")],
        capture_output=True,
        text=True,
        env=env,
        timeout=120,
        check=False,
    )
    found = [line for line in done.stdout.splitlines() if line.startswith("REPORT")]
    if not found:
        raise RuntimeError(done.stderr[-2000:])
    report: dict[str, object] = json.loads(found[0].removeprefix("REPORT"))
    return report


def test_dags_are_what_staff_reads(bag: dict[str, object]) -> None:
    """Every DAG imports, says what it does, has an owner, retries, a tag and no catch-up."""
    assert bag["errors"] == {}
    dags = bag["dags"]
    assert set(dags) == {"collect", "listen", "upkeep", "digest", "replay"}  # type: ignore[call-overload]
    for dag in dags.values():  # type: ignore[attr-defined]
        assert dag["doc"].strip()
        assert (dag["tags"], dag["catchup"], dag["runs"]) == (["keqing"], False, 1)
        for task in dag["tasks"]:
            assert (task["owner"], task["retries"]) == ("keqing", 2)


def test_trouble_is_told(bag: dict[str, object]) -> None:
    """Every task that fails for good mails the operator, but a crawl, on which `check` alarms."""
    rows = {f"{name}.{t['id']}": t["told"] for name, d in bag["dags"].items() for t in d["tasks"]}  # type: ignore[attr-defined]
    assert {name for name, told in rows.items() if not told} == {"collect.crawl"}


def test_a_late_line_is_told(bag: dict[str, object]) -> None:
    """`listen` must end within minutes; what is called then exists and takes what it is given."""
    (deadline,) = bag["dags"]["listen"]["deadlines"]  # type: ignore[index]
    assert (deadline["reference"], deadline["s"]) == ("DagRunQueuedAtDeadline", 240.0)
    module, _, name = deadline["path"].rpartition(".")
    called = getattr(importlib.import_module(module), name)
    inspect.signature(called).bind(context={}, **deadline["kwargs"])


def test_stages_follow_each_other_in_their_pools(bag: dict[str, object]) -> None:
    """score, load, check, notify in this order; crawls and models have pools of their own."""
    tasks = {t["id"]: t for t in bag["dags"]["listen"]["tasks"]}  # type: ignore[index]
    assert tasks["load"]["after"] == ["score"]
    assert tasks["check"]["after"] == ["load"]
    assert tasks["notify"]["after"] == ["check"]
    pools = json.loads((ROOT / "deploy" / "pools.json").read_text(encoding="utf-8"))
    used = {t["pool"] for d in bag["dags"].values() for t in d["tasks"]}  # type: ignore[attr-defined]
    assert used - {"default_pool"} == set(pools)


DAYS = """
import logging, runpy, sys
from datetime import UTC, datetime
from types import SimpleNamespace
logging.disable(logging.CRITICAL)
day_of = runpy.run_path(sys.argv[1])["day_of"]
begin = datetime(2026, 11, 20, 16, tzinfo=UTC)
by_hand = SimpleNamespace(run_after=datetime(2026, 11, 25, 17, tzinfo=UTC))
print("DAYS", day_of({"data_interval_start": begin}), day_of({"dag_run": by_hand}))
"""


def test_a_replay_is_for_the_day_of_its_interval(tmp_path: Path) -> None:
    """A day is Beijing's; a run by hand has no interval and is for the day before."""
    command = [sys.executable, "-c", DAYS, str(ROOT / "dags" / "replay.py")]
    env = {**os.environ, "AIRFLOW_HOME": str(tmp_path), "AIRFLOW_CONFIG": str(ROOT / "airflow.cfg")}
    (tmp_path / "var").mkdir()
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120, check=True)
    assert "DAYS 2026-11-21 2026-11-25" in done.stdout


def test_every_option_exists(bag: dict[str, object]) -> None:
    """`airflow config lint` passes invented options; none stands in the file."""
    file = configparser.ConfigParser(interpolation=None)
    file.read(ROOT / "airflow.cfg", encoding="utf-8")
    written = {f"{s}/{o}" for s in file.sections() for o in file.options(s)}
    assert written <= set(bag["options"])  # type: ignore[call-overload]


def test_base_url_names_the_port() -> None:
    """Tasks reach the execution interface at base_url: another port there fails every task."""
    file = configparser.ConfigParser(interpolation=None)
    file.read(ROOT / "airflow.cfg", encoding="utf-8")
    assert urlsplit(file["api"]["base_url"]).port == int(file["api"]["port"])
    assert "/" not in file["database"]["sql_alchemy_conn"].partition("$AIRFLOW_HOME")[0][9:].strip(
        "/"
    )


def test_no_file_shadows_a_package() -> None:
    """Airflow puts dags/ on the path: no DAG file is named like a package of ours or its folders."""
    names = {path.stem for path in (ROOT / "dags").glob("*.py")}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert not names & (packages | {"config", "plugins"})
    assert not (ROOT / "config").exists()
    assert not (ROOT / "plugins").exists()
