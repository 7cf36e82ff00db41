"""No text of the development data stands in the project."""

from __future__ import annotations

import csv
import gzip
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = 16  # Chinese characters one after another: shorter ones are phrases that anybody says
OTHER = re.compile(r"[^\u3400-\u9fff\n]+")  # marks, digits and letters between them do not count
BINARY = {".png", ".onnx", ".npz", ".zdict", ".woff2", ".xlsx", ".gz"}


def runs(text: str) -> Iterator[str]:
    for line in OTHER.sub("", text).split("\n"):
        yield from (line[at : at + RUN] for at in range(len(line) - RUN + 1))


def ours() -> dict[str, str]:
    """Every run of RUN characters in a tracked file, with the file."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: dict[str, str] = {}
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix not in BINARY and path.is_file():
            found |= dict.fromkeys(runs(path.read_text("utf-8", "replace")), name)
    return found


def corpora(folder: Path) -> Iterator[str]:
    """All texts of labelled data."""
    for path in sorted(folder.glob("*/*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield row.get("text") or row.get("title") or ""


@pytest.mark.slow
def test_no_run_of_sixteen_characters_is_theirs(shared_data: Path) -> None:
    """What the project says in Chinese is its own."""
    mine = ours()
    assert len(mine) > 1000
    texts = list(corpora(shared_data))
    assert len(texts) > 10_000
    copied = {(mine[run], run) for text in texts for run in mine.keys() & set(runs(text))}
    assert copied == set()
