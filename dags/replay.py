"""重放: is what the index says still what the landing says? Paused; run by hand or by backfill.

One run a day of the data interval: repeats what was scored up to that day into var/replay/<day> and
compares that day's files to the byte. A difference fails the run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import CronDataIntervalTimetable, dag, task


def told(context: dict[str, object]) -> None:
    """A task that failed for good is told to the operator."""
    from keqing.stack.trouble import failed

    failed(context)


def day_of(context: Mapping[str, Any]) -> str:
    """Beijing day of the run's interval; a run by hand has none and is for the day before."""
    begin = context.get("data_interval_start") or context["dag_run"].run_after - timedelta(days=1)
    return f"{begin.astimezone(ZoneInfo('Asia/Shanghai')):%Y-%m-%d}"


@dag(
    schedule=CronDataIntervalTimetable("@daily", timezone="Asia/Shanghai"),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["keqing"],
    default_args={
        "owner": "keqing",
        "retries": 2,
        "retry_delay": timedelta(minutes=5),
        "on_failure_callback": told,
    },
)
def replay() -> None:
    """One task."""

    @task(pool="nlp")
    def again() -> dict[str, object]:
        import shutil
        from pathlib import Path

        from airflow.sdk import get_current_context

        from keqing.process import run_verb

        root = os.environ["AIRFLOW_HOME"]
        day = day_of(get_current_context())
        into = Path(root) / "var" / "replay" / day
        shutil.rmtree(into, ignore_errors=True)  # what the last replay of this day left
        return run_verb(["replay", str(into), "--day", day, "--root", root], 7200.0)

    again()


replay()
