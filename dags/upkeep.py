"""维护: every night, verify the landing's hash chain and back up both databases."""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import CronDataIntervalTimetable, dag, task


@dag(
    dag_id="upkeep",
    schedule=CronDataIntervalTimetable("30 3 * * *", timezone="Asia/Shanghai"),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["keqing"],
    default_args={"owner": "keqing", "retries": 2, "retry_delay": timedelta(minutes=5)},
)
def nightly() -> None:
    """One task."""

    @task(pool="index")
    def upkeep() -> dict[str, object]:
        from keqing.process import run_verb

        return run_verb(["upkeep", "--root", os.environ["AIRFLOW_HOME"]], 1800.0)

    upkeep()


nightly()
