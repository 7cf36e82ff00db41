"""A second server, which a test may stop and change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.workflow.servers import Cluster, started


@pytest.fixture(scope="session")
def own(cluster: Cluster) -> Iterator[Cluster]:
    """It is here where `cluster` is; whoever stops it starts it again."""
    with started() as made:
        yield made
