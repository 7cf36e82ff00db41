"""From a file of complaints to a mail: one alert, one mail, however often the stages run."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from keqing.cli import main
from keqing.settings import load_settings
from keqing.workflow import db, incidents

ROOT = Path(__file__).resolve().parents[2]
BEIJING = timedelta(hours=8)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    return tmp_path


def run(root: Path, *args: str) -> None:
    assert main([*args, "--root", str(root)]) == 0


def line(root: Path, texts: list[str], age: timedelta = timedelta(hours=1)) -> None:
    """All stages on a file of posts of different authors, written `age` ago."""
    at = datetime.now(UTC) + BEIJING - age
    rows = [f"{n},{text},{at:%Y-%m-%d %H:%M:%S},a{n}" for n, text in enumerate(texts)]
    path = root / "posts.csv"
    path.write_text("\n".join(["编号,正文,发布时间,作者", *rows]), encoding="utf-8")
    for verb in (["import", str(path)], ["score"], ["load"], ["check"], ["notify"]):
        run(root, *verb)


def mails(root: Path) -> list[Path]:
    return sorted((root / "var" / "spool" / "mail" / "new").glob("*.eml"))


def opened(root: Path) -> list[str]:
    with db.begin(db.open_workflow(load_settings(root, env={}))) as tx:
        return [incident.scope for incident in incidents.list_incidents(tx)]


def test_one_post_about_danger_is_one_mail(either: str | None, root: Path) -> None:
    """A food safety post alarms without volume; running the stages again sends nothing."""
    texts = ["木槿壶万象店的青提冻喝出一块塑料片，太可怕了，再也不喝了"]
    line(root, texts)
    assert len(opened(root)) == 1
    assert len(mails(root)) == 1
    for verb in ("check", "notify", "check", "notify"):
        run(root, verb)
    assert len(mails(root)) == 1
    message = message_from_bytes(mails(root)[0].read_bytes(), policy=default)
    assert "木槿壶" in str(message["Subject"])
    body = message.get_body(("plain",))
    assert body is not None
    assert "塑料片" in body.get_content()


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("木槿壶没有起火，是消防演习", timedelta(hours=1)),
        ("青稚茶喝出一块塑料片，太可怕了", timedelta(hours=1)),
        ("木槿壶口瀑布有人摔伤送医", timedelta(hours=1)),
        ("木槿壶的青提冻喝出一块塑料片", timedelta(days=30)),
    ],
)
def test_what_is_not_ours_or_not_now_sends_nothing(root: Path, text: str, age: timedelta) -> None:
    """Denied danger, a rival's, a look-alike's and an old one open no alert."""
    line(root, [text], age)
    assert opened(root) == []
    assert mails(root) == []


def kill_after(root: Path, verb: str, seconds: float) -> None:
    """Start a verb and end it by SIGKILL."""
    command = [sys.executable, "-m", "keqing", verb, "--root", str(root)]
    victim = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    victim.kill()
    victim.wait()


@pytest.mark.parametrize("stage", ["check", "notify"])
@pytest.mark.parametrize("after_s", [0.4, 0.8, 1.2])
def test_a_killed_alarm_stage_sends_once(root: Path, stage: str, after_s: float) -> None:
    """kill -9 of check or notify and an immediate re-run: the same incidents, each mail once."""
    texts = [f"木槿壶万象店的青提冻喝出一块塑料片，第{n}次了，太可怕了" for n in range(12)]
    at = datetime.now(UTC) + BEIJING - timedelta(minutes=20)
    rows = [f"{n},{text},{at:%Y-%m-%d %H:%M:%S},a{n}" for n, text in enumerate(texts)]
    (root / "p.csv").write_text("\n".join(["编号,正文,发布时间,作者", *rows]), encoding="utf-8")
    for verb in (["import", str(root / "p.csv")], ["score"], ["load"]):
        run(root, *verb)
    for verb in ("check", "notify"):
        if verb == stage:
            kill_after(root, verb, after_s)
        run(root, verb)
    scopes = opened(root)
    assert len(scopes) == len(set(scopes)) >= 1
    names = [path.name for path in mails(root)]
    ids = [
        message_from_bytes(path.read_bytes(), policy=default)["Message-ID"] for path in mails(root)
    ]
    assert len(names) == len(set(ids)) == len(scopes)
