"""日报: every morning at 08:30, one mail on the last 24 hours, also when nothing happened."""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task


def told(context: dict[str, object]) -> None:
    """A task that failed for good is told to the operator."""
    from keqing.stack.trouble import failed

    failed(context)


@dag(
    schedule=CronTriggerTimetable("30 8 * * *", timezone="Asia/Shanghai"),
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
def digest() -> None:
    """The report waits in the outbox; the next `listen` sends it."""

    @task
    def report() -> dict[str, object]:
        from keqing.process import run_verb

        return run_verb(["digest", "--root", os.environ["AIRFLOW_HOME"]], 300.0)

    report()


digest()
