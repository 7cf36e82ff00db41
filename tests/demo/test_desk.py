"""The desk's files are what offices hand over: read by the real import, with every trap told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawlers.imports.run import ImportReport, import_file
from demo.desk import FORMULA, PORTAL, SMS, TICKETS, files
from keqing.landing import Landing
from keqing.privacy import mask
from keqing.records import Channel, Post
from keqing.settings import load_settings
from keqing.workflow import db

ROOT = Path(__file__).resolve().parents[2]
T0 = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
CHANNELS = {TICKETS: Channel.CALL_CENTRE, PORTAL: Channel.PORTAL, SMS: Channel.SMS}


def taken(root: Path, minutes: float) -> dict[str, ImportReport]:
    """Import everything that the desk has by then."""
    (root / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    settings = load_settings(root, env={})
    now, engine = T0 + timedelta(minutes=minutes), db.open_workflow(settings)
    reports = {}
    for name, body in files(7, T0, now).items():
        (root / name).write_bytes(body)
        reports[name] = import_file(settings, engine, root / name, CHANNELS[name], now)
    return reports


def posts(root: Path) -> list[Post]:
    landing = Landing(root / "var" / "landing")
    return [post for file in landing.files() for post in landing.read(file)]


def test_every_trap_is_told(tmp_path: Path) -> None:
    """GB18030 is read, rows without words or with a cell too many are kept, a formula stays text."""
    reports = taken(tmp_path, 180)
    assert reports[TICKETS].rejected == {"no_text": 1, "7 cells, the header has 6": 1}
    assert reports[PORTAL].rejected == {"not JSON": 1}
    assert reports[SMS].rejected == {"no_text": 2}  # a formula that nobody computed has no value
    assert all(report.landed > 20 for report in reports.values())
    landed = posts(tmp_path)
    assert {post.kind for post in landed} == {"ticket", "form", "sms"}
    assert FORMULA not in {post.text for post in landed}


def test_no_number_of_a_customer_lands_as_an_author(tmp_path: Path) -> None:
    """Customers become pseudonyms; numbers within words are masked where a Mention is made."""
    taken(tmp_path, 180)
    calls = [post for post in posts(tmp_path) if post.kind == "ticket"]
    assert all(post.author.id and "138" not in post.author.id[:6] for post in calls)
    assert all("[电话]" in mask(post.text or "") for post in calls)


@pytest.mark.parametrize(("minutes", "fresh"), [(140, 0), (210, 8)])
def test_tickets_rise_with_the_crisis(tmp_path: Path, minutes: int, fresh: int) -> None:
    """From the 150th minute on; what an earlier file brought is known."""
    taken(tmp_path, 120)
    before = len(posts(tmp_path))
    reports = taken(tmp_path, minutes)
    assert len(posts(tmp_path)) - before >= fresh
    assert sum(report.duplicate for report in reports.values()) == before


def test_the_same_seed_is_the_same_desk() -> None:
    """Two calls give the same words (a sheet also holds its own time of writing)."""
    one, two = files(7, T0, T0), files(7, T0, T0)
    assert [one[name] == two[name] for name in (TICKETS, PORTAL)] == [True, True]
