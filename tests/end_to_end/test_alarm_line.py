"""From a file of complaints to a mail: one alert, one mail, however often the stages run."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from keqing.cli import line as cli_line
from keqing.cli import main
from keqing.settings import load_settings
from keqing.workflow import db, incidents, outbox

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


VICTIM = """
import os, signal, sys
from pathlib import Path
from alerts import notify, run
from keqing.cli import main
from keqing.workflow import outbox
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
exec(sys.argv[1])
sys.exit(main(sys.argv[2:]))
"""
# moment of the kill, and what stands then: alerts, notices by state, mails
CHECK_DIES = {
    "before it writes": ("run._tell = die", 0, {}, 0),
    "as it writes": ("tell = run._tell; run._tell = lambda *of: die(tell(*of))", 0, {}, 0),
    "before it tells": ("run.CheckReport = die", 2, {"queued": 2}, 0),
}
NOTIFY_DIES = {
    "before it takes a notice": ("outbox.claim = die", 2, {"queued": 2}, 0),
    "with a notice in hand": ("notify.build = die", 2, {"leased": 1, "queued": 1}, 0),
    "with a mail aside": ("Path.replace = die", 2, {"leased": 1, "queued": 1}, 0),
    "before it notes a mail": ("outbox.settle = die", 2, {"leased": 1, "queued": 1}, 1),
    "before it tells": ("notify.NotifyReport = die", 2, {"sent": 2}, 2),
}
MOMENTS = [
    pytest.param(stage, *then, id=f"{stage} {moment}")
    for stage, dies in (("check", CHECK_DIES), ("notify", NOTIFY_DIES))
    for moment, then in dies.items()
]


def killed(root: Path, verb: str, lines: str) -> None:
    """Run a verb that ends itself by SIGKILL at the moment that `lines` choose."""
    command = [sys.executable, "-c", VICTIM, lines, verb, "--root", str(root)]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr[-1000:]


def tally(root: Path) -> dict[str, int]:
    with db.begin(db.open_workflow(load_settings(root, env={}))) as tx:
        return outbox.tally(tx)


@pytest.mark.parametrize(("stage", "lines", "alerts", "notices", "sent"), MOMENTS)
def test_a_killed_alarm_stage_sends_once(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
    lines: str,
    alerts: int,
    notices: dict[str, int],
    sent: int,
) -> None:
    """kill -9 of check or notify, and runs: each mail once, one in hand when its turn is over."""
    texts = [f"木槿壶万象店的青提冻喝出一块塑料片，第{n}次了，太可怕了" for n in range(12)]
    texts.append("木槿壶万象店今天起火了，太可怕了")
    at = datetime.now(UTC) + BEIJING - timedelta(minutes=20)
    rows = [f"{n},{text},{at:%Y-%m-%d %H:%M:%S},a{n}" for n, text in enumerate(texts)]
    (root / "p.csv").write_text("\n".join(["编号,正文,发布时间,作者", *rows]), encoding="utf-8")
    for verb in (["import", str(root / "p.csv")], ["score"], ["load"]):
        run(root, *verb)
    if stage == "notify":
        run(root, "check")
    killed(root, stage, lines)
    at_once = datetime.now(UTC)
    assert (len(opened(root)), tally(root), len(mails(root))) == (alerts, notices, sent)
    monkeypatch.setattr(cli_line, "now", lambda: at_once)  # however slow the machine is
    for again in ("check", "notify"):
        run(root, again)
    in_hand = "leased" in notices
    assert tally(root) == ({"sent": 1, "leased": 1} if in_hand else {"sent": 2})
    later = outbox.LEASE + timedelta(seconds=1)
    monkeypatch.setattr(cli_line, "now", lambda: datetime.now(UTC) + later)
    for again in ("check", "notify"):
        run(root, again)
    assert tally(root) == {"sent": 2}
    assert len(set(opened(root))) == len(opened(root)) == 2
    ids = [
        message_from_bytes(path.read_bytes(), policy=default)["Message-ID"] for path in mails(root)
    ]
    assert len(ids) == len(set(ids)) == 2
