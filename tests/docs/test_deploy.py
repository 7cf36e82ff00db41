"""What docs/deploy.md and deploy/ say about the index is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

import keqing.errors
from keqing.settings import IndexSettings

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "deploy.md").read_text("utf-8")


def test_every_setting_of_the_index_is_explained() -> None:
    """The table names each key of [index] and no other."""
    table = TEXT.partition("## 设置")[2].partition("\n##")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", table, re.M)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == set(IndexSettings.model_fields)


def test_every_error_that_is_named_exists() -> None:
    """The table of errors is of our own."""
    named = set(re.findall(r"`(Index\w+)`", TEXT))
    assert len(named) >= 5
    assert all(hasattr(keqing.errors, name) for name in named)


def test_the_compose_file_is_safe_and_pinned() -> None:
    """The version the tests run on, loopback only, a health check, and no secret inside."""
    text = (ROOT / "deploy" / "compose.yaml").read_text("utf-8")
    service = yaml.safe_load(text)["services"]["elasticsearch"]
    pinned = json.loads((ROOT / "tests" / "elastic" / "artifact.json").read_text("utf-8"))
    assert service["image"].rpartition(":")[2] == pinned["coordinates"].split(":")[2]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert "_cluster/health" in str(service["healthcheck"]["test"])
    assert service["environment"]["xpack.security.enabled"] == "true"
    assert "ELASTIC_PASSWORD" not in service["environment"]
    mounts = {mount.partition(":")[0] for mount in service["volumes"]}
    assert mounts <= yaml.safe_load(text)["volumes"].keys()


@pytest.mark.parametrize("path", ["deploy/compose.yaml", "deploy/elasticsearch/roles"])
def test_what_the_page_names_is_there(path: str) -> None:
    """And a password folder is never committed."""
    assert path in TEXT
    assert (ROOT / path).exists()
    assert "deploy/secrets" in (ROOT / ".gitignore").read_text("utf-8")
