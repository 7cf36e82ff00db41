"""PostgreSQL as the workflow database: where it is, and how one connection to it is made.

In:  [workflow] of the plan; `KEQING__WORKFLOW__URL`, which wins, and the password from the environment.
Out: an Engine. One writer at a time holds for the whole database, as on SQLite: the log chains, the
outbox and the leases count on it. A reader sees one state and waits for nobody.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pg8000
from pydantic import ValidationError
from sqlalchemy import URL, Connection, Engine, create_engine, event

from keqing.errors import BadConfig, WorkflowForbidden, WorkflowUnavailable
from keqing.settings import Settings, WorkflowSettings, secret

URL_NAME = "KEQING__WORKFLOW__URL"
DRIVER = "postgresql+pg8000"
WRITER = 0x6B65_7169_6E67  # advisory lock "keqing": its holder is the one writer
READS, WAIT_MS = "keqing_reads", "keqing_wait_ms"  # options of a connection
# A host that lost its power must not keep the lock for the two hours that TCP takes to notice, nor a
# process that was stopped in its transaction.
SESSION = """
    SET client_encoding = 'UTF8'; SET datestyle = 'ISO'; SET timezone = 'UTC';
    SET idle_in_transaction_session_timeout = '10min';
    SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3
"""
KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
NUL, NO_NUL = "\x00", "\ufffd"


@dataclass(frozen=True)
class Address:
    """A database on a server; `host` with a slash is the folder of its unix socket."""

    host: str
    port: int
    user: str
    database: str
    password: str | None = field(default=None, repr=False)
    password_env: str = "KEQING__WORKFLOW__PASSWORD"  # noqa: S105  # a name
    tls: bool = False
    ca: Path | None = None
    timeout_s: float = 10.0

    @property
    def shown(self) -> str:
        """The address for messages, without the password."""
        if "/" in self.host:
            return f"postgresql://{self.user}@/{self.database}?host={self.host}"
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.database}"


def address(settings: Settings, env: Mapping[str, str] | None = None) -> Address | None:
    """Where the plan or the environment puts the workflow database; None for the SQLite file.

    Raises:
        BadConfig: `KEQING__WORKFLOW__URL` is no address; what it says is not repeated.
    """
    plan = settings.plan.workflow
    if (given := secret(URL_NAME, env)) is None:
        return None if plan.url is None else parsed(plan.url, plan, settings.root, env)
    parts = urlsplit(given)
    bare = parts._replace(netloc=_without_password(parts.netloc)).geturl()
    try:
        WorkflowSettings(url=bare)
    except ValidationError as error:
        raise BadConfig(f"{URL_NAME}: {error.errors()[0]['msg']}") from None
    found = parsed(bare, plan, settings.root, env)
    if parts.password is None:
        return found
    return Address(**{**vars(found), "password": unquote(parts.password)})


def parsed(
    url: str, plan: WorkflowSettings, root: Path, env: Mapping[str, str] | None = None
) -> Address:
    """The parts of a checked url, with the password that the environment has for it.

    Raises:
        BadConfig: a part is missing or means nothing to us.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError as error:
        raise BadConfig(f"[workflow] url: {error}") from None
    query = parse_qs(parts.query)
    if unknown := query.keys() - {"host"}:
        raise BadConfig(f"[workflow] url: {', '.join(sorted(unknown))} is not known; only host is")
    database, user = unquote(parts.path.strip("/")), unquote(parts.username or "")
    if not database or not user:
        missing = "database" if user else "user"
        raise BadConfig(
            f"[workflow] url: no {missing} in it; write postgresql://user@host:5432/database"
        )
    return Address(
        host=query.get("host", [parts.hostname or "localhost"])[0],
        port=port,
        user=user,
        database=database,
        password=secret(plan.password_env, env),
        password_env=plan.password_env,
        tls=plan.tls or plan.ca is not None,
        ca=None if plan.ca is None else root / plan.ca,
        timeout_s=plan.timeout_s,
    )


