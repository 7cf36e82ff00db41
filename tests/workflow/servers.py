"""A real PostgreSQL for tests: from Debian's directories, on a free loopback port, gone afterwards.

In:  the programs of postgresql-15 or newer (tests/packages.sh). Out: a Cluster whose databases are
made one a test from a template that has our tables. It runs as a user without rights, and writes no
fsync: what a test leaves need not survive a power cut.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pg8000.dbapi

from keqing.workflow import db, postgres
from keqing.workflow.postgres import Address
from tests.elastic.servers import free_port

PROGRAMS = Path("/usr/lib/postgresql")
START_S, STOP_S = 60, 20
PASSWORD, OWNER, TEMPLATE = "wachtwoord", "keqing", "keqing_template"
SETTINGS = (
    "fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200",
    "shared_buffers=32MB", "autovacuum=off", "log_min_messages=warning", "max_wal_size=2GB",
)  # fmt: skip
# Ends a server whose test run was killed: the pipe from the run closes, whatever became of it. One that
# was just being started writes its pid a little later.
GUARD = """
read _
n=0
while [ $n -lt 300 ] && ! pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null); do sleep 0.2; n=$((n + 1)); done
[ -n "$pid" ] && kill -QUIT "$pid"
sleep 1
rm -rf "$1"
"""


class Missing(Exception):
    """PostgreSQL's server programs are not on this machine."""


@dataclass
class Cluster:
    """A running server with the role `keqing`, who may make databases."""

    home: Path
    port: int
    made: int = 0

    def start(self) -> None:
        """Start (again) on the same port with the same data."""
        options = " ".join(f"-c {setting}" for setting in SETTINGS)
        place = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self.home}"
        self._run("pg_ctl", "-D", str(self.home / "data"), "-l", str(self.home / "log"), "-w",
                  "-t", str(START_S), "-o", f"{place} {options}", "start")  # fmt: skip

    def stop(self, mode: str = "immediate") -> None:
        """End the server and wait until it is gone."""
        self._run("pg_ctl", "-D", str(self.home / "data"), "-m", mode, "-w", "-t", str(STOP_S),
                  "stop")  # fmt: skip

    def address(self, database: str, **more: Any) -> Address:
        """One of its databases, as its owner."""
        usual = {"host": "127.0.0.1", "port": self.port, "user": OWNER, "password": PASSWORD}
        return Address(**{**usual, "database": database, **more})

    def url(self, database: str) -> str:
        """The url for a plan, without the password."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"

    def database(self, template: str = TEMPLATE) -> str:
        """Name of a new database that has our tables; of an empty one from `template0`."""
        self.made += 1
        name = f"t{self.made}"
        self.tell(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def tell(self, sql: str, database: str = "postgres", user: str = OWNER) -> None:
        """One statement outside of a transaction."""
        with closing(
            pg8000.dbapi.connect(user, "127.0.0.1", database, self.port, PASSWORD)
        ) as connection:
            connection.autocommit = True
            connection.cursor().execute(sql)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(programs() / program), *arguments], env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.home, timeout=2 * START_S,
            check=False, **user(),
        )  # fmt: skip
        if done.returncode:
            raise AssertionError(f"{program}: {done.stderr.decode()[-2000:]}")


@contextmanager
def started() -> Iterator[Cluster]:
    """A server of its own, gone with all its files afterwards.

    Raises:
        Missing: the server programs are not here.
    """
    programs()
    home = Path(tempfile.mkdtemp(prefix="keqing-pg-"))
    (home / "pw").write_text(PASSWORD, "utf-8")
    if os.getuid() == 0:
        for path in (home, home / "pw"):
            shutil.chown(path, "nobody", "nogroup")
    watch = subprocess.Popen(
        ["sh", "-c", GUARD, "sh", str(home)], stdin=subprocess.PIPE, start_new_session=True
    )
    cluster = Cluster(home, free_port())
    try:
        cluster._run("initdb", "-D", str(home / "data"), "-U", "postgres", "--no-sync", "-E", "UTF8",
                     "--locale=en_US.UTF-8" if _has("en_US.utf8") else "--locale=C.UTF-8",
                     "-A", "scram-sha-256", "--pwfile", str(home / "pw"))  # fmt: skip
        cluster.start()
        cluster.tell(f"CREATE ROLE {OWNER} LOGIN CREATEDB PASSWORD '{PASSWORD}'", user="postgres")
        cluster.tell(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
        db.ready(postgres.connect(cluster.address(TEMPLATE))).dispose()
        yield cluster
    finally:
        if (home / "data" / "postmaster.pid").exists():
            cluster.stop()
        watch.kill()
        watch.communicate()
        shutil.rmtree(home, ignore_errors=True)


def programs() -> Path:
    """The newest release of the server programs in Debian's directories.

    Raises:
        Missing: there is none.
    """
    found = sorted(PROGRAMS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise Missing("the server programs of PostgreSQL (apt-get install postgresql-15)")
    return found[-1].parent


def user() -> Mapping[str, Any]:
    """The server refuses root."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}


def _has(locale: str) -> bool:
    done = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False)
    return locale in done.stdout.split()


def wait_until(true: Any, limit_s: float = 20.0) -> None:
    """Poll until the call gives something true."""
    end = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > end:
            raise AssertionError("it did not become true in time")
        time.sleep(0.02)
