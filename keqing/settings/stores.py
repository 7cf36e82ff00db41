"""Where things are kept: the index and the workflow's state, each embedded or on a server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from keqing.settings.part import Part


class IndexSettings(Part):
    """Without `url` the embedded SQLite engine; with it Elasticsearch 9 (or OpenSearch).

    Several hosts of one cluster stand in one url, separated by commas. Secrets never stand here:
    `api_key_env` and `password_env` name the environment variables that hold them (or, with `_FILE`
    behind the name, the file that does).
    """

    url: str | None = None
    name: str = Field("keqing", pattern=r"^[a-z][a-z0-9_-]{0,60}$")  # read alias, prefix of all
    flavour: Literal["elasticsearch", "opensearch"] = "elasticsearch"
    user: str | None = None
    password_env: str = "KEQING__INDEX__PASSWORD"  # noqa: S105  # a name
    api_key_env: str = "KEQING__INDEX__API_KEY"
    ca: Path | None = None  # PEM file of the authority that signed the server's certificate
    shards: int = Field(1, ge=1, le=64)  # primaries of one month
    replicas: int = Field(1, ge=0, le=8)
    timeout_s: float = Field(30.0, gt=0)
    retention_months: int | None = Field(None, ge=1)  # None keeps every month
    snapshots: str | None = None  # name of a registered snapshot repository, for `upkeep`
    public: bool = False  # also keep `<name>-public`, without authors, for Kibana and Grafana

    @field_validator("url")
    @classmethod
    def _plain_hosts(cls, url: str | None) -> str | None:
        for host in (url or "").split(",") if url is not None else ():
            parts = urlsplit(host.strip())
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(
                    f"{host!r} is no http(s) address, e.g. https://es.example.org:9200"
                )
            if parts.username or parts.password:
                raise ValueError("no user or password in the url; use user and password_env")
        return url

    @property
    def hosts(self) -> tuple[str, ...]:
        """The addresses of `url`, each with its port."""
        return tuple(host.strip().rstrip("/") for host in (self.url or "").split(",") if host)


class WorkflowSettings(Part):
    """Without `url` the SQLite file var/keqing.db; with it PostgreSQL 13 or newer.

    `postgresql://user@host:5432/database`; a folder as `?host=/var/run/postgresql` is a unix socket.
    The password never stands here: `password_env` names the environment variable that holds it (or,
    with `_FILE` behind the name, the file that does).
    """

    url: str | None = None
    password_env: str = "KEQING__WORKFLOW__PASSWORD"  # noqa: S105  # a name
    tls: bool = False  # true: only over TLS, the server's certificate checked
    ca: Path | None = (
        None  # PEM of the authority that signed it, relative to keqing.toml; implies tls
    )
    timeout_s: float = Field(10.0, gt=0)  # for the connection, not for a question

    @field_validator("url")
    @classmethod
    def _plain(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if not re.fullmatch(r"postgresql(\+pg8000)?", parts.scheme):
            raise ValueError("no address of PostgreSQL, e.g. postgresql://keqing@db:5432/keqing")
        if parts.password is not None:
            raise ValueError("no password in the url; use password_env")
        return url
