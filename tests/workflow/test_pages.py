"""The pages on PostgreSQL: they answer, say that the database is away, and answer again."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.engine import open_index
from keqing.settings import load_settings
from keqing.workflow import db, postgres
from keqing.workflow.accounts import Role
from tests.dashboards.conftest import Desk
from tests.workflow.servers import PASSWORD, Cluster

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("/", "/mentions", "/incidents", "/health", "/audit", "/account", "/readyz")
pytestmark = pytest.mark.xdist_group("postgres")


def test_pages_outlive_a_restart(
    own: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is away is 503 on every page, never a 500 and never zeroes; later all is well."""
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    settings = load_settings(tmp_path, env={})
    monkeypatch.setenv(postgres.URL_NAME, own.url(own.database()))
    monkeypatch.setenv("KEQING__WORKFLOW__PASSWORD", PASSWORD)
    desk = Desk(settings, db.open_workflow(settings), open_index(settings))
    admin = desk.user("王管理", Role.ADMIN)
    assert [admin.get(path).status_code for path in PAGES] == [200] * len(PAGES)
    own.stop("fast")
    try:
        assert [admin.get(path).status_code for path in PAGES] == [503] * len(PAGES)
        assert desk.client().get("/login").status_code in (200, 503)
    finally:
        own.start()
    assert [admin.get(path).status_code for path in PAGES] == [200] * len(PAGES)
    desk.engine.dispose()
    desk.index.close()
