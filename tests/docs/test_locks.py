"""The locks are clean: no address, no torch, exact versions only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_is_clean(name: str) -> None:
    """Every line is `name==version` with at most a marker."""
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[^\s;]+( ; .+)?", line), line
        assert not re.match(r"torch\b", line)


def test_dev_lock_holds_the_run_lock() -> None:
    """What tests run on is what users run on."""
    run = set((ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines())
    dev = set((ROOT / "requirements-dev.lock").read_text(encoding="utf-8").splitlines())
    assert run <= dev
