"""Settings: the watch plan (keqing.toml), source cards and the environment, checked.

In:  a directory with keqing.toml (and maybe sources/*.toml), the environment.
Out: frozen Settings. A bad plan is refused with file, line, field and nearest name (BadConfig).
Secrets come from the environment or `<NAME>_FILE` only; see `secret`.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from keqing.errors import BadConfig

T = TypeVar("T", bound=BaseModel)
SHIPPED_CARDS = Path(__file__).resolve().parent.parent / "crawlers" / "sources"
# Where things are kept or sent is not what is watched: it does not move `config_hash`.
_UNWATCHED = {"dashboards", "smtp", "receivers", "index", "workflow"}
LINE_OF_KEY = r"^\s*(?:\[+[^\]]*{key}[^\]]*\]+|[\"']?{key}[\"']?\s*=)"


class Part(BaseModel):
    """Base of all settings: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Brand(Part):
    """主体: what counts as being about this brand."""

    name: str
    kind: str = "company"
    ours: bool = True
    aliases: tuple[str, ...] = Field(min_length=1)
    exclude: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    not_context: tuple[str, ...] = ()
    need_context: bool = False
    products: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    stores: Mapping[str, str] = Field(default_factory=dict)  # name of a store → 山东青岛
    accounts: tuple[str, ...] = ()  # public names of its own verified accounts
    budget_per_week: float = Field(1.0, gt=0)


class Target(Part):
    """One thing to visit on a source: a user's timeline, a board, a product, a feed."""

    source: str
    kind: Literal["timeline", "board", "product", "feed", "category"]
    key: str
    priority: Literal["high", "normal", "low"] = "normal"


class Watch(Part):
    """What is watched."""

    target: tuple[Target, ...] = ()


class Receiver(Part):
    """Who is told, how, from which level."""

    channel: Literal["email", "spool"] = "spool"
    to: str
    min_level: Literal["blue", "yellow", "orange", "red"] = "blue"
    brands: tuple[str, ...] = ("*",)


class Smtp(Part):
    """Mail server; without a host, alerts go to the local maildir."""

    host: str | None = None
    port: int = 587
    user: str | None = None
    starttls: bool = True
    sender: str = "keqing@localhost"
    timeout_s: float = 20.0


class SecondStage(Part):
    """Transformer stage: `builtin`, `off`, a local directory with config, tokenizer and weights,
    or `hub:<owner>/<name>@<commit>`, fetched when `allow_download` says so.

    `margin`: posts whose two best classes lie closer than this in the first stage go there.
    """

    model: str = "builtin"
    labels: Mapping[str, str] = Field(default_factory=dict)
    margin: float = Field(0.70, ge=0.0, le=1.01)
    threads: int = 2
    allow_download: bool = False


class Nlp(Part):
    """Understanding."""

    segmenter: Literal["rjieba", "jieba"] = "rjieba"
    model: str = "builtin"
    second_stage: SecondStage = SecondStage()


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


class Dashboards(Part):
    """Pages. Port 0 = the one kept in var/ports.json, else a free one."""

    host: str = "127.0.0.1"
    port: int = 0
    base_url: str | None = None


class Contact(Part):
    """Who crawls: stands in the User-Agent. Without it only loopback sites are crawled."""

    contact: str | None = None


class Plan(Part):
    """keqing.toml as written."""

    demo: bool = False
    operator: Contact = Contact()
    brands: Mapping[str, Brand]
    topics: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)  # beside the shipped ones
    watch: Watch = Watch()
    receivers: Mapping[str, Receiver] = Field(default_factory=dict)
    smtp: Smtp = Smtp()
    nlp: Nlp = Nlp()
    index: IndexSettings = IndexSettings()
    workflow: WorkflowSettings = WorkflowSettings()
    dashboards: Dashboards = Dashboards()


class Terms(Part):
    """The source register that a reviewer reads."""

    robots: str = "unchecked"
    checked: date | None = None
    note: str = ""
    contact: str = ""


class Pace(Part):
    """How politely."""

    min_delay_s: float = Field(2.0, ge=0)
    max_requests_per_run: int = Field(300, gt=0)
    max_pages_per_target: int = Field(20, gt=0)
    retry_pauses_s: tuple[float, ...] = Field((5.0, 15.0, 45.0), min_length=1)


class Schedule(Part):
    """Minutes between two visits of a target, by its priority."""

    high: int = 10
    normal: int = 60
    low: int = 720


class Expected(Part):
    """What a healthy source looks like; the run checks itself against it."""

    quiet_hours_max: float = 12.0


class SourceCard(Part):
    """信源卡. The file's stem is the source's only name."""

    name: str
    title: str
    publisher: str = ""
    spider: Literal["weibo", "forum", "review", "feed", "discourse"]
    platform: str
    base_url: str
    zone: str = "Asia/Shanghai"
    channel: Literal["public", "social", "portal"] = "public"
    access: Literal["public"] = "public"
    ignored_fields: tuple[str, ...] = ()
    keep_raw: bool = True
    comments: bool = True
    terms: Terms = Terms()
    pace: Pace = Pace()
    schedule: Schedule = Schedule()
    expected: Expected = Expected()


