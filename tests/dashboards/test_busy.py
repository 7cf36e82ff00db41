"""A stage that writes for long keeps nobody from reading."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from keqing.workflow.db import begin, open_workflow
from tests.dashboards.conftest import Desk

PATIENCE_S = 10.0  # far below the 30 s that a writer is waited for, far above a page's work
PAGES = ("/", "/mentions", "/incidents", "/health", "/audit", "/account", "/readyz")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_answers_beside_a_writer(desk: Desk, lead: TestClient, path: str) -> None:
    """With the write lock held all the time, also when the session is due to be touched."""
    desk.clock[0] += timedelta(minutes=2)
    writer = open_workflow(desk.settings)
    with begin(writer):
        began = time.monotonic()
        answer = lead.get(path)
        took = time.monotonic() - began
    assert answer.status_code == 200
    assert took < PATIENCE_S


def test_a_session_is_kept_alive_by_the_next_page(desk: Desk, lead: TestClient) -> None:
    """What could not be written beside the writer is written afterwards: 50 minutes of use."""
    writer = open_workflow(desk.settings)
    for minutes in (20, 1, 28):
        desk.clock[0] += timedelta(minutes=minutes)
        if minutes == 20:
            with begin(writer):
                assert lead.get("/health").status_code == 200
        else:
            assert lead.get("/health").status_code == 200
