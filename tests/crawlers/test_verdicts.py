"""Each way in which a site can fail has its own verdict, exit code and state, for every kind of source.

One town is crawled once; each fault then meets a copy of what was known.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from keqing.landing import Landing
from keqing.workflow import db, runs, targets
from tests.crawlers.town import KINDS, Fault, Town, crawl, landed, root_of

CARDS = Path(__file__).resolve().parents[2] / "crawlers" / "sources"
SOURCES = list(KINDS)
JSON, HTML, XML = "application/json", "text/html; charset=utf-8", "application/rss+xml"
NOTICE = '<html><head><meta name="generator" content="Discuz! X3.5"></head><body><div id="messagetext"><p>{}</p></div></body></html>'
LIST = {
    "demo-weibo": "getIndex",
    "demo-forum": "forumdisplay",
    "demo-shop": "/item/",
    "demo-news": "xml",
    "demo-talk": "latest",
}
KIND = {
    "demo-weibo": JSON,
    "demo-forum": HTML,
    "demo-shop": HTML,
    "demo-news": XML,
    "demo-talk": JSON,
}


@dataclass(frozen=True)
class Case:
    """What one source answers on its lists, and what must come of it."""

    source: str
    name: str
    status: int
    body: bytes
    code: int
    verdict: str
    state: str
    reason: str = ""


def case(
    source: str, name: str, body: str | bytes, code: int, verdict: str, state: str,
    status: int = 200, reason: str = "",
) -> Case:  # fmt: skip
    raw = body if isinstance(body, bytes) else body.encode()
    return Case(source, name, status, raw, code, verdict, state, reason)


CAPTCHA = "<html><head><title>百度安全验证</title></head><body>请完成安全验证</body></html>"
LOGIN = "<html><head><title>Sina Visitor System</title></head><body></body></html>"
EMPTY = {
    "demo-weibo": '{"ok":0,"msg":"x","data":{"cards":[]}}',
    "demo-forum": '<html><body><table id="threadlisttableid"></table></body></html>',
    "demo-talk": '{"topic_list":{"topics":[]}}',
}
OTHER = {  # a page of the right kind without rows, where there were some before
    "demo-weibo": '{"ok":1,"data":{"cardlistInfo":{},"cards":[{"card_type":3}]}}',
    "demo-shop": "<html><body><p>暂无评价</p></body></html>",
    "demo-news": '<rss version="2.0"><channel><title>x</title></channel></rss>',
}
NOT_AS_EXPECTED = {
    "demo-weibo": '{"ok":1,"data":{"cardlistInfo":{}}}',
    "demo-forum": "<html><body><h1>全新改版</h1></body></html>",
    "demo-news": "<opml><body></body></opml>",
    "demo-talk": '{"topics":[]}',
}
CASES = [
    *(case(s, "throttled", b"", 1, "BLOCKED_THROTTLED", "blocked", 432, "throttled") for s in SOURCES),
    *(case(s, "forbidden", b"", 1, "BLOCKED_THROTTLED", "blocked", 403, "throttled") for s in ("demo-shop",)),
    *(case(s, "away", b"", 1, "UNREACHABLE", "late", 502) for s in SOURCES),
    *(case(s, "no body", b"", 1, "CHANGED", "changed") for s in SOURCES),
    *(case(s, "binary", b"\x1f\x8b\x00\x01\x00" * 40, 1, "CHANGED", "changed") for s in ("demo-weibo", "demo-shop")),
    *(case(s, "captcha", CAPTCHA, 1, "BLOCKED_CAPTCHA", "blocked", 200, "captcha") for s in ("demo-weibo", "demo-forum", "demo-shop")),
    *(case(s, "login", LOGIN, 1, "BLOCKED_LOGIN", "blocked", 200, "login_wall") for s in ("demo-weibo", "demo-forum", "demo-shop", "demo-talk")),
    *(case(s, "members", b"", 1, "BLOCKED_LOGIN", "blocked", 401, "login_wall") for s in ("demo-news",)),
    case("demo-weibo", "wall", '{"ok":-100}', 1, "BLOCKED_LOGIN", "blocked", 200, "login_wall"),
    case("demo-forum", "closed", NOTICE.format("您没有权限访问该版块"), 1, "BLOCKED_PERMISSION", "blocked", 200, "no_permission"),
    case("demo-forum", "sign in", NOTICE.format("抱歉，您尚未登录"), 1, "BLOCKED_LOGIN", "blocked", 200, "login_wall"),
    case("demo-forum", "too fast", NOTICE.format("您访问过于频繁，请稍后再试"), 1, "BLOCKED_THROTTLED", "blocked", 200, "throttled"),
    case("demo-talk", "closed", '{"errors":["no"],"error_type":"invalid_access"}', 1, "BLOCKED_PERMISSION", "blocked", 403, "no_permission"),
    case("demo-talk", "wall", '{"error_type":"not_logged_in"}', 1, "BLOCKED_LOGIN", "blocked", 403, "login_wall"),
    *(case(s, "empty", body, 0, "EMPTY_BY_SOURCE", "healthy") for s, body in EMPTY.items()),
    *(case(s, "nothing", body, 3, "FETCHED_NOTHING", "late") for s, body in OTHER.items()),
    *(case(s, "changed", body, 1, "CHANGED", "changed") for s, body in NOT_AS_EXPECTED.items()),
    *(case(s, "cut", b"", 1, "CHANGED", "changed", 0) for s in ("demo-weibo", "demo-forum", "demo-news", "demo-talk")),
    *(case(s, "HTML", "<html><body>维护中</body></html>", 1, v, st) for s, v, st in (
        ("demo-weibo", "BLOCKED_LOGIN", "blocked"), ("demo-talk", "BLOCKED_LOGIN", "blocked"), ("demo-news", "CHANGED", "changed"),
    )),
    *(case(s, "gone", b"", 3, "INCOMPLETE", "partial", 404, "gone") for s in SOURCES),
]  # fmt: skip


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    town = Town()
    town.start()
    yield town
    town.stop()


@pytest.fixture(scope="module")
def known(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every source was crawled once; retries wait for hundredths of a second.

    No silence is too long: how long the city is silent hangs on the hour, and is no matter of these tests.
    """
    root = root_of(town, tmp_path_factory.mktemp("known"))
    (root / "sources").mkdir()
    for source in SOURCES:
        card = (CARDS / f"{source}.toml").read_text(encoding="utf-8")
        quick = card.replace("[pace]", "[pace]\nretry_pauses_s = [0.01, 0.01]").partition(
            "[expected]"
        )[0]
        patient = f"{quick}\n[expected]\nquiet_hours_max = 2000\n"
        (root / "sources" / f"{source}.toml").write_text(patient, encoding="utf-8")
        assert crawl(root, source)[1]["verdict"] == "FRESH"
    return root


