"""What tests of the stages after the models share: the plan without a second stage, a Reader, a database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.stories import first_stage
from keqing.settings import Settings
from keqing.workflow import db
from keqing.workflow.db import Engine
from nlp.understand import Reader


@pytest.fixture(scope="module")
def settings() -> Settings:
    """The demo's plan, first stage alone: what is tested does not hang on the second one."""
    return first_stage()


@pytest.fixture(scope="module")
def reader(settings: Settings) -> Reader:
    """Reads posts as `score` does."""
    return Reader(settings)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty workflow database."""
    made = db.open_file(tmp_path / "keqing.db")
    yield made
    made.dispose()
