"""Incidents open once, move only as allowed, and what is to be sent is sent once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from keqing.errors import Conflict, IllegalMove, WorkflowError
from keqing.records import Incident, Level, Notification
from keqing.workflow import db, incident_log, incidents, outbox
from keqing.workflow.incidents import Change

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


def seen(level: Level = Level.YELLOW, started: datetime = NOW) -> Incident:
    return Incident(
        id=incidents.incident_id("tea", "brand", started),
        brand="tea",
        scope="brand",
        level=level,
        reason="rise",
        title="木槿壶：异物",
        started_at=started,
        opened_at=NOW,
        observed=40,
        expected=5,
        low=2,
        high=9,
        window_s=3600,
        score=0.9,
        threshold=0.5,
        severity=60,
        rule_version="r",
        plan_version="p",
    )


def notice(n: int = 1, receiver: str = "a", content: str = "c") -> Notification:
    return Notification(
        id=f"i.{n}.{receiver}",
        incident="i",
        receiver=receiver,
        channel="email",
        reason="first",
        payload={},
        content_hash=content,
        created_at=NOW,
    )


@pytest.fixture
def engine(opened: Callable[[], db.Engine]) -> db.Engine:
    return opened()


def test_the_same_evidence_adds_nothing(engine: db.Engine) -> None:
    """One window three times is one incident; new posts join it; a level only rises."""
    with db.begin(engine) as tx:
        changes = [incidents.observe(tx, seen(), ["p1"], NOW)[1] for _ in range(3)]
        assert changes == [Change.OPENED, Change.SAME_EVIDENCE, Change.SAME_EVIDENCE]
        assert incidents.observe(tx, seen(), ["p1", "p2"], NOW)[1] is Change.JOINED
        assert incidents.observe(tx, seen(Level.RED), ["p2"], NOW)[1] is Change.LEVEL_UP
        live, _ = incidents.observe(tx, seen(Level.BLUE), ["p3"], NOW)
        assert live.level is Level.RED
        assert len(incidents.list_incidents(tx)) == 1


def test_a_stale_act_is_told_who_was_first(engine: db.Engine) -> None:
    """Of two people who act on what they saw, one wins and the other is told."""
    with db.begin(engine) as tx:
        opened, _ = incidents.observe(tx, seen(), ["p1"], NOW)
        moved = incidents.act(tx, opened.id, "ack", "王", "", opened.revision, NOW)
        assert moved.state == "acknowledged"
        with pytest.raises(Conflict, match="王"):
            incidents.act(tx, opened.id, "ack", "李", "", opened.revision, NOW)


@pytest.mark.parametrize("act", ["handle", "watch", "reopen"])
def test_an_illegal_move_names_what_is_allowed(engine: db.Engine, act: str) -> None:
    """An open incident cannot be handled, watched or reopened; the refusal lists the legal acts."""
    with db.begin(engine) as tx:
        opened, _ = incidents.observe(tx, seen(), ["p1"], NOW)
        with pytest.raises(IllegalMove, match="ack"):
            incidents.act(tx, opened.id, act, "王", "", opened.revision, NOW)


def test_new_posts_do_not_spoil_an_act(engine: db.Engine) -> None:
    """Evidence that joins in between raises no revision, so a living crisis can be acknowledged."""
    with db.begin(engine) as tx:
        opened, _ = incidents.observe(tx, seen(), ["p1"], NOW)
        incidents.observe(tx, seen(), ["p1", "p2"], NOW)
        assert (
            incidents.act(tx, opened.id, "ack", "王", "", opened.revision, NOW).state
            == "acknowledged"
        )


def test_a_closed_rise_does_not_open_again(engine: db.Engine) -> None:
    """The same rise seen again after closing stays closed; a later one is a new incident."""
    with db.begin(engine) as tx:
        opened, _ = incidents.observe(tx, seen(), ["p1"], NOW)
        incidents.act(tx, opened.id, "close", "王", "false_positive", opened.revision, NOW)
        assert incidents.observe(tx, seen(), ["p1"], NOW)[1] is Change.ALREADY_CLOSED
        later = seen(started=NOW + timedelta(days=1))
        assert incidents.observe(tx, later, ["p9"], NOW)[1] is Change.OPENED


def test_the_log_cannot_be_rewritten(engine: db.Engine) -> None:
    """Every act is a chained row; neither UPDATE nor DELETE reaches it."""
    with db.begin(engine) as tx:
        opened, _ = incidents.observe(tx, seen(), ["p1"], NOW)
        incidents.act(tx, opened.id, "ack", "王", "", opened.revision, NOW)
        assert incident_log.verify_log(tx) == len(incident_log.log_of(tx, opened.id)) >= 2
    for verb in ("DELETE FROM incident_log", "UPDATE incident_log SET who = 'x'"):
        with (
            pytest.raises(WorkflowError, match="append-only"),
            db.begin(engine) as tx,
        ):
            tx.exec_driver_sql(verb)


def test_a_notice_is_queued_once(engine: db.Engine) -> None:
    """The same id, or the same content to the same person, is not queued again."""
    with db.begin(engine) as tx:
        assert outbox.queue(tx, notice())
        assert not outbox.queue(tx, notice())
        assert not outbox.queue(tx, notice(2))
        assert outbox.queue(tx, notice(2, receiver="b"))


def test_a_lease_that_ran_out_is_taken_again(engine: db.Engine) -> None:
    """A sender that died keeps a notice for a minute, then another has it."""
    with db.begin(engine) as tx:
        outbox.queue(tx, notice())
        assert outbox.claim(tx, NOW) is not None
        assert outbox.claim(tx, NOW + timedelta(seconds=59)) is None
        assert outbox.claim(tx, NOW + timedelta(seconds=61)) is not None


@pytest.mark.parametrize(
    ("kind", "state", "after_s"),
    [
        ("ok", "sent", None),
        ("recipient", "dead", None),
        ("retry", "queued", 5),
        ("channel", "queued", 300),
    ],
)
def test_each_way_of_failing_has_its_sequel(
    engine: db.Engine, kind: str, state: str, after_s: int | None
) -> None:
    """Sent is sent, a bad address is dead at once, a fault is tried again after its pause."""
    with db.begin(engine) as tx:
        outbox.queue(tx, notice())
        outbox.claim(tx, NOW)
        assert outbox.settle(tx, notice().id, kind, "", "", "email", NOW) == state
        if after_s is None:
            assert outbox.claim(tx, NOW + timedelta(days=2)) is None
        else:
            assert outbox.claim(tx, NOW + timedelta(seconds=after_s - 1)) is None
            assert outbox.claim(tx, NOW + timedelta(seconds=after_s)) is not None