def fault_of(case: Case, town: Town) -> Fault:
    """The answer to every list of the case's source; status 0 is the true answer, cut."""

    def fault(site: str, target: str) -> tuple[int, str, bytes] | None:
        if site != case.source or LIST[site] not in target or "robots" in target:
            return None
        if case.status:
            return case.status, KIND[site], case.body
        status, kind, body = super(Town, town).answer(site, target)
        return status, kind, body[: len(body) * 2 // 3]

    return fault


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.source[5:]}-{c.name}")
def test_a_fault_has_its_verdict(town: Town, known: Path, tmp_path: Path, case: Case) -> None:
    """Verdict, exit code, state and ledger agree; what had landed stays, and comes back whole."""
    root = Path(shutil.copytree(known, tmp_path / "copy"))
    before = landed(root, case.source)
    town.fault = fault_of(case, town)
    try:
        code, report = crawl(root, case.source)
    finally:
        town.fault = lambda site, target: None
    assert (code, report["verdict"]) == (case.code, case.verdict)
    with db.read(db.open_file(root / "var" / "keqing.db")) as tx:
        state, run = targets.state(tx, case.source), runs.last(tx, "crawl", case.source)[0]
    assert state is not None
    assert (state.state, state.verdict, run.outcome) == (case.state, case.verdict, case.verdict)
    if case.reason:
        assert report["blocked"][case.reason] >= 1  # type: ignore[index]
        assert run.counts[f"blocked.{case.reason}"] >= 1
    if code == 1:
        assert report["message"]
        assert run.detail
    assert landed(root, case.source)[: len(before)] == before
    Landing(root / "var" / "landing").verify()


@pytest.mark.parametrize("source", ["demo-forum", "demo-news"])
def test_two_blind_runs_are_blind(town: Town, known: Path, tmp_path: Path, source: str) -> None:
    """The first failure may be an accident, the second in a row is blindness; then sight again."""
    root = Path(shutil.copytree(known, tmp_path / "copy"))
    town.fault = fault_of(case(source, "away", b"", 1, "UNREACHABLE", "late", 502), town)
    seen = []
    for _ in range(2):
        crawl(root, source)
        with db.read(db.open_file(root / "var" / "keqing.db")) as tx:
            seen.append(getattr(targets.state(tx, source), "state", None))
    town.fault = lambda site, target: None
    crawl(root, source)
    with db.read(db.open_file(root / "var" / "keqing.db")) as tx:
        seen.append(getattr(targets.state(tx, source), "state", None))
    assert seen == ["late", "blind", "healthy"]


def test_only_adverts_are_all_filtered(town: Town, known: Path, tmp_path: Path) -> None:
    """A topic of the system's own posts: read, left out with its reason, three times over-filtering."""
    root = Path(shutil.copytree(known, tmp_path / "copy"))
    rows = '{"id":900001,"post_type":3,"cooked":"x"},{"id":900002,"post_type":3,"cooked":"y"}'
    moved = '{"topic_list":{"topics":[{"id":900,"posts_count":%d,"last_posted_at":null}]}}'
    states = []
    for n in range(3):
        answers = {
            "latest": moved % (n + 2),
            "/t/": f'{{"post_stream":{{"posts":[{rows}],"stream":[]}}}}',
        }
        town.fault = lambda site, target, answers=answers: next(  # type: ignore[misc]
            ((200, JSON, body.encode()) for mark, body in answers.items() if mark in target), None
        )
        code, report = crawl(root, "demo-talk")
        assert (code, report["verdict"]) == (0, "ALL_FILTERED")
        assert report["filtered"] == {"system_post": 2}
        with db.read(db.open_file(root / "var" / "keqing.db")) as tx:
            states.append(getattr(targets.state(tx, "demo-talk"), "state", None))
    town.fault = lambda site, target: None
    assert states == ["healthy", "healthy", "over-filtering"]


def test_nothing_is_got_round(town: Town, known: Path, tmp_path: Path) -> None:
    """Whole crawls of all sources: no cookie, one honest name, no path that robots.txt forbids."""
    town.asked.clear()
    town.headers.clear()
    root = root_of(town, tmp_path)
    for source in SOURCES:
        crawl(root, source)
    assert len(town.asked) > 100
    assert {headers.get("Cookie") for headers in town.headers} == {None}
    agents = {headers.get("User-Agent", "") for headers in town.headers}
    assert len(agents) == 1
    assert agents.pop().startswith("keqing/")
    assert not any("/search" in target or "mod=redirect" in target for _, target in town.asked)
