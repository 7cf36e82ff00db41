"""事件: the list and one event; every number leads to its posts, nobody sees another's brands."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from keqing.workflow import events
from keqing.workflow.accounts import Role
from keqing.workflow.db import begin
from tests.dashboards.conftest import Desk

DAY = "range=24h"


def listed(client: Any, query: str = DAY) -> list[dict[str, Any]]:
    answer = client.get(f"/events.json?{query}")
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


def test_the_crisis_is_the_first_event(desk: Desk) -> None:
    """Most negative posts first; the crisis of the city is one event on several platforms."""
    client = desk.user("ann", Role.VIEWER)
    rows = listed(client)
    assert rows == sorted(rows, key=lambda row: (-row["negative"], -row["posts"], row["id"]))
    crisis = rows[0]
    assert "塑料片" in crisis["name"]
    assert crisis["brand"] == "mujinhu"
    assert crisis["posts"] >= crisis["stories"] >= 2
    assert crisis["posts"] >= crisis["voices"] >= 2
    assert len(crisis["way"]) >= 2
    lags = [stop["after"] for stop in crisis["way"]]
    assert (lags[0], lags) == (0, sorted(lags))
    page = client.get(f"/events?{DAY}").text
    assert f"/events/{crisis['id']}" in page
    assert crisis["name"] in client.get("/").text


def test_each_number_leads_to_its_posts(desk: Desk) -> None:
    """The address beside a count opens a list of that many posts."""
    client = desk.user("ann", Role.VIEWER)
    for row in listed(client)[:4]:
        for count, url in (("posts", "posts_url"), ("negative", "negative_url")):
            parts = urlsplit(row[url])
            model = client.get(f"/mentions.json?{parts.query}").json()
            assert model["total"]["posts"] == row[count]


def test_an_event_shows_its_first_posts(desk: Desk) -> None:
    """The page opens the first post of each platform, posts that stand for it, and its words."""
    client = desk.user("ann", Role.VIEWER)
    id_ = listed(client)[0]["id"]
    model = client.get(f"/events/{id_}.json").json()
    assert model["stars"]
    assert model["words"]
    shown = {card["id"] for card in model["stars"]}
    assert not shown & {card["id"] for card in model["worst"]}
    for stop in model["row"]["way"]:
        post = client.get(stop["post_url"].replace("/post?", "/post.json?")).json()
        assert post["card"]["published_at"] >= model["row"]["first_at"]
    assert "传播路径" in client.get(f"/events/{id_}").text
    assert "Way over platforms" in client.get(f"/events/{id_}?lang=en").text


def test_a_merged_event_is_found_under_its_old_id(desk: Desk) -> None:
    """An old link leads to the event that it became, which counts both and tells of the merge."""
    client = desk.user("ann", Role.VIEWER)
    rows = [row for row in listed(client, "range=7d") if row["brand"] == "mujinhu"]
    elder, younger = sorted(rows[:2], key=lambda row: row["first_at"])
    with begin(desk.engine) as tx:
        events.merge(tx, elder["id"], younger["id"], int(desk.clock[0].timestamp()))
    answer = client.get(f"/events/{younger['id']}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/events/{elder['id']}")
    answer = client.get(f"/events/{younger['id']}?lang=en")
    assert answer.headers["location"] == f"/events/{elder['id']}?lang=en"
    both = next(row for row in listed(client, "range=7d") if row["id"] == elder["id"])
    assert both["posts"] == elder["posts"] + younger["posts"]
    changes = client.get(f"/events/{elder['id']}.json").json()["changes"]
    assert (changes[-1]["kind"], changes[-1]["other"]) == ("merged", younger["id"])


@pytest.mark.parametrize("path", ["/events/{}", "/events/{}.json"])
def test_another_brands_event_is_not_found(desk: Desk, path: str) -> None:
    """A user of one brand sees its events alone; an unknown id and another's are the same 404."""
    everyone = desk.user("ann", Role.VIEWER)
    other = next(row for row in listed(everyone, "range=7d") if row["brand"] != "lian")
    client = desk.user("bo", Role.VIEWER, ("lian",))
    assert {row["brand"] for row in listed(client, "range=7d")} <= {"lian"}
    assert client.get(path.format(other["id"])).status_code == 404
    assert client.get(path.format("0" * 16)).status_code == 404


def test_without_a_session_nothing_is_told(desk: Desk) -> None:
    """The list leads to the login, its numbers are refused."""
    client = desk.client()
    assert client.get("/events").status_code == 303
    assert client.get("/events.json").status_code == 401
