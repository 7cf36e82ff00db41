"""What Airflow calls when a task has failed for good or a run is late: one mail to the operator.

In:  Airflow's context. Out: `keqing trouble`, in a process of its own. A plan has one place that says
who gets mail and how, so Airflow needs no mail settings of its own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from keqing.process import run_verb

LIMIT_S = 120.0


def failed(context: Mapping[str, Any]) -> None:
    """A task failed and will not be tried again; its try number and error are told."""
    task = context["task_instance"]
    error = context.get("exception")
    detail = f"第 {task.try_number} 次尝试后失败：{type(error).__name__}: {error}"
    _tell(f"{task.dag_id}.{task.task_id}", "failed", detail)


def late(context: Mapping[str, Any] | None = None, dag: str = "", minutes: float = 0) -> None:
    """A run has not ended in its time."""
    run: Mapping[str, Any] = (context or {}).get("dag_run") or {}
    _tell(dag, "late", f"排队 {minutes:g} 分钟后仍未完成：{run.get('dag_run_id', '')}")


def _tell(what: str, outcome: str, detail: str) -> None:
    root = os.environ["AIRFLOW_HOME"]
    arguments = ["trouble", what, "--outcome", outcome, "--detail", detail, "--root", root]
    run_verb(arguments, LIMIT_S)
