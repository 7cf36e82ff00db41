"""A secured node: TLS, wrong password, missing right, unknown authority; and a restart in mid-load."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from index.answers import Window
from index.ast import All
from index.elastic import ElasticEngine
from index.elastic_client import Patience, Server
from index.elastic_document import document_id
from index.elastic_public import Public
from keqing.errors import IndexForbidden, IndexUnavailable
from keqing.settings import IndexSettings
from tests.conftest import lacking
from tests.contracts.index.made import T0, mention
from tests.elastic import secure
from tests.elastic.artifact import Missing
from tests.elastic.servers import QUICK, Node, started

pytestmark = pytest.mark.xdist_group("elasticsearch")
LONG = Patience(240, 0.5, 2.0)  # a restart on a busy machine
PASSWORD = "KEQING__INDEX__PASSWORD"


@pytest.fixture(scope="module")
def secured() -> Iterator[Node]:
    """One node for this module."""
    try:
        with started(secure.SETTINGS, secure.files(), "https") as node:
            yield node
    except Missing as error:
        lacking(f"tests of a secured Elasticsearch need {error}")


def engine(
    node: Node, user: str, secret: str = "", patience: Patience = QUICK, **more: object
) -> ElasticEngine:
    if node.home is None:
        raise AssertionError("the node is one of ours")
    given: dict[str, object] = {
        "url": node.url,
        "name": "keqing-sec",
        "user": f"keqing_{user}",
        "ca": node.home / "conf" / "ca.crt",
    }
    settings = IndexSettings.model_validate({**given, **more})
    env: Mapping[str, str] = {PASSWORD: secret or secure.PASSWORDS[f"keqing_{user}"]}
    return ElasticEngine(Server(settings, env, patience, patience))


def test_rights_are_kept_apart(secured: Node) -> None:
    """A writer installs and loads; a reader reads and may not write; both see health."""
    writer, reader = engine(secured, "writer"), engine(secured, "reader")
    assert writer.upsert([mention(1)], T0).created == 1
    writer.refresh()
    assert reader.count(All(), None).posts == 1
    assert reader.search(All(), None).hits == writer.search(All(), None).hits
    assert reader.health()["ok"]
    with pytest.raises(IndexForbidden, match="right is missing"):
        reader.upsert([mention(2)], T0)
    with pytest.raises(IndexForbidden, match="right is missing"):
        engine(secured, "writer", name="other").upsert([mention(2)], T0)
    assert reader.count(All(), None).posts == 1
    day = Window(T0, T0 + timedelta(days=1))
    for sees in (reader, writer):  # both may look at how an index is laid out
        assert len(sees.search(All(), day, sort="similar", fold=True).hits) == 1
        assert len(list(sees.export(All(), day, day.end))) == 1
    assert writer.upsert([mention(2)], T0).created == 1
    assert writer.erase_ids(["weibo:2"]) == 1  # and wait for the merge that it asks for
    assert writer.tidy(T0, None) == 0
    writer.refresh()
    assert reader.count(All(), None).posts == 1


AUTHOR = "k1:hidden"
ASKS: dict[str, dict[str, object]] = {
    "a search by author": {"query": {"term": {"author": AUTHOR}}},
    "a search by voice": {"query": {"prefix": {"facts.voices": AUTHOR}}},
    "a search for the name": {"query": {"query_string": {"query": "*Secret*"}}},
    "any field that is like an author": {"query": {"query_string": {
        "query": "*hidden*", "fields": ["*author*", "*voices*", "*"], "lenient": True}}},
}  # fmt: skip


def test_the_restricted_right_reads_no_author(secured: Node) -> None:
    """By search, source, stored value, aggregation, sort, suggestion and mapping: nothing comes."""
    writer, public = (engine(secured, user, name="keqing") for user in ("writer", "public"))
    post = mention(8, author=AUTHOR, text="客服 差")
    known = post.post.author.model_copy(update={"name": "Secret Shop", "followers": 99})
    post = post.model_copy(update={"post": post.post.model_copy(update={"author": known})})
    writer.upsert([post], T0)
    writer.refresh()
    Public(writer.server).publish()
    ask, alias = public.server.ask, "keqing-public"
    writer.server.tell("POST", f"/{alias}/_refresh")
    everything: dict[str, object] = {
        "docvalue_fields": ["*author*", "facts*", "shown*", "brand"], "fields": ["*"], "stored_fields": ["*"], "_source": True,
        "aggs": {name: {"terms": {"field": name}} for name in ("author", "facts.voices", "brand")},
    }  # fmt: skip
    answer = ask("POST", f"/{alias}/_search", everything)
    assert answer["hits"]["total"]["value"] == 1
    found = answer["aggregations"]
    assert [len(found[n]["buckets"]) for n in ("author", "facts.voices", "brand")] == [0, 0, 1]
    mapping, caps = ask("GET", f"/{alias}/_mapping"), ask("GET", f"/{alias}/_field_caps?fields=*")
    for said in (answer["hits"], mapping, caps["fields"]):
        text = json.dumps(said, ensure_ascii=False)
        assert not [
            word for word in ("author", "voices", "hidden", "Secret", "客服") if word in text
        ]
    for what, body in ASKS.items():
        assert ask("POST", f"/{alias}/_search", body)["hits"]["total"]["value"] == 0, what
    month = writer.state.indices()[-1]
    for path in (f"/{month}/_search", "/keqing/_search", f"/{month}/_mapping",
                 f"/{month}/_doc/{document_id('weibo:8')}", "/keqing-state/_search",
                 "/_cluster/state/metadata", "/keqing/_field_caps?fields=*"):  # fmt: skip
        with pytest.raises(IndexForbidden, match="right is missing"):
            ask("GET", path)
    # A pattern is answered with what the right covers, and the rest as if it were not there.
    assert ask("GET", "/keqing*/_search")["hits"]["total"]["value"] == 1
    with pytest.raises(IndexForbidden, match="right is missing"):
        public.server.tell("PUT", f"/{alias}/_doc/x", {})
    assert ask("GET", "/_cluster/health")["status"] in ("green", "yellow")


def test_the_writers_right_takes_snapshots_and_an_operator_restores(
    secured: Node, tmp_path: Path
) -> None:
    """As docs/deploy.md says: repository by the operator, each night by keqing, all answers back."""
    if secured.home is None:
        raise AssertionError("the node is one of ours")
    user, password = secure.OPERATOR
    facts = {"url": secured.url, "user": user, "ca": secured.home / "conf" / "ca.crt"}
    operator = Server(IndexSettings.model_validate(facts), {PASSWORD: password}, QUICK, QUICK)
    place = {"type": "fs", "settings": {"location": str(secured.home / "repo" / "nightly")}}
    operator.tell("PUT", "/_snapshot/nightly", place)
    kept = {"name": "keqing-kept", "snapshots": "nightly"}
    writer, reader = engine(secured, "writer", **kept), engine(secured, "reader", **kept)
    writer.upsert([mention(n) for n in range(20)], T0)
    writer.refresh()
    before = writer.search(All(), None).hits
    folder = tmp_path / "20261126"
    folder.mkdir()
    for _ in range(2):
        taken = json.loads(writer.snapshot(folder).read_text("utf-8"))["snapshot"]
    with pytest.raises(IndexForbidden, match="right is missing"):
        reader.snapshot(folder)
    with pytest.raises(IndexForbidden, match="right is missing"):
        writer.server.tell("POST", f"/_snapshot/nightly/{taken}/_restore", {})
    lost = operator.ask("GET", "/keqing-kept-*/_settings", params={"expand_wildcards": "all"})
    operator.tell("DELETE", f"/{','.join(lost)}")
    restored = operator.tell("POST", f"/_snapshot/nightly/{taken}/_restore", {},
                             params={"wait_for_completion": "true"})  # fmt: skip
    assert restored["snapshot"]["shards"]["failed"] == 0
    again = engine(secured, "writer", **kept)
    assert again.search(All(), None).hits == before
    assert again.upsert([mention(3), mention(77)], T0).created == 1


def test_a_wrong_password_is_told(secured: Node) -> None:
    """It is neither an empty index nor a server that is down, and the password is in no message."""
    with pytest.raises(IndexForbidden, match="credentials") as caught:
        engine(secured, "writer", "wrong-secret").count(All(), None)
    assert "wrong-secret" not in str(caught.value)
    nobody = IndexSettings.model_validate(
        {"url": secured.url, "ca": engine(secured, "writer").server.settings.ca}
    )
    with pytest.raises(IndexForbidden, match="credentials"):
        ElasticEngine(Server(nobody, {}, QUICK, QUICK)).count(All(), None)


def test_an_unknown_authority_is_told(secured: Node, tmp_path: Path) -> None:
    """The certificate is not trusted: the sentence names [index] ca."""
    (tmp_path / "ca.crt").write_bytes(secure.stranger())
    for ca in (tmp_path / "ca.crt", None):
        with pytest.raises(IndexForbidden, match=r"\[index\] ca"):
            engine(secured, "writer", ca=ca).count(All(), None)


def test_plain_http_to_a_tls_port_is_told(secured: Node) -> None:
    """A wrong scheme is a connection that fails, with the address."""
    plain = secured.url.replace("https", "http")
    with pytest.raises(IndexUnavailable, match=plain):
        engine(secured, "writer", url=plain, ca=None).count(All(), None)


def test_a_restart_in_mid_load_loses_nothing(secured: Node) -> None:
    """kill -9 of the node while posts come, and a start: the load goes on by itself and is whole."""
    writer = engine(secured, "writer", patience=LONG, name="keqing-restart")
    half, back = threading.Event(), threading.Event()

    def restart() -> None:
        half.wait(60)
        secured.stop(9)
        secured.start()
        back.set()

    ops = threading.Thread(target=restart)
    ops.start()
    acknowledged = 0
    n = 0
    while not back.is_set() or n < 40:
        batch = [mention(n * 100 + k) for k in range(100)]
        acknowledged += writer.upsert(batch, T0).created
        n += 1
        if n == 4:
            half.set()
    ops.join()
    writer.refresh()
    assert acknowledged == n * 100
    assert writer.count(All(), None).posts == n * 100
    assert writer.health()["ok"]
