"""重放: is what the index says still what the landing says? Paused; run by hand or by backfill.

One run a day of the data interval: repeats what was scored up to that day into var/replay/<day> and
compares that day's files to the byte. A difference fails the run.
"""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import CronDataIntervalTimetable, dag, task


def told(context: dict[str, object]) -> None:
    """A task that failed for good is told to the operator."""
    from keqing.stack.trouble import failed

    failed(context)


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
        from zoneinfo import ZoneInfo

        from airflow.sdk import get_current_context

        from keqing.process import run_verb

        root = os.environ["AIRFLOW_HOME"]
        begin = get_current_context()["data_interval_start"]
        day = f"{begin.astimezone(ZoneInfo('Asia/Shanghai')):%Y-%m-%d}"
        into = Path(root) / "var" / "replay" / day
        shutil.rmtree(into, ignore_errors=True)  # what the last replay of this day left
        return run_verb(["replay", str(into), "--day", day, "--root", root], 7200.0)

    again()


replay()
