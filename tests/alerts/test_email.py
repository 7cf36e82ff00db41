"""Mail leaves whole and once per person; what a server answers decides what follows."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from alerts.mail import build, subject
from alerts.notify import notify
from alerts.receivers.email import EmailReceiver
from alerts.receivers.outcome import Kind, Outcome
from keqing.records import Notification
from keqing.settings import Smtp, load_settings
from keqing.workflow import db, outbox
from tests.alerts.test_incidents import seen
from tests.alerts.test_notify import ROOT, payload

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


class Server:
    """Keeps what it takes; answers RCPT and DATA as told."""

    def __init__(self) -> None:
        self.rcpt, self.data = "250 ok", "250 ok"
        self.taken: list[bytes] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, to: str, _: Any) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(to)
        return self.rcpt

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.append(envelope.content)
        return self.data


class FakeReceiver:
    """Keeps a list of what was sent; fails for ids that contain `bad`."""

    channel = "spool"

    def __init__(self, kind: Kind = Kind.OK) -> None:
        self.kind, self.sent = kind, list[str]()

    def send(self, id: str, message: EmailMessage) -> Outcome:
        self.sent.append(id)
        return Outcome(self.kind if "bad" in id else Kind.OK)


@pytest.fixture
def server() -> Iterator[tuple[Server, int]]:
    handler = Server()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


def notice(id: str = "i.1.pr", **more: object) -> Notification:
    return Notification(
        id=id,
        incident="i",
        receiver=id.rpartition(".")[2],
        channel="spool",
        reason="first",
        payload=payload() | more,
        content_hash=id,
        created_at=NOW,
    )


def smtp(port: int, **more: Any) -> EmailReceiver:
    return EmailReceiver(Smtp(host="127.0.0.1", port=port, starttls=False, timeout_s=3, **more))


def test_a_mail_arrives_as_it_was_built(server: tuple[Server, int]) -> None:
    """Over the wire the subject, both texts and the chart are whole."""
    handler, port = server
    mail = build(notice(), "keqing@example.org", "pr@example.org")
    assert smtp(port).send("i.1.pr", mail).kind is Kind.OK
    got = message_from_bytes(handler.taken[0], policy=default)
    assert got["Subject"] == mail["Subject"]
    assert got["Auto-Submitted"] == "auto-generated"
    assert [p.get_content_type() for p in got.walk() if not p.is_multipart()] == [
        "text/plain",
        "text/html",
        "image/png",
    ]


@pytest.mark.parametrize(
    ("rcpt", "data", "kind"),
    [
        ("550 no such person", "250 ok", Kind.RECIPIENT),
        ("450 later", "250 ok", Kind.RETRY),
        ("250 ok", "451 later", Kind.RETRY),
        ("250 ok", "554 refused", Kind.CHANNEL),
    ],
)
def test_answers_are_sorted(server: tuple[Server, int], rcpt: str, data: str, kind: Kind) -> None:
    """4xx comes again, an unknown person is that row's end, a refusal of all is the channel's."""
    handler, port = server
    handler.rcpt, handler.data = rcpt, data
    mail = build(notice(), "keqing@example.org", "pr@example.org")
    assert smtp(port).send("i.1.pr", mail).kind is kind


def test_no_server_is_tried_again_and_missing_tls_is_the_channels_fault(
    server: tuple[Server, int],
) -> None:
    """A refused connection is a retry; a server without STARTTLS gets no mail."""
    mail = build(notice(), "keqing@example.org", "pr@example.org")
    assert smtp(1).send("i.1.pr", mail).kind is Kind.RETRY
    strict = EmailReceiver(Smtp(host="127.0.0.1", port=server[1], timeout_s=3))
    assert strict.send("i.1.pr", mail).kind is Kind.CHANNEL
    assert server[0].taken == []


@pytest.mark.parametrize(
    ("kind", "failed", "dead"),
    [(Kind.RETRY, 1, 0), (Kind.RECIPIENT, 0, 1), (Kind.CHANNEL, 1, 0)],
)
def test_one_failing_receiver_does_not_stop_the_other(
    either: str | None, tmp_path: Path, kind: Kind, failed: int, dead: int
) -> None:
    """Two rows, one fails: the other is sent, and a second drain sends nothing twice."""
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    settings = load_settings(tmp_path, env={})
    engine, fake = db.open_workflow(settings), FakeReceiver(kind)
    with db.begin(engine) as tx:
        assert [outbox.queue(tx, notice(f"i.1.{name}")) for name in ("bad", "good")] == [True, True]
        assert not outbox.queue(tx, notice("i.1.good"))
    report = notify(settings, engine, NOW, {"spool": fake})
    assert (report.sent, report.failed, report.dead) == (1, failed, dead)
    assert notify(settings, engine, NOW, {"spool": fake}).sent == 0
    assert sorted(fake.sent) == ["i.1.bad", "i.1.good"]


@hypothesis_settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(), max_size=90))
def test_any_title_gives_a_mail_with_our_headers_only(title: str) -> None:
    """No title ends a header, adds one or makes the mail unsendable."""
    incident = seen().model_copy(update={"title": title.encode("utf-8", "replace").decode()})
    without_chart = {"incident": incident.model_dump(mode="json"), "chart": None}
    mail = build(notice(**without_chart), "keqing@example.org", "pr@example.org")
    plain = build(notice(chart=None), "keqing@example.org", "pr@example.org")
    assert message_from_bytes(mail.as_bytes(), policy=default).keys() == plain.keys()
    assert len(subject(incident, "first")) <= 60


def test_markup_in_a_title_is_shown_not_run() -> None:
    """HTML from the web stands escaped in the mail."""
    incident = seen().model_copy(update={"title": "<script>x</script>"})
    mail = build(notice(incident=incident.model_dump(mode="json")), "k@example.org", "p@x.org")
    html = mail.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()
