"""One command: from the city's pages to mails, and again without doing anything twice."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from email import policy
from email.parser import BytesParser
from pathlib import Path

import pytest

from keqing.landing import Landing

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.end_to_end


def demo(root: Path) -> dict[str, dict[str, dict[str, int]]]:
    """The report of `keqing demo`, as `make run` calls it."""
    command = [sys.executable, "-m", "keqing", "demo", "--root", str(root), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode:
        raise RuntimeError(f"exit {done.returncode}: {done.stdout[-500:]} {done.stderr[-2000:]}")
    report: dict[str, dict[str, dict[str, int]]] = json.loads(done.stdout.strip().splitlines()[-1])
    return report


def mails(root: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in (root / "var" / "spool" / "mail" / "new").iterdir()}


PLANTED = (b"13800000000", b"qingyu_2026", b"tea8888")


def planted_in(var: Path) -> set[str]:
    """Stores in which a citizen's contact data stands: everything but the landing itself."""
    landing = var / "landing"
    kept = gzip.decompress(b"".join(path.read_bytes() for path in landing.glob("posts/**/*.gz")))
    assert all(word in kept for word in PLANTED)  # the city did say it
    found = set()
    for path in var.rglob("*"):
        if path.is_file() and landing not in path.parents:
            raw = path.read_bytes()
            body = gzip.decompress(raw) if path.suffix == ".gz" else raw
            found |= {path.name for word in PLANTED if word in body}
    return found


def test_the_crisis_becomes_a_mail(tmp_path: Path) -> None:
    """The city's food-safety crisis reaches the desk once; a second pass goes on with the same data."""
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    report = demo(tmp_path)
    assert {r["verdict"] for r in report["crawled"].values()} == {"FRESH"}
    landing = Landing(tmp_path / "var" / "landing")
    posts = {post.id for file in landing.files() for post in landing.read(file)}
    assert len(posts) > 2000
    assert report["stages"]["load"]["created"] == len(posts)
    first = mails(tmp_path)
    parsed = [BytesParser(policy=policy.default).parsebytes(raw) for raw in first.values()]
    subjects = [str(mail["Subject"]) for mail in parsed]
    assert any("木槿壶" in subject and "食品安全" in subject for subject in subjects)
    assert not any("青稚茶" in subject for subject in subjects)

    assert planted_in(tmp_path / "var") == set()

    again = demo(tmp_path)
    seen = landing.verify().rows
    assert {i for file in landing.files() for i in (p.id for p in landing.read(file))} >= posts
    assert seen >= len(posts)
    assert sum(r["new"] for r in again["crawled"].values()) < 100
    assert {name: raw for name, raw in mails(tmp_path).items() if name in first} == first
    left = subprocess.run(
        ["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert left.stdout == ""


def cities(root: Path) -> list[int]:
    found = subprocess.run(
        ["pgrep", "-f", f"demo --var {root}"], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in found.stdout.split()]


def test_a_killed_pass_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    """kill -9 of the verb: the next one ends the old city, and crawls on at the same addresses."""
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    command = [sys.executable, "-m", "keqing", "demo", "--root", str(tmp_path)]
    victim = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    landing = Landing(tmp_path / "var" / "landing")
    deadline = time.monotonic() + 120
    while not landing.files("demo-forum") and time.monotonic() < deadline:
        time.sleep(0.1)
    victim.kill()
    victim.wait()
    before = json.loads((tmp_path / "var" / "city.json").read_text())["ports"]
    assert len(cities(tmp_path)) == 1
    report = demo(tmp_path)
    assert report["failed"] == {}
    assert json.loads((tmp_path / "var" / "city.json").read_text())["ports"] == before
    assert cities(tmp_path) == []


def test_one_system_a_folder(tmp_path: Path) -> None:
    """A second pass beside a running one is refused, and the first one's city stays what it is."""
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    command = [sys.executable, "-m", "keqing", "demo", "--root", str(tmp_path)]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    path = tmp_path / "var" / "city.json"
    deadline = time.monotonic() + 60
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    before = path.read_text()
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1
    assert "runs in this folder" in second.stderr
    assert "stop it first" in second.stderr
    assert path.read_text() == before
    assert first.wait(120) == 0
