"""Real nodes for tests: started on free loopback ports as a user without rights, stopped after.

In:  the tree of artifact.py, further settings. Out: a Node with its address; an empty engine on it.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from index.elastic import ElasticEngine
from index.elastic_client import Patience, Server
from keqing.settings import IndexSettings
from tests.elastic.artifact import java_home, tree

HEAP = "-Xms512m -Xmx512m"
START_S = 180
EVERY = {"expand_wildcards": "all", "ignore_unavailable": "true"}
STOP_S = 30
# Real pauses would be most of a test's time; the number of tries is what it is about.
QUICK = Patience(4, 0.05, 0.2)


# Ends a node whose test run was killed: the pipe from the run closes, whatever became of it. A node
# that was just being started writes its pid a little later.
GUARD = """
read _
n=0
while [ $n -lt 600 ] && ! pid=$(cat "$1/es.pid" 2>/dev/null); do sleep 0.2; n=$((n + 1)); done
[ -n "$pid" ] && kill -9 "$pid"
rm -rf "$1"
"""


@dataclass
class Node:
    """A server that tests may ask; `home` is empty for one that somebody else runs."""

    url: str
    home: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)

    def settings(self, name: str, **more: object) -> IndexSettings:
        """[index] of an installation on this node."""
        return IndexSettings.model_validate({"url": self.url, "name": name, **more})

    def start(self) -> None:
        """Start (again) on the same ports with the same data."""
        if self.home is None:
            raise AssertionError("a node of somebody else is not started here")
        command = [str(self.home / "tree" / "bin" / "elasticsearch"), "-d", "-p", str(self._pid)]
        env = {
            "HOME": str(self.home), "PATH": "/usr/bin:/bin", "ES_PATH_CONF": str(self.home / "conf"),
            "ES_JAVA_HOME": str(java_home()), "ES_JAVA_OPTS": HEAP, "ES_TMPDIR": str(self.home / "tmp"),
        }  # fmt: skip
        with open(self.home / "start.log", "w") as log:
            done = subprocess.run(
                command, env=env, stdout=log, stderr=log, timeout=START_S, check=False, **_user()
            )
        if done.returncode:
            raise AssertionError((self.home / "start.log").read_text("utf-8")[-3000:])

    def stop(self, sig: int = signal.SIGTERM) -> None:
        """End the server by its pid and wait until it is gone."""
        if not self._pid.exists():
            return
        pid = int(self._pid.read_text("utf-8"))
        for attempt in (sig, signal.SIGKILL):
            _send(pid, attempt)
            end = time.monotonic() + STOP_S
            while _alive(pid) and time.monotonic() < end:
                time.sleep(0.05)
        self._pid.unlink(missing_ok=True)

    @property
    def _pid(self) -> Path:
        return Path("/nonexistent") if self.home is None else self.home / "es.pid"


@contextmanager
def started(settings: Mapping[str, object] | None = None, files: Mapping[str, bytes] | None = None,
            scheme: str = "http") -> Iterator[Node]:  # fmt: skip
    """A node of its own, gone with all its files afterwards.

    Args:
        settings: lines of elasticsearch.yml beside the usual ones.
        files: further files of the configuration folder.
    """
    home = Path(tempfile.mkdtemp(prefix="keqing-es-"))
    watch = guard(home)
    port, transport = free_port(), free_port()
    node = Node(f"{scheme}://127.0.0.1:{port}", home)
    try:
        _lay_out(home, port, transport, settings or {}, files or {})
        node.start()
        yield node
    finally:
        node.stop()
        _release(watch)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def cluster(size: int) -> Iterator[list[Node]]:
    """Nodes of one cluster, started side by side."""
    homes = [Path(tempfile.mkdtemp(prefix="keqing-es-")) for _ in range(size)]
    watches = [guard(home) for home in homes]
    ports = [(free_port(), free_port()) for _ in range(size)]
    nodes = [
        Node(f"http://127.0.0.1:{http}", home) for home, (http, _) in zip(homes, ports, strict=True)
    ]
    shared: dict[str, object] = {
        "discovery.type": None,
        "cluster.name": homes[0].name,
        "discovery.seed_hosts": [f"127.0.0.1:{transport}" for _, transport in ports],
        "cluster.initial_master_nodes": [f"n{n}" for n in range(size)],
    }
    try:
        for n, (home, (http, transport)) in enumerate(zip(homes, ports, strict=True)):
            _lay_out(home, http, transport, {**shared, "node.name": f"n{n}"}, {})
        with ThreadPoolExecutor(size) as pool:
            list(pool.map(Node.start, nodes))
        yield nodes
    finally:
        for node, home, watch in zip(nodes, homes, watches, strict=True):
            node.stop()
            _release(watch)
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def fresh(node: Node, name: str | None = None, **more: object) -> Iterator[ElasticEngine]:
    """An engine on an empty installation of its own; all it made is deleted afterwards."""
    name = name or f"t{uuid.uuid4().hex[:12]}"
    engine = open_engine(node, name, **more)
    try:
        yield engine
    finally:
        clear(engine)
        engine.close()


def open_engine(node: Node, name: str, **more: object) -> ElasticEngine:
    """An engine of the installation `name`, quick in its patience."""
    server = Server(node.settings(name, **more), node.env, reading=QUICK, writing=QUICK)
    return ElasticEngine(server)


def clear(engine: ElasticEngine) -> None:
    """Delete indices and templates of an engine's installation."""
    name, server = engine.names.alias, engine.server
    found = server.ask("GET", f"/{name}-mentions-*,{name}-state/_settings", params=EVERY)
    if found:
        server.tell("DELETE", f"/{','.join(found)}", accept=[404])
    server.tell("DELETE", f"/_index_template/{name}-mentions-*", accept=[404])


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def guard(home: Path) -> subprocess.Popen[bytes]:
    """A process that outlives the test run by a moment and clears up after it."""
    command = ["sh", "-c", GUARD, "sh", str(home)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def _release(watch: subprocess.Popen[bytes]) -> None:
    """All is cleared up: nothing is left to guard."""
    watch.kill()
    watch.communicate()


def _lay_out(
    home: Path,
    port: int,
    transport: int,
    settings: Mapping[str, object],
    files: Mapping[str, bytes],
) -> None:
    shutil.copytree(tree(), home / "tree", symlinks=True)
    shutil.copytree(tree() / "config", home / "conf")
    for name in ("data", "logs", "repo", "tmp"):
        (home / name).mkdir()
    usual: dict[str, object] = {
        "cluster.name": home.name, "node.name": "n1", "discovery.type": "single-node",
        "network.host": "127.0.0.1", "http.port": port, "transport.port": transport,
        "path.data": home / "data", "path.logs": home / "logs", "path.repo": home / "repo",
        "xpack.security.enabled": "false",
        "cluster.routing.allocation.disk.threshold_enabled": "false",
    }  # fmt: skip
    lines = [f"{key}: {value}" for key, value in {**usual, **settings}.items() if value is not None]
    (home / "conf" / "elasticsearch.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, content in files.items():
        (home / "conf" / name).write_bytes(content)
    if os.getuid() == 0:
        home.chmod(0o755)
        for path in (home, *home.rglob("*")):
            shutil.chown(path, "nobody")


def _user() -> dict[str, object]:
    """The server refuses root."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}


def _send(pid: int, sig: int) -> None:
    try:
        os.kill(pid, sig)
    except ProcessLookupError:
        return


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
