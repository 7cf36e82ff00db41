"""Airflow behind the line: its environment, its three processes, its pools, its DAGs switched on.

In:  the folder of keqing.toml, ports, secrets. Out: Components in the order in which they must start;
calls of Airflow's REST interface.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

from keqing.errors import Unreachable
from keqing.stack.ports import HOST
from keqing.stack.supervisor import Component

PORTS = {
    "airflow": 28080,
    "airflow-health": 28974,
    "airflow-worker": 28793,
    "airflow-trigger": 28794,
}
DAGS = ("collect", "listen", "upkeep", "digest")
POOLS = Path(__file__).resolve().parents[2] / "deploy" / "pools.json"
CFG = Path(__file__).resolve().parents[2] / "airflow.cfg"
DAGS_FOLDER = Path(__file__).resolve().parents[2] / "dags"
TRIES, PAUSE_S = 60, 1.0
MIGRATE_LIMIT_S = 300.0


def environment(root: Path, ports: Mapping[str, int], secrets: Mapping[str, str]) -> dict[str, str]:
    """What every Airflow process of this folder must agree on.

    `base_url` is where tasks reach the execution interface: it must name the same port.
    """
    bin_folder = str(Path(sys.executable).parent)
    return {
        **secrets,
        "PATH": f"{bin_folder}{os.pathsep}{os.environ.get('PATH', '')}",
        "AIRFLOW_HOME": str(root),
        "AIRFLOW_CONFIG": str(CFG),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS_FOLDER),
        "AIRFLOW__API__PORT": str(ports["airflow"]),
        "AIRFLOW__API__BASE_URL": f"http://{HOST}:{ports['airflow']}",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(ports["airflow-health"]),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(ports["airflow-worker"]),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(ports["airflow-trigger"]),
    }


def migrate(root: Path, env: Mapping[str, str]) -> None:
    """Create or update Airflow's database, once per version of Airflow.

    Raises:
        Unreachable: the migration failed; the last lines of what it said are told.
    """
    stamp = root / "var" / "airflow.version"
    release = version("apache-airflow")
    if stamp.exists() and stamp.read_text(encoding="utf-8") == release:
        return
    done = subprocess.run(  # noqa: S603  # our own command
        [_airflow(), "db", "migrate"],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=MIGRATE_LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise Unreachable(f"airflow db migrate failed:\n{done.stderr[-2000:]}")
    stamp.write_text(release, encoding="utf-8")


def components(env: Mapping[str, str]) -> list[Component]:
    """API server first, or a task's first try is burnt at boot; then scheduler and DAG processor."""
    base = env["AIRFLOW__API__BASE_URL"]
    rows: tuple[tuple[str, list[str], Callable[[], bool]], ...] = (
        ("airflow-api", ["api-server"], lambda: _healthy(base, "metadatabase")),
        # its log server would listen on all interfaces
        (
            "airflow-scheduler",
            ["scheduler", "--skip-serve-logs"],
            lambda: _healthy(base, "scheduler"),
        ),
        ("airflow-dag-processor", ["dag-processor"], lambda: _healthy(base, "dag_processor")),
    )
    return [Component(n, [_airflow(), *arguments], env, ready) for n, arguments, ready in rows]


class Rest:
    """Airflow's REST interface as one of its users."""

    def __init__(self, base: str, user: str, password: str) -> None:
        self._client = httpx.Client(base_url=base, timeout=30.0, trust_env=False)
        given = self._call("POST", "/auth/token", {"username": user, "password": password})
        self._client.headers["Authorization"] = f"Bearer {given['access_token']}"

    def create_pools(self) -> None:
        """Pools of deploy/pools.json; one that is there keeps the slots that staff gave it."""
        pools: dict[str, dict[str, Any]] = json.loads(POOLS.read_text(encoding="utf-8"))
        there = {p["name"] for p in self._call("GET", "/api/v2/pools")["pools"]}
        for name, facts in pools.items():
            if name not in there:
                self._call("POST", "/api/v2/pools", {"name": name, **facts})

    def unpause(self, dag: str) -> None:
        """Switch a DAG on, as soon as the processor has read it."""
        self._call("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False})

    def trigger(self, dag: str) -> str:
        """Start a run by hand; gives its id."""
        answer = self._call("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None})
        return str(answer["dag_run_id"])

    def state(self, dag: str, run: str) -> str:
        """State of a run: queued, running, success, failed."""
        return str(self._call("GET", f"/api/v2/dags/{dag}/dagRuns/{run}")["state"])

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Repeats what is not there yet, and the 500 that SQLite beside running tasks can give."""
        said = ""
        for _ in range(TRIES):
            try:
                answer = self._client.request(method, path, json=body)
            except httpx.TransportError as error:
                said = str(error)
            else:
                if answer.is_success:
                    return dict(answer.json())
                said = f"{answer.status_code} {answer.text[:300]}"
            time.sleep(PAUSE_S)
        raise Unreachable(f"Airflow {method} {path}: {said}")


def _airflow() -> str:
    return str(Path(sys.executable).parent / "airflow")


def _healthy(base: str, part: str) -> bool:
    try:
        answer = httpx.get(f"{base}/api/v2/monitor/health", timeout=5.0, trust_env=False)
    except httpx.TransportError:
        return False
    return answer.is_success and answer.json().get(part, {}).get("status") == "healthy"
