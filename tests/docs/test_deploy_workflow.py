"""What docs/deploy.md says about PostgreSQL is so."""

from __future__ import annotations

import re
from pathlib import Path

import keqing.errors
from keqing.settings import WorkflowSettings
from keqing.workflow.examine import OLDEST_SERVER

ROOT = Path(__file__).resolve().parents[2]
SECTION = (ROOT / "docs" / "deploy.md").read_text("utf-8").partition("\n## PostgreSQL")[2]


def test_every_setting_is_explained() -> None:
    """The table names each key of [workflow] and no other, and the defaults are those."""
    table = SECTION.partition("| `[workflow]` |")[2].partition("\n\n")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", table, re.M))
    assert rows.keys() == WorkflowSettings.model_fields.keys()
    plain = WorkflowSettings()
    assert rows["password_env"] == f"`{plain.password_env}`"
    assert float(rows["timeout_s"]) == plain.timeout_s


def test_every_error_exists() -> None:
    """The table of errors is of our own."""
    named = set(re.findall(r"`((?:Workflow|Index)\w+)`", SECTION))
    assert len(named) >= 4
    assert all(hasattr(keqing.errors, name) for name in named)


def test_what_the_example_writes_is_a_plan() -> None:
    """Each address of the section is one that the settings take, and the oldest server is named."""
    for url in re.findall(r"postgresql://[^\s\"`]+", SECTION):
        assert WorkflowSettings(url=url).url == url
    assert f"PostgreSQL {OLDEST_SERVER} 或更新" in SECTION
