"""What the doctor is told of the workflow database; nothing is made or changed.

In:  settings, the environment. Out: Facts; what cannot be reached raises as opening it would.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import inspect

from keqing.settings import Settings
from keqing.workflow import backup, migrations, postgres
from keqing.workflow.db import Engine, Tx, connected, read
from keqing.workflow.postgres import Address
from keqing.workflow.schema import whole

OLDEST_SERVER = 13
LOOPBACK = ("127.", "::1", "localhost", "/")
_SERVER = """
    SELECT current_setting('server_version_num')::int AS version,
           current_setting('server_encoding') AS encoding,
           has_schema_privilege(current_schema(), 'CREATE') AS creates,
           extract(epoch FROM clock_timestamp())::float8 AS clock,
           coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS tls
"""
_FOREIGN = """
    SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
    AND NOT pg_has_role(relowner, 'USAGE') ORDER BY relname
"""


@dataclass(frozen=True)
class Server:
    """What a PostgreSQL says of itself; `foreign` are tables of ours that another role owns."""

    shown: str
    version: int
    encoding: str
    creates: bool
    foreign: tuple[str, ...]
    exposed: bool  # not on this machine, and without TLS
    clock_ahead_s: float
    dump: int | None  # major version of pg_dump, None without it


@dataclass(frozen=True)
class Facts:
    """The state of the database: `step` is -1 where no step is known, `check` SQLite's own sentence."""

    exists: bool
    step: int = -1
    newest: int = -1
    missing: tuple[str, ...] = ()
    check: str = "ok"
    server: Server | None = None


def examine(settings: Settings, env: Mapping[str, str] | None = None) -> Facts:
    """Look at the database that the settings name.

    Raises:
        KeqingError: it cannot be opened, refuses us, is of a newer program or an unfinished copy.
    """
    at = postgres.address(settings, env)
    if at is None:
        path = settings.var / "keqing.db"
        if not path.exists():
            return Facts(exists=False)
        return _looked_at(connected(f"sqlite:///{path}"), None, env)
    return _looked_at(postgres.connect(at), at, env)


def _looked_at(engine: Engine, at: Address | None, env: Mapping[str, str] | None) -> Facts:
    try:
        with read(engine) as tx:
            there = set(inspect(tx).get_table_names()) & whole().tables.keys()
            server = None if at is None else _server(tx, at, there, env)
            check = (
                str(tx.exec_driver_sql("PRAGMA quick_check(1)").scalar()) if at is None else "ok"
            )
            return Facts(
                exists=bool(there),
                step=migrations.version(tx),
                newest=migrations.newest(),
                missing=tuple(sorted(whole().tables.keys() - there)),
                check=check,
                server=server,
            )
    finally:
        engine.dispose()


def _server(tx: Tx, at: Address, there: set[str], env: Mapping[str, str] | None) -> Server:
    row = tx.exec_driver_sql(_SERVER).one()
    here = time.time()
    foreign = tuple(name for name in tx.exec_driver_sql(_FOREIGN).scalars() if name in there)
    program = backup.dump_program(env)
    return Server(
        shown=at.shown,
        version=row.version // 10_000,
        encoding=row.encoding,
        creates=row.creates,
        foreign=foreign,
        exposed=not row.tls and not at.host.startswith(LOOPBACK),
        clock_ahead_s=row.clock - here,
        dump=None if program is None else backup.dump_version(program),
    )
