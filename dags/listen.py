"""研判与预警: score, load, check, notify take whatever landed and is not done yet.

Runs after each finished crawl and every minute, so that a crawler that says nothing is noticed too.
"""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import (
    Asset,
    AssetOrTimeSchedule,
    CronTriggerTimetable,
    DeadlineAlert,
    DeadlineReference,
    SyncCallback,
    dag,
    task,
)

LATE_MIN = 4  # a pass over five minutes of posts takes seconds
STAGES = {"score": ("nlp", 1800.0), "load": ("index", 900.0), "check": ("index", 300.0)}


def told(context: dict[str, object]) -> None:
    """A task that failed for good is told to the operator."""
    from keqing.stack.trouble import failed

    failed(context)


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("* * * * *", timezone="Asia/Shanghai"),
        assets=[Asset("posts")],
    ),
    # notify is a task of this very line: what is stuck here must be told from outside of it
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(minutes=LATE_MIN),
        callback=SyncCallback(
            "keqing.stack.trouble.late", kwargs={"dag": "listen", "minutes": LATE_MIN}
        ),
    ),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["keqing"],
    default_args={
        "owner": "keqing",
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=10),
        "on_failure_callback": told,
    },
)
def listen() -> None:
    """score >> load >> check >> notify."""

    @task
    def stage(verb: str, limit_s: float) -> dict[str, object]:
        from keqing.process import run_verb

        return run_verb([verb, "--root", os.environ["AIRFLOW_HOME"]], limit_s)

    chain = [
        stage.override(task_id=verb, pool=pool)(verb, limit)
        for verb, (pool, limit) in STAGES.items()
    ]
    last = stage.override(task_id="notify")("notify", 300.0)
    for before, after in zip(chain, [*chain[1:], last], strict=True):
        before >> after


listen()
