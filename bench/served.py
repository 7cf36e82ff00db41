"""A filled installation whose pages are served on a free loopback port, for a browser.

In:  a folder. Out: its address, an account, and the workflow engine; ended when the block is left.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from bench.fill import fill
from dashboards.app import make_app
from index.engine import open_index
from keqing.settings import load_settings
from keqing.workflow import accounts
from keqing.workflow.accounts import ALL_BRANDS, Role
from keqing.workflow.db import Engine, begin, open_workflow
from nlp.segment import make_segmenter

PLAN = Path(__file__).resolve().parent.parent / "keqing.toml"
NAME, PASSWORD = "林组长", "Zebra-crossing-88"
STARTS_IN_S = 20.0


@dataclass(frozen=True)
class Served:
    """Where the pages are."""

    url: str
    engine: Engine


@contextmanager
def served(root: Path, blind_now: bool = False) -> Iterator[Served]:
    """Fill `root` with the demo city and serve it until the block ends."""
    shutil.copy(PLAN, root / "keqing.toml")
    settings = load_settings(root, env={})
    engine, now = open_workflow(settings), datetime.now(UTC)
    fill(settings, engine, now, blind_now=blind_now)
    with begin(engine) as tx:
        accounts.add_user(tx, NAME, Role.ADMIN, ALL_BRANDS, now)
        accounts.set_password(tx, NAME, PASSWORD)
    app = make_app(settings, engine, open_index(settings), make_segmenter(settings).tokens, _clock)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{_port(server)}", engine)
    finally:
        server.should_exit = True
        thread.join()


def _clock() -> datetime:
    return datetime.now(UTC)


def _port(server: uvicorn.Server) -> int:
    end = time.monotonic() + STARTS_IN_S
    while not server.started:
        if time.monotonic() > end:
            raise TimeoutError(f"the pages did not start within {STARTS_IN_S:g} s")
        time.sleep(0.05)
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port
