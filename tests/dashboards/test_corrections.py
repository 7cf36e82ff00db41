"""改判 on a post's page: who may, what counts from then on, and what stays beside."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from index.query import All, Hit, Window
from keqing.workflow import corrections, trail
from keqing.workflow.accounts import Role
from keqing.workflow.db import read
from tests.dashboards.conftest import NOW, Desk, csrf_of

OPTION = re.compile(r'<option value="([^"]+)">')


@pytest.fixture
def blamed(desk: Desk) -> Hit:
    """The riskiest post of the last week."""
    from datetime import timedelta

    return desk.index.examples(All(), Window(NOW - timedelta(days=7), NOW), 1)[0]


def send(client: Any, hit: Hit, value: str, reason: str = "说的是别家", **more: str) -> Any:
    token = csrf_of(client, f"/post?id={hit.id}")
    data = {"id": hit.id, "value": value, "reason": reason, "csrf": token} | more
    return client.post("/post/correct", data=data)


def test_a_persons_value_counts_at_once(desk: Desk, blamed: Hit) -> None:
    """The page, the counts and the trail follow; the model's value stays beside and can come back."""
    client = desk.user("wu", Role.ANALYST)
    before = client.get("/overview.json?range=7d").json()["total"]["negative"]
    answer = send(client, blamed, "polarity:neutral")
    assert answer.status_code == 303
    where = urlsplit(answer.headers["location"])
    assert (where.path, parse_qs(where.query)) == ("/post", {"id": [blamed.id]})
    model = client.get("/post.json", params={"id": blamed.id}).json()
    assert (model["stage"], model["card"]["polarity"]) == ("human", "neutral")
    [said] = model["said"]
    assert (said["model"], said["to"], said["by"]) == ("negative", "neutral", "wu")
    assert client.get("/overview.json?range=7d").json()["total"]["negative"] == before - 1
    assert "说的是别家" in client.get("/post", params={"id": blamed.id}).text
    assert send(client, blamed, "polarity:model", "看错").status_code == 303
    assert client.get("/overview.json?range=7d").json()["total"]["negative"] == before
    with read(desk.engine) as tx:
        assert [row.to for row in corrections.every(tx)] == ["neutral", "model"]
        written = [(row.who, row.what, row.object) for row in trail.newest(tx)]
    assert ("wu", "correct polarity neutral", blamed.id) in written


def test_every_offered_value_is_taken(desk: Desk, blamed: Hit) -> None:
    """What the form offers is what may be said, of each field and each brand."""
    client = desk.user("wu", Role.ANALYST)
    page = html.unescape(client.get("/post", params={"id": blamed.id}).text)
    offered = [value for value in OPTION.findall(page) if ":" in value]
    assert {value.rpartition(":")[0] for value in offered} >= {"polarity", "intent", "severity"}
    assert any(value.startswith("brand:") for value in offered)
    for value in offered[:: max(1, len(offered) // 8)]:
        assert send(client, blamed, value).status_code == 303, value


@pytest.mark.parametrize(
    ("value", "reason"),
    [("polarity:bad", "x"), ("mood:bad", "x"), ("", "x"), ("polarity:neutral", " "),
     ("brand:nobody:yes", "x"), ("polarity:neutral", "x" * 300)],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(desk: Desk, blamed: Hit, value: str, reason: str) -> None:
    """A value or reason that does not exist writes nothing."""
    client = desk.user("wu", Role.ANALYST)
    assert send(client, blamed, value, reason).status_code == 422
    with read(desk.engine) as tx:
        assert corrections.every(tx) == []


def test_only_who_may_see_and_say(desk: Desk, blamed: Hit) -> None:
    """A viewer has no form and is refused; another brand's analyst finds no post; no token, no act."""
    viewer = desk.user("vi", Role.VIEWER)
    assert "/post/correct" not in viewer.get("/post", params={"id": blamed.id}).text
    token = csrf_of(viewer, "/account")
    data = {"id": blamed.id, "value": "polarity:neutral", "reason": "x", "csrf": token}
    assert viewer.post("/post/correct", data=data).status_code == 403
    other = desk.user("ho", Role.ANALYST, ("lian",))
    data["csrf"] = csrf_of(other, "/account")
    assert other.post("/post/correct", data=data).status_code == 404
    analyst = desk.user("wu", Role.ANALYST)
    assert analyst.post("/post/correct", data=data | {"csrf": "f" * 64}).status_code == 403
    with read(desk.engine) as tx:
        assert corrections.every(tx) == []
