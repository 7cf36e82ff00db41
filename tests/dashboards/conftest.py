"""A filled installation at a fixed moment, and clients that are signed in as a role."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from bench.fill import fill
from dashboards.app import make_app
from index.engine import open_index
from index.query import IndexEngine
from keqing.settings import Settings, load_settings
from keqing.workflow import accounts
from keqing.workflow.accounts import ALL_BRANDS, Role
from keqing.workflow.db import Engine, begin, open_workflow
from nlp.segment import make_segmenter

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)  # Friday, 20:00 in Beijing
PASSWORD = "Zebra-crossing-88"
CSRF = re.compile(r'name="csrf" value="(\w+)"')


@dataclass
class Desk:
    """One installation under test; `clock` may be moved."""

    settings: Settings
    engine: Engine
    index: IndexEngine
    clock: list[datetime] = field(default_factory=lambda: [NOW])

    def client(self) -> TestClient:
        """A browser without a session."""
        segment = make_segmenter(self.settings).tokens
        app = make_app(self.settings, self.engine, self.index, segment, lambda: self.clock[0])
        return TestClient(
            app, base_url="http://127.0.0.1", follow_redirects=False, raise_server_exceptions=False
        )

    def user(self, name: str, role: Role, brands: tuple[str, ...] = ALL_BRANDS) -> TestClient:
        """A browser signed in as a new user of this role."""
        with begin(self.engine) as tx:
            accounts.add_user(tx, name, role, brands, self.clock[0])
            accounts.set_password(tx, name, PASSWORD)
        client = self.client()
        assert sign_in(client, name, PASSWORD) == 303
        return client


def sign_in(client: TestClient, name: str, password: str) -> int:
    """Fill the form; gives the status."""
    token = csrf_of(client, "/login")
    data = {"name": name, "password": password, "csrf": token}
    return client.post("/login", data=data).status_code


def csrf_of(client: TestClient, path: str) -> str:
    """The token that the forms of a page carry."""
    found = CSRF.search(client.get(path).text)
    assert found is not None
    return found[1]


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo city's last five days, landed to checked."""
    root = tmp_path_factory.mktemp("city")
    shutil.copy(ROOT / "keqing.toml", root)
    settings = load_settings(root, env={})
    engine = open_workflow(settings)
    fill(settings, engine, NOW, days=5)
    engine.dispose()
    return root


@pytest.fixture
def desk(filled: Path, tmp_path: Path) -> Desk:
    """A copy of the filled installation."""
    return opened(shutil.copytree(filled, tmp_path / "desk"))


@pytest.fixture
def fresh(tmp_path: Path) -> Desk:
    """An installation in which nothing was ever seen."""
    (tmp_path / "new").mkdir()
    shutil.copy(ROOT / "keqing.toml", tmp_path / "new")
    return opened(tmp_path / "new")


def opened(root: Path) -> Desk:
    """Settings and stores of a folder."""
    settings = load_settings(root, env={})
    return Desk(settings, open_workflow(settings), open_index(settings))


@pytest.fixture
def lead(desk: Desk) -> TestClient:
    """A team lead who sees everything."""
    return desk.user("林组长", Role.LEAD)


@pytest.fixture
def form_token() -> Callable[[TestClient, str], str]:
    """How a test reads the token of a page's forms."""
    return csrf_of


@pytest.fixture
def enter() -> Callable[[TestClient, str, str], int]:
    """How a test fills the login form."""
    return sign_in
