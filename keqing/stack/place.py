"""Where the doctor looks.

In:  the folder of keqing.toml, the environment. Out: the paths that its checks read.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from keqing.stack import airflow

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Place:
    """What is examined; the shipped files can be others in tests."""

    root: Path
    env: Mapping[str, str]
    lock: Path = REPOSITORY / "requirements.lock"
    cfg: Path = airflow.CFG
    dags: Path = airflow.DAGS_FOLDER
    model: Path = REPOSITORY / "nlp" / "models" / "linear"
    python: tuple[int, int] = field(default_factory=lambda: sys.version_info[:2])

    @property
    def var(self) -> Path:
        """Where all state lies."""
        return self.root / "var"
