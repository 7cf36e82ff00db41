"""One suite for every engine: `engine` is parametrised, expectations are the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from index.answers import IndexEngine
from index.sqlite import SqliteEngine
from tests.elastic.servers import Node, fresh

ELASTIC = pytest.param("elasticsearch", marks=pytest.mark.xdist_group("elasticsearch"))


@pytest.fixture(params=["sqlite", ELASTIC])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[IndexEngine]:
    """An empty engine of each kind."""
    if request.param == "sqlite":
        made = SqliteEngine(tmp_path / "e.db")
        yield made
        made.close()
    else:
        node: Node = request.getfixturevalue("node")
        with fresh(node) as on_server:
            yield on_server
