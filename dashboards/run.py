"""Serve the pages: one uvicorn process that a signal ends cleanly.

In:  settings, host and port (0: the one kept in var/ports.json, else a free one). Out: never, until
SIGINT or SIGTERM. Plain HTTP is for this machine alone; another host needs a proxy with TLS.
"""

from __future__ import annotations

import ipaddress
import json
import signal
import socket
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import uvicorn

from dashboards.app import make_app
from index.engine import open_index
from keqing.errors import BadConfig
from keqing.logs import get_logger
from keqing.settings import Settings
from keqing.workflow.db import open_workflow
from nlp.segment import make_segmenter

GRACE_S = 10
log = get_logger(__name__)


def serve(settings: Settings, host: str, port: int, now: Callable[[], datetime]) -> None:
    """Answer requests until a signal.

    Raises:
        BadConfig: the host is not this machine's loopback and no https base_url is set, or the
            port is taken.
    """
    base = settings.plan.dashboards.base_url or ""
    insecure = not base.startswith("https://")
    if insecure and not is_loopback(host):
        raise BadConfig(
            f"host {host}: pages leave this machine only behind TLS. Set [dashboards] base_url to "
            "an https address and put a proxy in front, or use 127.0.0.1."
        )
    app = make_app(
        settings, open_workflow(settings), open_index(settings), make_segmenter(settings).tokens,
        now, insecure_dev=insecure,
    )  # fmt: skip
    listener = _bound(host, port or kept_port(settings.var))
    chosen = listener.getsockname()[1]
    _keep(settings.var, chosen)
    log.info("pages are served", host=host, port=chosen)
    # uvicorn ends on these and then raises them again; an end that was asked for is no failure.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, date_header=True,
        timeout_graceful_shutdown=GRACE_S, proxy_headers=not insecure,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listener])


def is_loopback(host: str) -> bool:
    """Whether nobody else can reach this address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def kept_port(var: Path) -> int:
    """The port that the pages had last time; 0 if none."""
    return _ports(var).get("dashboards", 0)


def _keep(var: Path, port: int) -> None:
    path = var / "ports.json"
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(_ports(var) | {"dashboards": port}), encoding="utf-8")
    aside.replace(path)


def _ports(var: Path) -> dict[str, int]:
    path = var / "ports.json"
    if not path.exists():
        return {}
    found: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _bound(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise BadConfig(
            f"{host}:{port}: {error.strerror}. Another process listens there; use --port 0."
        ) from error
    return listener
