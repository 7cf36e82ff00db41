"""What was written by others: the very bytes that VENDOR.json names, each with its licence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import dashboards

OURS = {"app.js", "charts.js"}
STATIC = Path(dashboards.__file__).parent / "static"
BROWSER = Path(__file__).resolve().parents[1] / "browser"


@pytest.mark.parametrize("folder", [STATIC / "vendor", BROWSER / "vendor"])
def test_vendored_bytes_and_licences(folder: Path) -> None:
    """Hash and licence files of every entry; no script without an entry."""
    entries = json.loads((folder / "VENDOR.json").read_text("utf-8"))
    for entry in entries:
        assert hashlib.sha256((folder / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
        assert all((folder / name).stat().st_size for name in entry["licence_files"])
    assert {path.name for path in folder.glob("*.js")} == {entry["file"] for entry in entries}


def test_own_scripts_are_small() -> None:
    """Scripts of ours stay few and short."""
    scripts = list(STATIC.glob("*.js"))
    assert {path.name for path in scripts} == OURS
    assert sum(len(path.read_text("utf-8").splitlines()) for path in scripts) <= 250
