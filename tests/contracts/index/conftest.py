"""One suite for every engine: `engine` is parametrised, expectations are the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from index.answers import IndexEngine
from index.sqlite import SqliteEngine


@pytest.fixture(params=["sqlite"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[IndexEngine]:
    """An empty engine of each kind."""
    made = SqliteEngine(tmp_path / f"{request.param}.db")
    yield made
    made.close()
