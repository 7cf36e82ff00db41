"""重放: is what the index says still what the landing says? Paused; run by hand or by backfill.

Repeats every scored batch into var/replay and compares to the byte: a difference fails the run.
"""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import CronDataIntervalTimetable, dag, task


@dag(
    schedule=CronDataIntervalTimetable("@daily", timezone="Asia/Shanghai"),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["keqing"],
    default_args={"owner": "keqing", "retries": 2, "retry_delay": timedelta(minutes=5)},
)
def replay() -> None:
    """One task."""

    @task(pool="nlp")
    def again() -> dict[str, object]:
        import shutil
        from pathlib import Path

        from keqing.process import run_verb

        root = os.environ["AIRFLOW_HOME"]
        into = Path(root) / "var" / "replay"
        shutil.rmtree(into, ignore_errors=True)  # what the last replay left
        return run_verb(["replay", str(into), "--root", root], 7200.0)

    again()


replay()
