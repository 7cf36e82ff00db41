"""Acting on incidents: what is legal, who was first, what stands in the log."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from keqing.workflow import incident_log, incidents, trail
from keqing.workflow.accounts import Role
from keqing.workflow.db import begin


@pytest.fixture
def id(desk: Any) -> str:
    """An open incident with posts."""
    with begin(desk.engine) as tx:
        found = [i for i in incidents.list_incidents(tx, ("open",)) if i.evidence]
    return found[0].id


def act(client: Any, id: str, name: str, revision: int, reason: str = "") -> Any:
    """Send the form of an act."""
    token = re.findall(r'name="csrf" value="(\w+)"', client.get(f"/incidents/{id}").text)[0]
    data = {"csrf": token, "act": name, "revision": revision, "reason": reason}
    return client.post(f"/incidents/{id}/act", data=data)


def stored(desk: Any, id: str) -> Any:
    """The incident as the store has it."""
    with begin(desk.engine) as tx:
        return incidents.get_incident(tx, id)


def test_from_open_to_closed(desk: Any, lead: Any, id: str) -> None:
    """签收 → 处置 → 观察 → 办结: each act is one log row and one audit row with the name."""
    for n, (name, reason) in enumerate(
        (("ack", ""), ("handle", ""), ("watch", ""), ("close", "real"))
    ):
        assert act(lead, id, name, n + 1, reason).status_code == 303
    assert stored(desk, id).state == "closed"
    with begin(desk.engine) as tx:
        log = incident_log.log_of(tx, id)
        audited = [row for row in trail.newest(tx) if row.object == id]
        assert incident_log.verify_log(tx)
    assert [row.act for row in log if row.who == "林组长"] == ["ack", "handle", "watch", "close"]
    assert len(audited) == 4
    page = lead.get(f"/incidents/{id}").text
    assert "属实" in page
    assert "重开" in page
    assert id not in lead.get("/incidents").text
    assert id in lead.get("/incidents?state=closed").text


def test_a_false_alarm_closes_at_once_with_its_reason(desk: Any, lead: Any, id: str) -> None:
    """An open incident closes only as 误报 or 重复; the form offers nothing else."""
    page = lead.get(f"/incidents/{id}").text
    assert 'value="false_positive"' in page
    assert 'value="real"' not in page
    assert act(lead, id, "close", 1, "real").status_code == 409
    assert act(lead, id, "close", 1, "").status_code == 422
    assert act(lead, id, "close", 1, "false_positive").status_code == 303
    assert "误报" in lead.get(f"/incidents/{id}").text


def test_the_second_of_two_learns_who_was_first(desk: Any, lead: Any, id: str) -> None:
    """Two acknowledge at once: one 303, one 409 which names person, time and both versions."""
    other = desk.user("王值班", Role.RESPONDER)
    assert act(other, id, "ack", 1).status_code == 303
    answer = act(lead, id, "ack", 1)
    assert answer.status_code == 409
    shown = re.sub(r"<[^>]+>", "", answer.text)
    assert "您看到的是第 1 版，现在是第 2 版" in shown
    assert "王值班 20:00 签收" in shown
    with begin(desk.engine) as tx:
        assert [row.who for row in incident_log.log_of(tx, id) if row.act == "ack"] == ["王值班"]


@pytest.mark.parametrize("name", ["watch", "handle", "reopen", "merge", "nonsense"])
def test_illegal_acts_change_nothing(desk: Any, lead: Any, id: str, name: str) -> None:
    """What the state does not allow is refused with words, never done and never a 500."""
    assert act(lead, id, name, 1).status_code in (409, 422)
    assert stored(desk, id).revision == 1


def test_reading_changes_nothing(desk: Any, lead: Any, id: str) -> None:
    """Mail scanners open links: no GET acts."""
    for path in ("/incidents", f"/incidents/{id}", f"/incidents/{id}/act"):
        lead.get(path)
    assert stored(desk, id).revision == 1


def test_the_page_says_why(desk: Any, lead: Any, id: str) -> None:
    """Level, reason, parts, frozen posts and the delivery of the mail."""
    found, page = stored(desk, id), lead.get(f"/incidents/{id}").text
    assert found.title in page
    assert found.evidence[0].text in page
    for word in ("为何预警", "敏感度", "处置时间线", "发现", "已送达"):
        assert word in page


def test_evidence_outlives_the_post(desk: Any, lead: Any, id: str) -> None:
    """The original may vanish from the index; what was frozen stays readable."""
    found = stored(desk, id)
    desk.index.erase_ids([e.post_id for e in found.evidence])
    assert found.evidence[0].text in lead.get(f"/incidents/{id}").text


def test_clocks_run_out(desk: Any, lead: Any, id: str) -> None:
    """Past the deadline the list and the overview say 超时."""
    desk.clock[0] += timedelta(days=20)
    client = desk.user("王值班", Role.RESPONDER)
    assert "超时" in client.get("/incidents").text
    assert client.get("/overview.json").json()["late"] >= 1


def test_viewers_see_no_buttons(desk: Any, id: str) -> None:
    """Who may not act is offered no act."""
    page = desk.user("看", Role.VIEWER).get(f"/incidents/{id}").text
    assert 'name="act"' not in page


@pytest.mark.parametrize("bad", ["ffffffff", "x", "0000000000"])
def test_unknown_is_404(lead: Any, bad: str) -> None:
    """An id that is none of ours."""
    assert lead.get(f"/incidents/{bad}").status_code == 404
