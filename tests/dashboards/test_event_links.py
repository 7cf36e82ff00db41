"""人工修正 of an event: what an analyst says of it holds at once, and what cannot be is refused."""

from __future__ import annotations

from typing import Any

import pytest

from keqing.workflow import event_history, event_links, trail
from keqing.workflow.accounts import Role
from keqing.workflow.db import read
from tests.dashboards.conftest import Desk, csrf_of

WEEK = "range=7d"


def rows(client: Any, brand: str = "mujinhu") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/events.json?{WEEK}").json()["rows"]
    return [row for row in found if row["brand"] == brand]


def say(client: Any, id_: str, act: str, data: dict[str, Any]) -> Any:
    token = csrf_of(client, f"/events/{id_}")
    return client.post(f"/events/{id_}/{act}", data={"csrf": token} | data)


def test_two_events_become_one(desk: Desk) -> None:
    """The elder id lives and counts both; the page and the audit trail say who did it."""
    client = desk.user("wu", Role.ANALYST)
    elder, younger = sorted(rows(client)[:2], key=lambda row: row["first_at"])
    answer = say(client, younger["id"], "merge", {"into": elder["id"]})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/events/{elder['id']}")
    both = next(row for row in rows(client) if row["id"] == elder["id"])
    assert both["posts"] == elder["posts"] + younger["posts"]
    change = client.get(f"/events/{elder['id']}.json").json()["changes"][-1]
    assert (change["kind"], change["other"], change["by"]) == ("merged", younger["id"], "wu")
    assert client.get(f"/events/{younger['id']}").status_code == 303
    with read(desk.engine) as tx:
        assert event_history.living(tx, younger["id"]) == elder["id"]
        assert [one.kind for one in event_links.every(tx)] == ["merge"]
        written = [(row.who, row.what.split()[1], row.object) for row in trail.newest(tx)
                 if row.what.startswith("event ")]  # fmt: skip
    assert written == [("wu", "merge", younger["id"])]


def test_posts_are_taken_out(desk: Desk) -> None:
    """The new event has its posts and its name, the old one has them no more, also after a reload."""
    client = desk.user("wu", Role.ANALYST)
    row = max(rows(client), key=lambda row: row["stories"])
    choice = client.get(f"/events/{row['id']}.json").json()["stories"][0]
    answer = say(client, row["id"], "split", {"story": [choice["id"]], "name": "另一件事"})
    assert answer.status_code == 303
    part = client.get(answer.headers["location"] + ".json").json()
    assert (part["row"]["name"], part["row"]["stories"], part["named"]) == ("另一件事", 1, True)
    rest = client.get(f"/events/{row['id']}.json").json()
    assert part["row"]["posts"] + rest["row"]["posts"] == row["posts"]
    assert choice["id"] not in [one["id"] for one in rest["stories"]]
    assert rest["changes"][-1]["kind"] == "split_off"
    assert [(one["kind"], one["by"]) for one in part["changes"]] == [("split_from", "wu")]


def test_an_event_is_renamed(desk: Desk) -> None:
    """The name stands in the list and on the page; an empty one gives it back to its words."""
    client = desk.user("wu", Role.ANALYST)
    row = rows(client)[0]
    assert say(client, row["id"], "name", {"name": "青提冻 <b>异物</b>"}).status_code == 303
    assert rows(client)[0]["name"] == "青提冻 <b>异物</b>"
    assert "青提冻 &lt;b&gt;异物&lt;/b&gt;" in client.get(f"/events/{row['id']}").text
    assert say(client, row["id"], "name", {"name": ""}).status_code == 303
    assert rows(client)[0]["name"] == row["name"]
    assert "恢复自动名称" in client.get(f"/events/{row['id']}").text
    assert "named by its words again" in client.get(f"/events/{row['id']}?lang=en").text


def test_what_cannot_be_is_refused_on_the_page(desk: Desk) -> None:
    """Itself, another brand's, a merged or unknown id, no posts: a reason, and nothing is written."""
    client = desk.user("wu", Role.ANALYST)
    one, two = rows(client)[:2]
    other = next(row for row in client.get(f"/events.json?{WEEK}").json()["rows"]
                 if row["brand"] != "mujinhu")  # fmt: skip
    for act, data, words in (
        ("merge", {"into": one["id"]}, "这就是本事件"),
        ("merge", {"into": other["id"]}, "另一个品牌"),
        ("merge", {"into": "0" * 24}, "没有这个编号"),
        ("split", {"name": "x"}, "请先勾选"),
        ("split", {"name": " ", "story": ["weibo:none"]}, "不在本事件里"),
        ("name", {"name": "长" * 41}, "1 至 40 个字"),
    ):
        answer = say(client, one["id"], act, data)
        assert (answer.status_code, words in answer.text) == (422, True), (act, data)
    with read(desk.engine) as tx:
        assert event_links.every(tx) == []
    say(client, two["id"], "merge", {"into": one["id"]})
    lives, gone = sorted((one, two), key=lambda row: row["first_at"])
    answer = say(client, lives["id"], "merge", {"into": gone["id"]})
    assert (answer.status_code, "已经并入" in answer.text) == (422, True)


@pytest.mark.parametrize("act", ["merge", "split", "name"])
def test_only_analysts_of_the_brand_may(desk: Desk, act: str) -> None:
    """A viewer sees no form and is refused; another's brand is not found; a foreign form is refused."""
    viewer = desk.user("ann", Role.VIEWER)
    id_ = rows(viewer)[0]["id"]
    assert f"/events/{id_}/{act}" not in viewer.get(f"/events/{id_}").text
    assert viewer.post(f"/events/{id_}/{act}", data={}).status_code == 403
    analyst = desk.user("wu", Role.ANALYST)
    assert f"/events/{id_}/{act}" in analyst.get(f"/events/{id_}").text
    assert analyst.post(f"/events/{id_}/{act}", data={"csrf": "x"}).status_code == 403
    stranger = desk.user("bo", Role.ANALYST, ("lian",))
    token = csrf_of(stranger, "/account")
    assert stranger.post(f"/events/{id_}/{act}", data={"csrf": token}).status_code == 404
