"""维护: every night, verify the landing's hash chain, back up both databases, drop what lies too long,
and examine the installation (keqing doctor): what fails there is mailed to the operator."""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import CronDataIntervalTimetable, dag, task


def told(context: dict[str, object]) -> None:
    """A task that failed for good is told to the operator."""
    from keqing.stack.trouble import failed

    failed(context)


@dag(
    dag_id="upkeep",
    schedule=CronDataIntervalTimetable("30 3 * * *", timezone="Asia/Shanghai"),
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
def nightly() -> None:
    """One task."""

    @task(pool="index")
    def upkeep() -> dict[str, object]:
        from keqing.process import run_verb

        return run_verb(["upkeep", "--root", os.environ["AIRFLOW_HOME"]], 1800.0)

    upkeep()


nightly()
