"""The reduced copy: it follows the index through loads, moves, erasure, retention and rebuilds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from index.ast import All
from index.elastic import ElasticEngine
from index.elastic_document import document_id
from index.elastic_public import Public, Published
from index.elastic_public_document import PROPERTIES
from keqing.cli import main
from keqing.errors import IndexForbidden
from keqing.records import Mention
from tests.contracts.index.made import T0, mention
from tests.elastic.servers import EVERY, Node, fresh

pytestmark = pytest.mark.xdist_group("elasticsearch")
ROOT = Path(__file__).resolve().parents[2]
MONTH = timedelta(days=31)
NAME = "唯一的作者名"
# A deletion of another version would keep its post away for index.gc_deletes, a minute.
SAME = {"version": int(T0.timestamp() * 1000) + 60_000, "version_type": "external_gte"}


@pytest.fixture
def engine(node: Node) -> Iterator[ElasticEngine]:
    with fresh(node) as made:
        yield made
        remove(made)


def remove(engine: ElasticEngine) -> None:
    """What the engine's own clearing does not know of."""
    name, server = f"{engine.names.alias}-public", engine.server
    if found := server.ask("GET", f"/{name}-*/_settings", params=EVERY):
        server.tell("DELETE", f"/{','.join(found)}")
    server.tell("DELETE", f"/_index_template/{name}", accept=[404])


def load(engine: ElasticEngine, *mentions: Mention) -> None:
    engine.upsert(mentions, T0)
    engine.refresh()


def named(n: int, **more: Any) -> Mention:
    """A post of an organisation that is called by its name."""
    made = mention(n, author=f"k1:author{n}", url=f"https://weibo.example/u/author{n}", **more)
    author = made.post.author.model_copy(update={"name": NAME, "followers": 4711, "verified": True})
    return made.model_copy(update={"post": made.post.model_copy(update={"author": author})})


def copies(engine: ElasticEngine) -> dict[str, tuple[str, dict[str, Any]]]:
    """Reduced posts by `_id`: month and object."""
    alias = f"{engine.names.alias}-public"
    engine.server.tell("POST", f"/{alias}/_refresh")
    hits = engine.server.search(alias, {"size": 1000})["hits"]["hits"]
    assert len({hit["_id"] for hit in hits}) == len(hits)
    return {hit["_id"]: (hit["_index"].rpartition("-")[2], hit["_source"]) for hit in hits}


def test_nothing_of_an_author_is_copied(engine: ElasticEngine) -> None:
    """Neither id nor name, followers, address, text nor post id; facets, times and the delay are."""
    post = named(1, title="标题", severe=(0.9,), likes=3, seen=T0 + timedelta(minutes=9))
    load(engine, post)
    assert Public(engine.server).publish() == Published(1)
    [(month, got)] = copies(engine).values()
    said = json.dumps(got, ensure_ascii=False)
    for secret in (NAME, "author1", "4711", "weibo.example", "weibo:1", "标题", post.post.text[:2]):
        assert secret not in said
    assert month == f"{T0:%Y.%m}"
    assert got.keys() <= PROPERTIES.keys()
    assert (got["brand"], got["polarity"], got["likes"]) == (["tea"], ["negative"], 3)
    assert "delay_s" not in got  # the time of the post is not known to the minute


def test_the_copy_follows_the_index(engine: ElasticEngine) -> None:
    """New, changed, moved and erased posts; a second call has nothing to do."""
    load(engine, *(named(n) for n in range(30)))
    public = Public(engine.server)
    assert public.publish().written == 30
    assert public.publish() == Published()
    later = T0 + timedelta(hours=1)
    moved = named(1, at=T0 - MONTH, collected=later)
    load(engine, named(0, likes=9, collected=later), moved, named(77))
    assert public.publish() == Published(3)
    got = copies(engine)
    assert len(got) == 31
    assert got[document_id("weibo:0")][1]["likes"] == 9
    assert got[document_id("weibo:1")][0] == f"{T0 - MONTH:%Y.%m}"
    engine.erase_ids(["weibo:2", "weibo:3"])
    assert public.publish() == Published(0, 2)
    assert document_id("weibo:2") not in copies(engine)


def test_a_copy_in_steps_ends_in_the_same(engine: ElasticEngine) -> None:
    """A bounded call says that some wait; the newest month comes first; months gone by go too."""
    load(engine, *(named(n) for n in range(5)), *(named(n, at=T0 - 3 * MONTH) for n in range(5, 9)))
    steps = [Public(engine.server).publish(1) for _ in range(4)]
    assert [step.waiting for step in steps] == [True, False, False, False]
    assert [step.written for step in steps] == [5, 4, 0, 0]
    engine.tidy(T0, 1)
    assert Public(engine.server).publish() == Published(0, 4)
    assert len(copies(engine)) == 5


def test_load_and_erase_keep_the_copy(
    node: Node, engine: ElasticEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With [index] public a load fills it and an erasure empties it; a copy that fails delays nobody."""
    plan, name = (ROOT / "keqing.toml").read_text("utf-8"), engine.names.alias
    index = f'[index]\nurl = "{node.url}"\nname = "{name}"\npublic = true\n'
    (tmp_path / "keqing.toml").write_text(f"{plan}\n{index}", "utf-8")
    rows = "".join(f"{n},木槿壶第{n}家店服务太差,a{n % 3}\n" for n in range(6))
    (tmp_path / "a.csv").write_text(f"id,正文,作者\n{rows}", "utf-8")
    root = ["--root", str(tmp_path)]
    for verb in (["import", str(tmp_path / "a.csv")], ["score"], ["load"]):
        assert main([*verb, *root]) == 0
    assert len(copies(engine)) == 6
    engine.server.tell("POST", f"/{name}/_refresh")
    [author, *_] = {hit.author for hit in engine.search(All(), None).hits}
    assert main(["erase", "--author", str(author), *root]) == 0
    assert len(copies(engine)) == 4

    def broken(*_: object) -> None:
        raise IndexForbidden("a right is missing")

    monkeypatch.setattr("index.run.publish", broken)
    (tmp_path / "b.csv").write_text("id,正文,作者\n99,木槿壶很好喝,b\n", "utf-8")
    for verb in (["import", str(tmp_path / "b.csv")], ["score"], ["load"]):
        assert main([*verb, *root]) == 0
    assert engine.count(All(), None).posts == 5


def test_what_somebody_took_from_the_copy_comes_back(engine: ElasticEngine) -> None:
    """A deleted month and a deleted post are written again; so is all after a rebuild's swap."""
    load(engine, *(named(n) for n in range(4)))
    public = Public(engine.server)
    public.publish()
    before = copies(engine)
    month = f"{engine.names.alias}-public-{T0:%Y.%m}"
    engine.server.tell("DELETE", f"/{month}/_doc/{document_id('weibo:1')}", params=SAME)
    assert public.publish().written == 4
    assert copies(engine) == before
    engine.server.tell("DELETE", f"/{month}")
    assert public.publish().written == 4
    assert copies(engine) == before
    again = engine.building(T0)
    again.add("b", [named(n) for n in range(4)], T0)
    again.swap(T0)
    assert public.publish().written == 4
    assert copies(engine) == before
