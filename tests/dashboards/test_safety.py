"""Headers on every answer, forms of ours only, roles, and texts that were written to harm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.cards import pieces
from dashboards.export import FORMULA, cell
from dashboards.headers import HEADERS
from keqing.records import (
    Author,
    BrandHit,
    Mention,
    Polarity,
    Post,
    SeverityHit,
    Versions,
)
from keqing.untrusted import clean, safe_url
from keqing.workflow import trail
from keqing.workflow.accounts import Role
from keqing.workflow.db import begin

PATHS = (
    "/", "/overview.json", "/mentions", "/mentions.json", "/mentions.csv", "/mentions?q=(",
    "/mentions?polarity=x", "/incidents", "/incidents.json", "/incidents/00000000",
    "/incidents?state=x", "/health", "/health.json", "/audit", "/audit.json", "/account", "/login",
    "/healthz", "/readyz", "/none", "/static/app.css",
)  # fmt: skip
ROLE_OF = {
    "/": Role.VIEWER, "/mentions": Role.VIEWER, "/incidents": Role.VIEWER, "/health": Role.VIEWER,
    "/account": Role.VIEWER, "/mentions.csv": Role.ANALYST, "/audit": Role.LEAD,
    "/audit.json": Role.LEAD,
}  # fmt: skip
EVIL = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg onload=alert(1)>",
    "{{ 7*7 }}", "'-alert(1)-'", "</textarea><b>", "\u202egnp.exe", "javascript:alert(1)",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_headers_on_every_answer(lead: Any, desk: Any, path: str) -> None:
    """200, 303, 404, 422: the policy stands on all, with and without a session."""
    for client in (lead, desk.client()):
        answer = client.get(path)
        assert answer.status_code < 500
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        if "/static/" not in path:
            assert answer.headers["cache-control"] == "no-store"


def test_a_fault_of_ours_is_bare(desk: Any, lead: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 500 carries the headers and no word of what broke."""
    monkeypatch.setattr(desk.index, "search", lambda *a, **k: 1 / 0)
    answer = lead.get("/mentions")
    assert answer.status_code == 500
    assert answer.text == "Internal Server Error"
    assert answer.headers["content-security-policy"] == HEADERS["content-security-policy"]


def test_too_much_is_refused(lead: Any) -> None:
    """Bodies over 1 MB and query strings over 4 kB."""
    assert lead.post("/logout", content=b"x" * 1_000_001).status_code == 413
    assert lead.get("/mentions?q=" + "a" * 5000).status_code == 414


@pytest.mark.parametrize("path", ["/login", "/logout", "/account", "/incidents/{id}/act"])
def test_forms_need_their_token_and_origin(desk: Any, lead: Any, path: str) -> None:
    """No token, a wrong token, or another site's origin: 403, nothing happens."""
    path = path.format(id=_incident(lead))
    token = re.findall(r'name="csrf" value="(\w+)"', lead.get("/account").text)[0]
    for data, headers in (
        ({}, {}),
        ({"csrf": "0" * 64}, {}),
        ({"csrf": token}, {"origin": "https://evil.example"}),
        ({"csrf": token}, {"origin": "null"}),
        ({"csrf": token}, {"sec-fetch-site": "cross-site"}),
    ):
        assert lead.post(path, data=data, headers=headers).status_code == 403


def test_a_login_form_without_its_cookie_is_refused(desk: Any) -> None:
    """The token of an empty cookie is no secret: it must not count."""
    from dashboards.access import csrf_of

    data = {"name": "x", "password": "y", "csrf": csrf_of("")}
    assert desk.client().post("/login", data=data).status_code == 403


@pytest.mark.parametrize("role", list(Role))
def test_roles(desk: Any, role: Role) -> None:
    """Every page by every role: its own or more opens, less is told which role is needed."""
    client = desk.user("someone", role)
    for path, needed in ROLE_OF.items():
        assert client.get(path).status_code == (200 if role.rank >= needed.rank else 403), path
    data = {"csrf": re.findall(r'name="csrf" value="(\w+)"', client.get("/account").text)[0]}
    got = client.post(f"/incidents/{_incident(client)}/act", data=data).status_code
    assert got == (422 if role.rank >= Role.RESPONDER.rank else 403)


def test_strangers_reach_the_login_only(desk: Any) -> None:
    """Without a session: pages lead to the login, data is 401, health says one word."""
    client = desk.client()
    for path in ROLE_OF:
        answer = client.get(path)
        data = path.endswith((".json", ".csv"))
        assert answer.status_code == (401 if data else 303), path
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}


