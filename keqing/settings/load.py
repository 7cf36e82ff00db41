"""The plan, the cards and the environment of one folder, together."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keqing.errors import BadConfig
from keqing.settings.cards import SourceCard
from keqing.settings.checked import build, line_of, nearest, read_toml
from keqing.settings.part import Part
from keqing.settings.plan import Plan

SHIPPED_CARDS = Path(__file__).resolve().parents[2] / "crawlers" / "sources"
# Where things are kept or sent is not what is watched: it does not move `config_hash`.
_UNWATCHED = {"dashboards", "smtp", "receivers", "index", "workflow"}


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
    raw = read_toml(path)
    _override(raw, env)
    plan = build(Plan, raw, path)
    cards = _cards(root, env)
    for target in plan.watch.target:
        if target.source not in cards:
            raise BadConfig(
                f"{path}:{line_of(path, target.source)}: watch.target source {target.source!r} has "
                f"no card.{nearest(target.source, list(cards))}"
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
            raw = read_toml(path) | {"name": path.stem}
            cards[path.stem] = build(SourceCard, raw, path)
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
