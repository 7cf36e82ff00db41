"""What waits in the outbox becomes one readable mail, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from alerts.notify import notify
from keqing.records import Notification
from keqing.settings import load_settings
from keqing.workflow import db, outbox
from tests.alerts.test_incidents import seen

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


def payload() -> dict[str, object]:
    hours = [NOW - timedelta(hours=n) for n in range(24, 0, -1)]
    return {
        "to": "pr-desk@localhost",
        "reason": "FIRST",
        "incident": seen().model_dump(mode="json"),
        "lead": "一小时 40 个负面声音，预期 2–9",
        "negative_share": "91%",
        "posts": 40,
        "stories": 12,
        "sensitive": "食品安全",
        "coverage": "100%",
        "why": ["负面声音超出预期区间"],
        "frozen_at": NOW.isoformat(),
        "link": "",
        "chart": {"starts": [hour.isoformat() for hour in hours], "values": list(range(24))},
    }


def test_a_waiting_notice_becomes_one_mail(either: str | None, tmp_path: Path) -> None:
    """Draining twice writes one mail, with text, HTML and chart, and marks the row as sent."""
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    settings = load_settings(tmp_path, env={})
    engine = db.open_workflow(settings)
    with db.begin(engine) as tx:
        outbox.queue(
            tx,
            Notification(
                id="i.1.pr_desk",
                incident="i",
                receiver="pr_desk",
                channel="spool",
                reason="FIRST",
                payload=payload(),
                content_hash="c",
                created_at=NOW,
            ),
        )
    first, second = notify(settings, engine, NOW), notify(settings, engine, NOW)
    assert (first.sent, second.sent) == (1, 0)
    mails = list((tmp_path / "var" / "spool" / "mail" / "new").iterdir())
    assert [str(mail) for mail in mails] == list(first.paths)
    message = message_from_bytes(mails[0].read_bytes(), policy=default)
    assert str(message["Subject"]).startswith("【黄色预警】木槿壶")
    assert message["Message-ID"] == "<i.1.pr_desk@localhost>"
    kinds = [part.get_content_type() for part in message.walk()]
    assert {"text/plain", "text/html", "image/png"} <= set(kinds)
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        assert "91%" in body.get_content()
    with db.begin(engine) as tx:
        assert outbox.tally(tx) == {"sent": 1}
