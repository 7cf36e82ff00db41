"""Once Airflow answers: its pools, and the DAGs of the line switched on; `replay` stays by hand.

In:  AIRFLOW_API, var/passwords.json. Out: nothing; may be repeated.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from keqing.stack import airflow


def main() -> None:
    """The same calls as `keqing up`."""
    passwords = json.loads(Path("var/passwords.json").read_text(encoding="utf-8"))
    rest = airflow.Rest(os.environ["AIRFLOW_API"], "ops", passwords["ops"])
    rest.create_pools()
    for dag in airflow.DAGS:
        rest.unpause(dag)
    print(f"switched on: {', '.join(airflow.DAGS)}")


if __name__ == "__main__":
    main()