def test_a_brand_scope_bounds_every_answer(desk: Any) -> None:
    """Who may see one brand sees no post and no incident of another, whatever the address asks."""
    client = desk.user("hotel", Role.LEAD, ("lian",))
    everything = client.get("/mentions.json?range=7d").json()
    assert everything["total"]["posts"] > 0
    assert all("砾岸酒店" in card["brands"] for card in everything["cards"])
    assert client.get("/mentions.json?range=7d&brand=mujinhu").json()["total"]["posts"] == 0
    assert all(
        row["incident"]["brand"] in ("lian", "-")
        for row in client.get("/incidents.json?state=all").json()["rows"]
    )
    other = desk.user("boss", Role.ADMIN)
    assert client.get(f"/incidents/{_incident(other)}").status_code == 404
    assert "木槿壶" not in client.get("/").text.replace("木槿壶点评", "")


def test_another_host_name_is_refused(desk: Any) -> None:
    """A foreign name that points at us (DNS rebinding) reaches no page."""
    assert desk.client().get("/login", headers={"host": "evil.example"}).status_code == 400


def test_hostile_texts_stay_texts(desk: Any, lead: Any) -> None:
    """Every payload is shown as it was written; none becomes an element, a link or a formula."""
    desk.index.upsert(list(_hostile(desk)), desk.clock[0])
    page = lead.get("/mentions?range=1h&source=evil&fold=0").text
    assert page.count('<article class="post"') == len(EVIL)
    for bad in ("<script>alert", "<img", "<svg onload", "</textarea>", "\u202e"):
        assert bad not in page
    assert "{{ 7*7 }}" in page
    assert not re.findall(r'href="(?!/|http|#main")[^"]*"', page)
    assert 'href="javascript' not in page
    assert all(
        'rel="noopener noreferrer"' in link for link in re.findall(r"<a [^>]*http[^>]*>", page)
    )
    overview = lead.get("/").text
    assert "<script>alert" not in overview


def test_no_inline_script_or_style(lead: Any) -> None:
    """The policy allows none, so no page may hold one."""
    for path in (
        "/",
        "/mentions",
        "/incidents",
        f"/incidents/{_incident(lead)}",
        "/health",
        "/account",
    ):
        page = lead.get(path).text
        assert not re.findall(r"<script(?![^>]*\ssrc=)", page)
        assert " style=" not in page
        assert not re.findall(r"\son\w+=", page)


@given(
    st.text(max_size=40), st.lists(st.tuples(st.integers(-3, 50), st.integers(-3, 50)), max_size=4)
)
def test_marking_loses_nothing(text: str, spans: list[tuple[int, int]]) -> None:
    """The pieces joined are the text, wherever the marks are."""
    assert "".join(piece for piece, _ in pieces(text, spans)) == text


@given(st.text(max_size=60))
def test_cells_are_never_formulas(text: str) -> None:
    """No cell begins with a sign that a spreadsheet runs."""
    value = cell(text)
    assert isinstance(value, str)
    assert not value.startswith(FORMULA)
    assert value.lstrip("'") == clean(text).lstrip("'")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//x",
        "http://",
        "ftp://a",
        "http://a\u202e",
        None,
    ],
)
def test_only_web_links(url: str | None) -> None:
    """Anything but http and https with a host is no link."""
    assert safe_url(url) is None


def _incident(client: Any) -> str:
    rows = client.get("/incidents.json?state=all").json()["rows"]
    return str(rows[0]["incident"]["id"]) if rows else "00000000"


def _hostile(desk: Any) -> Iterator[Mention]:
    at = desk.clock[0] - timedelta(minutes=5)
    for n, text in enumerate(EVIL):
        post = Post(
            id=f"evil:{n}", platform="evil", source="evil", url=f"javascript:alert({n})",
            author=Author(id=f"k1:{n}", name=text), text=text, title=text, region=text,
            published_at=at, first_seen_at=at, collected_at=at, run_id="r",
        )  # fmt: skip
        hit = BrandHit(
            brand="mujinhu", entity="e", alias=text[:2], start=0, end=2, where="own", reason="accepted",
            polarity=Polarity.NEGATIVE, p=0.9,
        )  # fmt: skip
        yield Mention(
            post=post, brands=(hit,), polarity=Polarity.NEGATIVE, p_negative=0.9,
            severity=(SeverityHit(name=text[:20], term=text, confidence=0.9),), intent=text[:20],
            tokens=(text,), story=f"evil{n}", risk=99.0,
            versions=Versions(model="m", dictionary="d", plan="p"), scored_at=at,
        )  # fmt: skip


def test_audit_holds_what_was_done(desk: Any, lead: Any) -> None:
    """Login and export are one row each; the chain holds."""
    lead.get("/mentions.csv")
    with begin(desk.engine) as tx:
        rows = trail.newest(tx)
        assert trail.verify(tx) == len(rows)
    assert [row.what for row in rows] == ["export", "login"]
    assert "export" in lead.get("/audit").text
