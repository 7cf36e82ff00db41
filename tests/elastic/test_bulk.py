"""Bulk calls that give way, against a scripted server."""

from __future__ import annotations

import pytest

from index.elastic_bulk import FEWEST, MOST, Action, Bulk
from index.elastic_client import Patience, Server
from keqing.errors import IndexBusy, IndexForbidden, IndexUnavailable
from keqing.settings import IndexSettings
from tests.elastic.fake import Asked, Rule, Told, fake, refusal, told

PATIENT = Patience(4, 1.0, 8.0, sleep=lambda _: None)
OK = {"status": 201, "result": "created"}


def actions(n: int, size: int = 10) -> list[Action]:
    return [Action("i", f"{k}", 7, b'{"x":"%s"}' % (b"y" * size)) for k in range(n)]


def bulk(url: str, **more: object) -> Bulk:
    settings = IndexSettings.model_validate({"url": url, **more})
    return Bulk(Server(settings, {}, PATIENT, PATIENT))


def ids(asked: Asked) -> list[str]:
    heads = [line.get("index") or line.get("delete") for line in asked.lines]
    return [head["_id"] for head in heads if head]


def items(asked: Asked, special: dict[str, dict[str, object]] | None = None) -> Told:
    """Everything is created but the documents named."""
    named = special or {}
    return told(
        200, {"items": [{"index": {"_index": "i", **named.get(i, OK)}} for i in ids(asked)]}
    )


def failing(kind: str, status: int) -> dict[str, object]:
    return {"status": status, "error": {"type": kind, "reason": f"[{kind}] was said"}}


def test_a_chunk_is_at_most_500_documents_and_10_megabytes() -> None:
    """1,200 small documents are three calls; large ones are split by their bytes."""
    with fake(items) as server:
        assert len(bulk(server.url).send(actions(1200))) == 1200
        assert [len(ids(a)) for a in server.asked] == [500, 500, 200]
    with fake(items) as server:
        bulk(server.url).send(actions(12, 3 * 1024 * 1024))
        assert [len(ids(a)) for a in server.asked] == [3, 3, 3, 3]


def test_every_line_carries_its_version() -> None:
    """The same snapshot may come again, an older one is refused by the server itself."""
    with fake(items) as server:
        bulk(server.url).send([*actions(1), Action("j", "gone", 8, None)])
        first, _, last = server.asked[0].lines
    version = {"version": 7, "version_type": "external_gte"}
    assert first == {"index": {"_index": "i", "_id": "0", **version}}
    assert last["delete"] == {"_index": "j", "_id": "gone", **version, "version": 8}


def test_a_busy_server_gets_smaller_chunks() -> None:
    """429 for more than 100 documents halves the chunk until it fits; then it grows again."""

    def small_only(asked: Asked) -> Told:
        full = refusal(429, "es_rejected_execution_exception")
        return full if len(ids(asked)) > 125 else items(asked)

    with fake(small_only) as server:
        sender = bulk(server.url)
        assert {o.fate for o in sender.send(actions(600))} == {"created"}
        sizes = [len(ids(a)) for a in server.asked]
    assert sizes[:4] == [MOST, MOST // 2, MOST // 4, 175]
    assert min(sizes[:-1]) >= FEWEST
    assert sender.retried > 0


def test_only_the_refused_part_is_sent_again() -> None:
    """Of a half accepted call the accepted half is not repeated."""
    full = failing("es_rejected_execution_exception", 429)
    first = [{"1": full, "3": full}]

    def once(asked: Asked) -> Told:
        return items(asked, first.pop() if first else {})

    with fake(once) as server:
        outcomes = bulk(server.url).send(actions(5))
        assert [ids(a) for a in server.asked] == [["0", "1", "2", "3", "4"], ["1", "3"]]
    assert [o.fate for o in outcomes] == ["created"] * 5


def test_each_fate_is_told() -> None:
    """Stale and refused are answers about one document; its neighbours go in."""
    bad = {
        "1": failing("version_conflict_engine_exception", 409),
        "2": failing("document_parsing_exception", 400),
    }
    with fake(lambda asked: items(asked, bad)) as server:
        outcomes = bulk(server.url).send(actions(4))
        assert len(server.asked) == 1
    assert [o.fate for o in outcomes] == ["created", "stale", "refused", "created"]
    assert "document_parsing_exception" in outcomes[2].why


@pytest.mark.parametrize(
    ("kind", "status", "error", "tries"),
    [
        ("es_rejected_execution_exception", 429, IndexBusy, PATIENT.tries),
        ("cluster_block_exception", 429, IndexBusy, PATIENT.tries),
        ("unavailable_shards_exception", 503, IndexUnavailable, PATIENT.tries),
        ("index_not_found_exception", 404, IndexUnavailable, PATIENT.tries),
        ("security_exception", 403, IndexForbidden, 1),
    ],
)
def test_what_the_server_never_takes_is_an_error(
    kind: str, status: int, error: type[Exception], tries: int
) -> None:
    """It is no rejected document: the batch must not count as loaded."""
    bad = {"2": failing(kind, status)}
    with fake(lambda asked: items(asked, bad)) as server:
        with pytest.raises(error, match=kind):
            bulk(server.url).send(actions(3))
        alone = [ids(a) for a in server.asked][1:]
    assert alone == [["2"]] * (len(alone))
    assert len(alone) in (tries, tries - 1)


def test_a_call_that_is_too_large_is_halved_down_to_the_culprit() -> None:
    """413 for a call with one document too large: all others go in, it is named."""

    def limited(asked: Asked) -> Told:
        return refusal(413, "too_large", "body too large") if "6" in ids(asked) else items(asked)

    with fake(limited) as server:
        outcomes = bulk(server.url).send(actions(9))
    assert [o.fate for o in outcomes] == [*["created"] * 6, "refused", *["created"] * 2]


def test_an_answer_about_fewer_documents_is_an_error() -> None:
    """What was not answered was not stored."""
    with fake(lambda asked: told(200, {"items": []})) as server:
        with pytest.raises(IndexUnavailable, match="0 answers to 3"):
            bulk(server.url).send(actions(3))


def test_a_run_ends_at_its_deadline() -> None:
    """A server that refuses for ten minutes ends the run, though tries were left."""
    moments = iter([0.0, 700.0])
    with fake(lambda asked: refusal(429, "x")) as server:
        sender = bulk(server.url)
        sender._clock = lambda: next(moments)
        with pytest.raises(IndexBusy):
            sender.send(actions(1))
        assert len(server.asked) == 1


def test_opensearch_gets_plain_lines() -> None:
    """A bulk body goes out as application/x-ndjson."""

    def plain(asked: Asked) -> Told:
        return Told(200, items(asked).body, {"Content-Type": "application/json"})

    rule: Rule = plain
    with fake(rule) as server:
        bulk(server.url, flavour="opensearch").send(actions(2))
        kinds = [{k.lower(): v for k, v in a.headers.items()} for a in server.asked]
    assert [kind["content-type"] for kind in kinds] == ["application/x-ndjson"]
