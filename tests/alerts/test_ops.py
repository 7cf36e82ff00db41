"""Trouble of the system itself reaches who runs it, once an hour a thing, also when the line is stuck."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from types import SimpleNamespace

import pytest

from alerts.ops import trouble
from keqing.cli import main
from keqing.settings import load_settings
from keqing.stack import trouble as called
from keqing.workflow import db, leases, runs

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 25, 4, 10, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    return tmp_path


def mails(root: Path) -> list[tuple[str, str, str]]:
    """To, subject and words of every mail."""
    found = []
    for path in sorted((root / "var" / "spool" / "mail" / "new").glob("*.eml")):
        mail = message_from_bytes(path.read_bytes(), policy=default)
        found.append((str(mail["To"]), str(mail["Subject"]), str(mail.get_content())))
    return found


def test_one_mail_an_hour(either: str | None, root: Path) -> None:
    """The same trouble every minute is one mail an hour and a ledger row each time."""
    settings = load_settings(root, env={})
    engine = db.open_workflow(settings)
    told = [
        trouble(
            settings, engine, "listen.score", "failed", f"{n}", NOW + timedelta(minutes=n)
        ).queued
        for n in (0, 1, 20, 55)
    ]
    assert told == [1, 0, 0, 1]
    assert trouble(settings, engine, "listen", "late", "", NOW).queued == 1
    with db.read(engine) as tx:
        rows = runs.last(tx, "trouble", "listen.score")
    assert [row.outcome for row in rows] == ["failed"] * 4


def test_the_verb_sends_at_once(root: Path) -> None:
    """`keqing trouble` does not wait for the line, which may be what is stuck; names no header."""
    words = ["trouble", "listen.score", "--detail", "磁盘已满\nBcc: x@example.org"]
    assert main([*words, "--root", str(root)]) == 0
    ((to, subject, text),) = mails(root)
    assert (to, subject) == ("pr-desk@localhost", "【系统】任务失败：listen.score")
    assert "磁盘已满" in text


def test_a_busy_sender_is_no_failure(root: Path) -> None:
    """While another process sends, the mail waits in the outbox for it."""
    engine = db.open_workflow(load_settings(root, env={}))
    with leases.hold(engine, "notify", leases.this_process("other"), lambda: datetime.now(UTC)):
        assert main(["trouble", "listen", "--outcome", "late", "--root", str(root)]) == 0
    assert mails(root) == []
    assert main(["notify", "--root", str(root)]) == 0
    assert [subject for _, subject, _ in mails(root)] == ["【系统】运行超时：listen"]


def test_the_operator_is_told_where_there_is_one(root: Path) -> None:
    """[operator] contact gets it, and nobody of the PR desk."""
    plan = root / "keqing.toml"
    text = plan.read_text(encoding="utf-8")
    named = text.replace("[operator]", '[operator]\ncontact = "mailto:ops@example.org"')
    plan.write_text(named, encoding="utf-8")
    assert main(["trouble", "upkeep", "--root", str(root)]) == 0
    assert [to for to, _, _ in mails(root)] == ["ops@example.org"]


def test_what_airflow_calls(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed task and a late run, as Airflow hands them over."""
    monkeypatch.setenv("AIRFLOW_HOME", str(root))
    task = SimpleNamespace(dag_id="listen", task_id="load", try_number=3)
    called.failed({"task_instance": task, "exception": ValueError("坏了")})
    called.late(context={"dag_run": {"dag_run_id": "scheduled__1"}}, dag="listen", minutes=4)
    said = {subject: text for _, subject, text in mails(root)}
    assert set(said) == {"【系统】任务失败：listen.load", "【系统】运行超时：listen"}
    assert "第 3 次尝试后失败：ValueError: 坏了" in said["【系统】任务失败：listen.load"]
    assert "scheduled__1" in said["【系统】运行超时：listen"]