def connect(at: Address) -> Engine:
    """An engine; the first connection is made when it is first used."""
    url = URL.create(
        DRIVER, username=at.user, host=at.host, port=at.port, database=at.database
    )  # for messages: the connections come from _open
    engine = create_engine(url, creator=partial(_open, at), pool_pre_ping=True)
    # one statement for many rows: the driver would send them one by one
    engine.dialect.use_insertmanyvalues_wo_returning = True
    event.listen(engine, "begin", _begin)
    event.listen(engine, "before_cursor_execute", _without_nul, retval=True)
    return engine


def clean(text: str) -> str:
    """The text as PostgreSQL can hold it: U+FFFD for NUL, which no collected text has."""
    return text.replace(NUL, NO_NUL)


def cleaned(value: Any) -> Any:
    """A parameter, or lists of them, with every text as `clean` gives it."""
    if isinstance(value, str):
        return clean(value) if NUL in value else value
    if isinstance(value, list | tuple):
        return type(value)(cleaned(part) for part in value)
    return value


def _without_password(netloc: str) -> str:
    user, at, host = netloc.rpartition("@")
    return f"{user.partition(':')[0]}{at}{host}"


class _Link(pg8000.dbapi.Connection):  # type: ignore[misc]  # the driver has no types
    """A connection that can also be closed when the server is gone."""

    def close(self) -> None:
        with suppress(pg8000.InterfaceError):
            super().close()


def _open(at: Address) -> Any:
    """One connection of the driver, with our session settings."""
    tls = _tls(at) if at.tls else False
    sock = _socket(at)
    try:
        made = _Link(
            at.user, at.host, at.database, at.port, at.password,
            ssl_context=tls, sock=sock, application_name="keqing",
        )  # fmt: skip
    except (AttributeError, pg8000.InterfaceError) as error:
        sock.close()
        if at.password is not None or "SSL" in str(error):
            raise
        raise BadConfig(  # the driver falls over its missing password
            f"{at.shown}: the server asks for a password; set {at.password_env} or its _FILE"
        ) from error
    except ssl.SSLError as error:
        sock.close()
        raise WorkflowForbidden(
            f"{at.shown}: its certificate is not trusted ({error}); set [workflow] ca"
        ) from error
    except OSError as error:
        sock.close()
        raise WorkflowUnavailable(
            f"{at.shown}: no answer within {at.timeout_s:g} s ({error}); is it PostgreSQL?"
        ) from error
    made._usock.settimeout(None)
    cursor = made.cursor()
    cursor.execute(SESSION)
    made.commit()
    cursor.close()
    return made


def _socket(at: Address) -> socket.socket:
    try:
        if "/" in at.host:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(at.timeout_s)
            sock.connect(f"{at.host}/.s.PGSQL.{at.port}")
            return sock
        sock = socket.create_connection((at.host, at.port), at.timeout_s)
    except OSError as error:
        raise WorkflowUnavailable(
            f"{at.shown}: no connection ({error}); is the server running, the address right?"
        ) from error
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):  # Linux
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return sock


def _tls(at: Address) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if at.ca is None else str(at.ca))
    except (OSError, ssl.SSLError) as error:
        raise BadConfig(f"[workflow] ca: {at.ca} cannot be read: {error}") from error


def _begin(connection: Connection) -> None:
    """A reader's one state, or the writer's turn: what BEGIN and BEGIN IMMEDIATE are on SQLite."""
    options = connection.get_execution_options()
    if options.get(READS):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return
    # READ COMMITTED: what stood before the lock was waited for must be seen after it.
    connection.exec_driver_sql(
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE; "
        f"SET LOCAL lock_timeout = {int(options.get(WAIT_MS, 30_000))}; "
        f"SELECT pg_advisory_xact_lock({WRITER})"
    )


def _without_nul(
    _connection: Connection, _cursor: Any, statement: str, parameters: Any, *_more: Any
) -> tuple[str, Any]:
    return statement, cleaned(parameters)
