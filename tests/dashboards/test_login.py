"""Signing in: one answer for all failures, a pause after five, a one-time password opens nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.pages.login import local
from keqing.workflow import accounts
from keqing.workflow.accounts import Role
from keqing.workflow.db import begin

GOOD = "Zebra-crossing-88"


def test_first_administrator_must_change_the_one_time_password(
    fresh: Any, enter: Any, form_token: Any
) -> None:
    """The printed password signs in, but every page leads to the account page until it is changed."""
    with begin(fresh.engine) as tx:
        made = accounts.create_first_admin(tx, fresh.clock[0])
        assert accounts.create_first_admin(tx, fresh.clock[0]) is None
    assert made is not None
    name, password = made
    client = fresh.client()
    assert enter(client, name, password) == 303
    for path in ("/", "/mentions", "/incidents", "/health", "/audit"):
        assert client.get(path).headers["location"] == "/account"
    form = {"csrf": form_token(client, "/account"), "old": password, "new": GOOD, "again": GOOD}
    before = client.cookies["sid"]
    assert client.post("/account", data=form).headers["location"] == "/"
    assert client.cookies["sid"] != before
    assert client.get("/").status_code == 200
    assert enter(fresh.client(), name, password) == 401


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("wrong", "Another-word-77", "Another-word-77", "当前口令不对"),
        (GOOD, "Another-word-77", "Another-word-78", "不一致"),
        (GOOD, GOOD, GOOD, "不同"),
        (GOOD, "short", "short", "12–128"),
        (GOOD, "keqing-keqing-1", "keqing-keqing-1", "猜到"),
        (GOOD, "aaaaaaaaaaaaaa", "aaaaaaaaaaaaaa", "重复"),
    ],
)
def test_a_weak_or_wrong_change_is_refused(
    desk: Any, form_token: Any, old: str, new: str, again: str, said: str
) -> None:
    """Each fault is named and the old password stays."""
    client = desk.user("王值班", Role.RESPONDER)
    form = {"csrf": form_token(client, "/account"), "old": old, "new": new, "again": again}
    answer = client.post("/account", data=form)
    assert answer.status_code == 422
    assert said in answer.text


def test_unknown_and_wrong_read_the_same(desk: Any, enter: Any) -> None:
    """Nobody learns from the answer whether an account exists."""
    desk.user("王值班", Role.RESPONDER)
    client = desk.client()
    texts = []
    for name in ("王值班", "nobody"):
        token = client.get("/login").text.split('name="csrf" value="')[1].split('"')[0]
        answer = client.post("/login", data={"name": name, "password": "x" * 12, "csrf": token})
        assert answer.status_code == 401
        texts.append(answer.text)
    assert texts[0] == texts[1]


def test_five_failures_slow_down_but_never_lock_out(desk: Any, enter: Any) -> None:
    """The sixth try waits; after the pause the right password signs in."""
    desk.user("王值班", Role.RESPONDER)
    client = desk.client()
    assert [enter(client, "王值班", "no-no-no-no") for _ in range(5)] == [401] * 5
    assert enter(client, "王值班", GOOD) == 429
    desk.clock[0] += timedelta(seconds=301)
    assert enter(client, "王值班", GOOD) == 303


def test_twenty_tries_a_minute_from_one_address(desk: Any, enter: Any) -> None:
    """Changing the name does not help somebody who guesses."""
    client = desk.client()
    tries = [enter(client, f"user{n}", "no-no-no-no") for n in range(22)]
    assert tries == [401] * 20 + [429] * 2


def test_session_ends_by_logout_idleness_and_age(desk: Any, form_token: Any, enter: Any) -> None:
    """A signed-out, idle or old session opens nothing."""
    client = desk.user("王值班", Role.RESPONDER)
    token = client.cookies["sid"]
    answer = client.post("/logout", data={"csrf": form_token(client, "/account")})
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    client.cookies.set("sid", token)
    assert client.get("/").status_code == 303
    again = desk.client()
    enter(again, "王值班", GOOD)
    began = desk.clock[0]
    while again.get("/health").status_code == 200:
        desk.clock[0] += timedelta(minutes=25)
    assert timedelta(hours=12) < desk.clock[0] - began <= timedelta(hours=12, minutes=25)
    enter(again, "王值班", GOOD)
    desk.clock[0] += timedelta(minutes=31)
    assert again.get("/").status_code == 303


def test_cookie_flags(desk: Any) -> None:
    """The session cookie is out of reach of scripts and of other sites."""
    client = desk.client()
    cookie = client.get("/login").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie


def test_login_leads_back_to_the_asked_page(desk: Any) -> None:
    """A pasted link survives the login."""
    answer = desk.client().get("/mentions?q=塑料片")
    assert answer.headers["location"].startswith("/login?next=/mentions%3Fq%3D")


@pytest.mark.parametrize(
    "evil",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/%2f%2fevil",
        "/\tx",
        "javascript:1",
        "",
    ],
)
def test_next_never_leads_away(evil: str) -> None:
    """Only a path of ours is followed."""
    assert local(evil) == "/"


@given(st.text())
def test_next_is_local_whatever_it_says(text: str) -> None:
    """Any text gives a path that begins with one slash."""
    found = local(text)
    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))