class Settings(Part):
    """Everything a stage needs to know; built by `load_settings`, then handed down."""

    root: Path
    plan: Plan
    cards: Mapping[str, SourceCard]
    config_hash: str

    @property
    def var(self) -> Path:
        """Where all state lives."""
        return self.root / "var"

    def source_title(self, source: str) -> str:
        """What people call a source; its own name where no card says (imports)."""
        return self.cards[source].title if source in self.cards else source


def load_settings(root: Path, env: Mapping[str, str] | None = None) -> Settings:
    """Read `<root>/keqing.toml` and all cards; environment `KEQING__A__B` overrides `[a] b`.

    Raises:
        BadConfig: with file, line, field and nearest name.
    """
    env = os.environ if env is None else env
    path = root / env.get("KEQING_PLAN", "keqing.toml")
    raw = _read(path)
    _override(raw, env)
    plan = _build(Plan, raw, path)
    cards = _cards(root, env)
    for target in plan.watch.target:
        if target.source not in cards:
            raise BadConfig(
                f"{path}:{_line(path, target.source)}: watch.target source {target.source!r} has "
                f"no card.{_nearest(target.source, list(cards))}"
            )
    plain = {
        "plan": plan.model_dump(mode="json", exclude=_UNWATCHED),
        "cards": {n: c.model_dump(mode="json", exclude={"base_url"}) for n, c in cards.items()},
    }
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]
    return Settings(root=root, plan=plan, cards=cards, config_hash=digest)


def secret(name: str, env: Mapping[str, str] | None = None) -> str | None:
    """The secret `name` from the environment or the file named by `<name>_FILE`; None if unset."""
    env = os.environ if env is None else env
    if value := env.get(name):
        return value
    if path := env.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadConfig(f"{name}_FILE: cannot read {path}: {error.strerror}") from error
    return None


def _cards(root: Path, env: Mapping[str, str]) -> dict[str, SourceCard]:
    cards: dict[str, SourceCard] = {}
    for folder in (SHIPPED_CARDS, root / "sources"):
        for path in sorted(folder.glob("*.toml")):
            raw = _read(path) | {"name": path.stem}
            cards[path.stem] = _build(SourceCard, raw, path)
    return _city_ports(root, cards)


def _city_ports(root: Path, cards: dict[str, SourceCard]) -> dict[str, SourceCard]:
    """The running demo city writes its real addresses to var/city.json, which win."""
    path = root / "var" / "city.json"
    if not path.exists():
        return cards
    sites: dict[str, str] = json.loads(path.read_text(encoding="utf-8")).get("sites", {})
    return {
        name: card.model_copy(update={"base_url": sites[name]}) if name in sites else card
        for name, card in cards.items()
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadConfig(f"{path} is missing. Copy keqing.toml from the repository.") from None
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"{path}: not TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise BadConfig(f"{path}: not UTF-8 at byte {error.start}") from error


def _override(raw: dict[str, Any], env: Mapping[str, str]) -> None:
    for name, value in env.items():
        parts = name.lower().split("__")
        if parts[0] != "keqing" or len(parts) < 3 or parts[1] in ("receivers", "privacy"):
            continue
        if name.endswith(("_KEY", "_FILE", "__SECRET", "__PASSWORD", "WORKFLOW__URL")):
            continue  # secrets are read by `secret` where they are used
        node = raw
        for part in parts[1:-1]:
            node = node.setdefault(part, {})
        node[parts[-1]] = value


def _build(model: type[T], raw: dict[str, Any], path: Path) -> T:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise BadConfig("\n".join(_sentence(model, e, path) for e in error.errors())) from error


def _sentence(model: type[BaseModel], error: Any, path: Path) -> str:
    where = [str(part) for part in error["loc"]]
    field = ".".join(where)
    names = [key for part in (model, *Part.__subclasses__()) for key in part.model_fields]
    hint = _nearest(where[-1], names) if error["type"] == "extra_forbidden" else ""
    return f"{path}:{_line(path, *where)}: {field}: {error['msg']}.{hint}"


def _nearest(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _line(path: Path, *keys: str) -> int:
    """Line of the deepest key of a key path that stands in the text; 1 if none does."""
    lines = path.read_text(encoding="utf-8").splitlines()
    at = 0
    for key in keys:
        pattern = re.compile(LINE_OF_KEY.replace("{key}", re.escape(key)))
        found = next((n for n in range(at, len(lines)) if pattern.search(lines[n])), None)
        if found is None:
            found = next((n for n in range(at, len(lines)) if key in lines[n]), None)
        at = at if found is None else found
    return at + 1
