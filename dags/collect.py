"""采集: every five minutes, visit the sources whose next visit is due.

One mapped task a source, so that a source that refuses us holds back nobody. Each one that ends
wakes `listen`. A wall or robots.txt is not tried again; what cannot be reached is.
"""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import Asset, CronTriggerTimetable, dag, task
from airflow.sdk.exceptions import AirflowFailException

POSTS = Asset("posts")
FINAL = ("Blocked", "RobotsRefused", "SourceChanged", "BadConfig")
CRAWL_LIMIT_S = 1800.0


def told(context: dict[str, object]) -> None:
    """A task that failed for good is told to the operator."""
    from keqing.stack.trouble import failed

    failed(context)


@dag(
    schedule=CronTriggerTimetable("*/5 * * * *", timezone="Asia/Shanghai"),
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
def collect() -> None:
    """due → crawl, once per source."""

    @task
    def due() -> list[str]:
        from keqing.process import run_verb

        sources: list[str] = run_verb(["due", "--root", os.environ["AIRFLOW_HOME"]], 120)["due"]
        return sources

    # A source that refuses us is no failure of ours: `check` alarms on it after two runs.
    @task(outlets=[POSTS], pool="crawl", on_failure_callback=None)
    def crawl(source: str) -> dict[str, object]:
        from keqing.errors import KeqingError
        from keqing.process import run_verb

        arguments = ["crawl", source, "--due", "--root", os.environ["AIRFLOW_HOME"]]
        try:
            return run_verb(arguments, CRAWL_LIMIT_S)
        except KeqingError as error:
            if type(error).__name__ in FINAL:
                raise AirflowFailException(str(error)) from error
            raise

    crawl.expand(source=due())


collect()
