"""What README names exists, and what exists is named."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README.zh.md")


def verbs() -> set[str]:
    done = subprocess.run(
        [sys.executable, "-m", "keqing", "--help"], capture_output=True, text=True, check=True
    )
    return set(re.findall(r"^    ([a-z]+) ", done.stdout, re.M))


@pytest.mark.parametrize("name", READMES)
def test_every_verb_is_named(name: str) -> None:
    """The tables name each verb of the command line and no other."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\|", "/")
    rows = re.findall(r"^\| (`[^|]+) \|", text, re.M)
    named = {
        word
        for row in rows
        for word in re.findall(r"`([a-z]+)[^`]*`", row)
        if word not in {"make"} and not row.rstrip("`").endswith("/")
    }
    assert verbs() - named == set()
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()}
    assert named - verbs() - folders - {"deploy", "airflow"} == set()


@pytest.mark.parametrize("name", READMES)
def test_links_lead_somewhere(name: str) -> None:
    """Every relative link and picture of a README is there, and both have the same ones."""
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)\)", text) + re.findall(r'src="([^":]+)"', text)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_make_targets_of_the_readmes_exist() -> None:
    """`make X` in a README is a target of the Makefile, and `make help` lists all targets."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    for name in READMES:
        said = set(re.findall(r"`make ([a-z-]+)", (ROOT / name).read_text(encoding="utf-8")))
        assert said
        assert said <= targets
    assert set(re.findall(r"^([a-z-]+):.*## ", makefile, re.M)) == targets
