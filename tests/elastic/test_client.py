"""Headers, secrets and status codes, against a scripted server: these tests need no real one."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

import pytest

from index.ast import All
from index.elastic import ElasticEngine
from index.elastic_client import Patience, Server
from index.elastic_mapping import VERSION
from index.engine import open_index
from keqing.errors import (
    BadConfig,
    IndexBusy,
    IndexFault,
    IndexForbidden,
    IndexOutdated,
    IndexRejected,
    IndexTimeout,
    IndexUnavailable,
)
from keqing.settings import IndexSettings, load_settings
from tests.contracts.index.made import T0
from tests.elastic.fake import Asked, Fake, Rule, Told, fake, refusal, told

ROOT = Path(__file__).resolve().parents[2]
PAUSES: list[float] = []
PATIENT = Patience(3, 1.0, 8.0, sleep=PAUSES.append, draw=lambda: 0.5)
EMPTY = {
    "hits": {"hits": [], "total": {"value": 0}},
    "timed_out": False,
    "_shards": {"failed": 0},
    "aggregations": {
        "stories": {"value": 0}, "voices": {"value": 0}, "all": {"newest": {"value": None}},
    },
}  # fmt: skip
HEAD = f"keqing-mentions-v{VERSION}"
ALIAS = {f"{HEAD}-1-before-2015": {"aliases": {"keqing": {}}}}


def at(url: str, env: Mapping[str, str] | None = None, **more: object) -> ElasticEngine:
    settings = IndexSettings.model_validate({"url": url, **more})
    return ElasticEngine(Server(settings, env or {}, PATIENT, PATIENT))


def well(asked: Asked) -> Told:
    """A server with an empty installation."""
    return told(200, ALIAS if "/_alias/" in asked.path else EMPTY)


def searching(answer: Told) -> Rule:
    """A server whose searches are answered like this."""
    return lambda asked: answer if asked.path.partition("?")[0].endswith("_search") else well(asked)


def the_headers(server: Fake) -> Mapping[str, str]:
    return {name.lower(): value for name, value in server.of("_search")[0].headers.items()}


def test_it_speaks_to_version_9() -> None:
    """The vendor's media types name version 9; who asks stands in every request."""
    with fake(well) as server:
        at(server.url).count(All(), None)
        headers = the_headers(server)
    assert headers["content-type"].startswith("application/vnd.elasticsearch+json")
    assert "compatible-with=9" in headers["accept"]
    assert headers["x-opaque-id"] == "keqing"


def test_opensearch_needs_its_flavour() -> None:
    """Plain media types and no product header: refused with the line to write, or understood."""

    def plain(asked: Asked) -> Told:
        sent = {k.lower(): v for k, v in asked.headers.items()}
        if "vnd.elasticsearch" in sent.get("content-type", "") + sent["accept"]:
            return told(406, {"error": "no such media type"}, Content_Type="application/json")
        answer = ALIAS if "/_alias/" in asked.path else EMPTY
        return told(200, answer, Content_Type="application/json")

    with fake(plain) as server:
        with pytest.raises(IndexForbidden, match="another server version"):
            at(server.url).count(All(), None)
        engine = at(server.url, flavour="opensearch")
        assert engine.count(All(), None).posts == 0
        kinds = {a.headers["content-type"] for a in server.of("_search")[-1:]}
    assert kinds == {"application/json"}


def test_a_server_without_the_product_header_is_named() -> None:
    """Another product behind the address is no empty index."""
    with fake(lambda asked: told(200, ALIAS, Content_Type="application/json")) as server:
        with pytest.raises(IndexForbidden, match='flavour = "opensearch"'):
            at(server.url).count(All(), None)


def test_secrets_come_from_the_named_variables(tmp_path: Path) -> None:
    """An API key, or user and password; a file named by _FILE; never the plan."""
    (tmp_path / "key").write_text("filed\n", encoding="utf-8")
    cases: list[tuple[dict[str, str], dict[str, object], str]] = [
        ({"KEQING__INDEX__API_KEY": "k"}, {}, "ApiKey k"),
        ({"MINE": "k2"}, {"api_key_env": "MINE"}, "ApiKey k2"),
        ({"MINE_FILE": str(tmp_path / "key")}, {"api_key_env": "MINE"}, "ApiKey filed"),
        ({"KEQING__INDEX__PASSWORD": "p"}, {"user": "u"}, f"Basic {b64('u:p')}"),
        ({"PW": "p"}, {"user": "u", "password_env": "PW"}, f"Basic {b64('u:p')}"),
    ]
    for env, more, expected in cases:
        with fake(well) as server:
            at(server.url, env, **more).count(All(), None)
            assert the_headers(server)["authorization"] == expected


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_missing_secret_or_file_is_bad_configuration() -> None:
    """It is told before the first question, with the name to set."""
    with pytest.raises(BadConfig, match="KEQING__INDEX__PASSWORD"):
        at("http://127.0.0.1:9", user="u")
    with pytest.raises(BadConfig, match=r"/none/ca\.pem"):
        at("https://127.0.0.1:9", ca="/none/ca.pem")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("localhost:9200", "address"),
        ("ftp://a", "address"),
        ("https://u:p@es:9200", "password_env"),
        ("", "address"),
        ("http://a:1,,http://b:1", "address"),
    ],
)
def test_a_bad_address_is_refused(tmp_path: Path, url: str, why: str) -> None:
    """The sentence names the line of the plan and what belongs there."""
    plan = (ROOT / "keqing.toml").read_text("utf-8") + f'\n[index]\nurl = "{url}"\n'
    (tmp_path / "keqing.toml").write_text(plan, encoding="utf-8")
    with pytest.raises(BadConfig, match=why):
        load_settings(tmp_path, env={})


