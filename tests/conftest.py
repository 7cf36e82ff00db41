"""Shared by all tests: hypothesis profiles and the rule for what a machine lacks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from keqing.workflow import db, postgres
from tests.elastic.artifact import Missing
from tests.elastic.servers import Node, started
from tests.workflow import servers

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci",
    max_examples=200,
    deadline=None,
    derandomize=True,
    # a machine may be busy, and what is filtered out costs time, not strength: so many still pass
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture
def now() -> datetime:
    """A fixed moment: Saturday noon in Beijing."""
    return datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


@pytest.fixture
def shared_data() -> Path:
    """The open development data; tests that need it are skipped where it is not."""
    if not SHARED.exists():
        pytest.skip("development data ../shared/data is not here")
    return SHARED


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    """A real Elasticsearch node: KEQING_TEST_ES_URL, or one started here and stopped after.

    Tests that use it belong to the xdist group `elasticsearch`, so that one worker starts one.
    """
    if url := os.environ.get("KEQING_TEST_ES_URL"):
        yield Node(url)
        return
    try:
        with started() as own:
            yield own
    except Missing as error:
        lacking(f"Elasticsearch tests need {error}, or KEQING_TEST_ES_URL")


@pytest.fixture(scope="session")
def cluster() -> Iterator[servers.Cluster]:
    """A real PostgreSQL, started here and stopped after.

    Tests that use it belong to the xdist group `postgres`, so that one worker starts one.
    """
    try:
        with servers.started() as own:
            yield own
    except servers.Missing as error:
        lacking(f"PostgreSQL tests need {error}")


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.xdist_group("postgres"))]
)
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """The test on SQLite, then on a new database of a real PostgreSQL, whose name this is.

    What opens the workflow database by settings, in this process or in one started here, gets it.
    """
    if request.param == "sqlite":
        return None
    cluster: servers.Cluster = request.getfixturevalue("cluster")
    name = cluster.database()
    monkeypatch.setenv(postgres.URL_NAME, cluster.url(name))
    monkeypatch.setenv("KEQING__WORKFLOW__PASSWORD", servers.PASSWORD)
    return name


@pytest.fixture
def opened(
    request: pytest.FixtureRequest, either: str | None, tmp_path: Path
) -> Iterator[Callable[[], db.Engine]]:
    """Opens the test's one workflow database, again with each call."""
    made: list[db.Engine] = []

    def another() -> db.Engine:
        if either is None:
            made.append(db.open_file(tmp_path / "k.db"))
        else:
            cluster: servers.Cluster = request.getfixturevalue("cluster")
            made.append(db.ready(postgres.connect(cluster.address(either))))
        return made[-1]

    yield another
    for engine in made:
        engine.dispose()


def lacking(what: str) -> None:
    """What a machine lacks is skipped with a sentence, and fails in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No KEQING__ setting of the caller's shell reaches a test."""
    for name in [key for key in os.environ if key.startswith("KEQING__")]:
        monkeypatch.delenv(name)
