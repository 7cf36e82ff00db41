"""The watch plan (监测方案): keqing.toml as it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from keqing.settings.part import Part
from keqing.settings.stores import IndexSettings, WorkflowSettings


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