def test_the_url_alone_chooses_the_server(tmp_path: Path) -> None:
    """Without it the embedded engine is opened, with it the server, in the plan or the environment."""
    plan = (ROOT / "keqing.toml").read_text("utf-8")
    (tmp_path / "keqing.toml").write_text(plan, encoding="utf-8")
    assert type(open_index(load_settings(tmp_path, env={}))).__name__ == "SqliteEngine"
    env = {"KEQING__INDEX__URL": "http://127.0.0.1:9"}
    assert isinstance(open_index(load_settings(tmp_path, env=env), env), ElasticEngine)
    (tmp_path / "keqing.toml").write_text(f'{plan}\n[index]\nurl = "http://127.0.0.1:9"\n', "utf-8")
    assert isinstance(open_index(load_settings(tmp_path, env={}), {}), ElasticEngine)


FAILED = {**EMPTY, "_shards": {"failed": 2}}
SLOW = {**EMPTY, "timed_out": True}
ANSWERS: list[tuple[Told, type[IndexFault], str]] = [
    (refusal(401, "security_exception"), IndexForbidden, "credentials"),
    (refusal(403, "security_exception"), IndexForbidden, "right is missing"),
    (refusal(400, "parsing_exception", "bad [x]"), IndexRejected, r"bad \[x\]"),
    (refusal(404, "index_not_found_exception", "no such index"), IndexUnavailable, "no such index"),
    (refusal(406, "media_type_header_exception"), IndexForbidden, "version than 9"),
    (refusal(429, "es_rejected_execution_exception"), IndexBusy, "too busy"),
    (refusal(429, "cluster_block_exception", "flood stage"), IndexBusy, "disk"),
    (refusal(500, "null_pointer_exception"), IndexUnavailable, "500"),
    (refusal(503, "master_not_discovered_exception"), IndexUnavailable, "503"),
    (refusal(504, "search_timeout_exception", "Time exceeded"), IndexTimeout, "narrow"),
    (Told(200, b"<html>", {"Content-Type": "text/html"}), IndexForbidden, "no Elasticsearch"),
    (Told(200, b"{broken"), IndexUnavailable, "not JSON"),
    (told(200, FAILED), IndexUnavailable, "2 shards"),
    (told(200, SLOW), IndexTimeout, "too long"),
]


@pytest.mark.parametrize(("answer", "error", "why"), ANSWERS)
def test_every_failure_is_one_of_ours(answer: Told, error: type[IndexFault], why: str) -> None:
    """It says what happened; a part of an answer is never a smaller total."""
    with fake(searching(answer)) as server, pytest.raises(error, match=why):
        at(server.url).count(All(), None)


def test_an_unreachable_server_is_named() -> None:
    """The address stands in the sentence."""
    with fake(well) as server:
        url = server.url
    with pytest.raises(IndexUnavailable, match=url):
        at(url).count(All(), None)


def test_what_passes_is_asked_again_and_the_rest_is_not() -> None:
    """A 503 is tried three times with growing pauses, a 400 once."""
    PAUSES.clear()
    for status, tries in ((503, 3), (429, 3), (400, 1), (403, 1)):
        with fake(searching(refusal(status, "x"))) as server:
            with pytest.raises(IndexFault):
                at(server.url).count(All(), None)
            assert len(server.of("_search")) == tries
    assert PAUSES == [0.5, 1.0, 0.5, 1.0]


def test_a_hiccup_is_not_seen() -> None:
    """One bad gateway between two answers is no error."""
    answers = [refusal(502, "bad_gateway"), told(200, EMPTY)]
    with fake(lambda a: answers.pop(0) if "_search" in a.path else well(a)) as server:
        assert at(server.url).count(All(), None).posts == 0
    assert answers == []


def test_a_second_host_takes_over() -> None:
    """Of two hosts one is down: questions are answered."""
    with fake(well) as gone:
        dead = gone.url
    with fake(well) as server:
        engine = at(f"{dead}, {server.url}")
        for _ in range(4):
            assert engine.count(All(), None).posts == 0


def test_an_index_of_another_version_is_not_read() -> None:
    """Neither read nor written; the sentence says how to rebuild."""
    other = {"keqing-mentions-v99-1-2026.11": {"aliases": {"keqing": {}}}}
    with fake(lambda asked: told(200, other)) as server:
        engine = at(server.url)
        with pytest.raises(IndexOutdated, match="keqing rebuild"):
            engine.count(All(), None)
        with pytest.raises(IndexOutdated):
            engine.upsert([], T0)


@pytest.mark.parametrize(
    ("behind", "why"),
    [
        (
            [f"{HEAD}-1-2026.11", f"{HEAD}-2-2026.11"],
            f"mixes v{VERSION}-1, v{VERSION}-2",
        ),
        (["somebody-elses"], "none of ours"),
    ],
)
def test_a_damaged_alias_is_told(behind: list[str], why: str) -> None:
    """Two editions would count every post twice; a foreign index would answer for us."""
    aliases = {index: {"aliases": {"keqing": {}}} for index in behind}

    def rule(asked: Asked) -> Told:
        return told(200, aliases) if "/_alias/" in asked.path else well(asked)

    with fake(rule) as server, pytest.raises(IndexUnavailable, match=why):
        at(server.url).count(All(), None)
