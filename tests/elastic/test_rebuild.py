"""A rebuild: nobody sees it, a kill is gone on from, and nothing is lost on the way."""

from __future__ import annotations

import gzip
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from index.ast import All, Word
from index.elastic import KEPT, ElasticEngine
from index.elastic_mapping import VERSION
from index.elastic_state import Edition
from index.engine import embedded, open_index
from index.rebuild import rebuild
from index.run import load
from keqing.errors import IndexFault
from keqing.records import Mention
from keqing.settings import Settings, load_settings
from keqing.workflow import batches, db
from keqing.workflow.db import Engine, begin
from tests.contracts.index.made import T0, mention
from tests.elastic.servers import Node, clear, open_engine

pytestmark = pytest.mark.xdist_group("elasticsearch")
ROOT = Path(__file__).resolve().parents[2]
HOUR = timedelta(hours=1)


class World:
    """An installation on the server: batches are scored by hand."""

    def __init__(self, root: Path, node: Node) -> None:
        name = f"t{uuid.uuid4().hex[:12]}"
        plan = (ROOT / "keqing.toml").read_text("utf-8")
        index = f'[index]\nurl = "{node.url}"\nname = "{name}"\n'
        (root / "keqing.toml").write_text(f"{plan}\n{index}", "utf-8")
        self.settings: Settings = load_settings(root, env={})
        self.engine: Engine = db.open_workflow(self.settings)
        self.index = open_engine(node, name)
        self.batches = 0

    def score(self, mentions: list[Mention]) -> None:
        """One more batch in the log."""
        self.batches += 1
        path = self.settings.var / "mentions" / f"{self.batches}.jsonl.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(
            gzip.compress("".join(m.model_dump_json() + "\n" for m in mentions).encode())
        )
        with begin(self.engine) as tx:
            batches.record_scored(tx, f"b{self.batches}", [f"l{self.batches}"], path.name, T0)

    def load(self) -> None:
        load(self.settings, self.engine, T0)

    def rebuild(self, now: datetime = T0) -> tuple[int, int]:
        report = rebuild(self.settings, self.engine, now)
        return report.batches, report.before

    def edition(self) -> Edition:
        return self.index.state.current()

    def posts(self) -> int:
        return self.index.count(All(), None).posts


@pytest.fixture
def world(node: Node, tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, node)
    yield made
    clear(made.index)
    made.index.close()
    made.engine.dispose()


def test_a_rebuild_is_a_new_edition_with_the_same_answers(world: World) -> None:
    """Newest snapshots win again, whatever stood in the old edition; it stays for a week."""
    world.score([mention(n) for n in range(30)])
    world.score([mention(n, "新 词", collected=T0 + HOUR) for n in range(20, 40)])
    world.load()
    before = world.index.search(All(), None, size=100).hits
    assert world.rebuild() == (2, 0)
    assert world.edition() == Edition(VERSION, 2)
    assert world.index.search(All(), None, size=100).hits == before
    assert world.index.count(Word("新"), None).posts == 20
    assert world.index.tidy(T0 + KEPT, None) == 0
    assert world.index.state.editions() == [Edition(VERSION, 1), Edition(VERSION, 2)]
    world.index.tidy(T0 + KEPT + HOUR, None)
    assert world.index.state.editions() == [Edition(VERSION, 2)]
    assert world.index.search(All(), None, size=100).hits == before
    assert world.rebuild(T0 + HOUR) == (2, 0)
    assert world.edition() == Edition(VERSION, 3)


def test_a_killed_rebuild_goes_on(world: World) -> None:
    """What it had done is not done again, and until the swap the old edition answers."""
    for n in range(4):
        world.score([mention(10 * n + k) for k in range(10)])
    world.load()
    missing = world.settings.var / "mentions" / "3.jsonl.gz"
    missing.rename(missing.with_suffix(".away"))
    with pytest.raises(IndexFault, match=r"3\.jsonl\.gz"):
        world.rebuild()
    assert (world.edition(), world.posts()) == (Edition(VERSION, 1), 40)
    missing.with_suffix(".away").rename(missing)
    assert world.rebuild() == (2, 2)
    assert (world.edition(), world.posts()) == (Edition(VERSION, 2), 40)


def test_a_rebuild_that_lacks_posts_is_not_swapped(world: World) -> None:
    """The error names posts that only the old edition has; questions are answered as before."""
    world.score([mention(n) for n in range(5)])
    world.load()
    world.index.upsert([mention(77)], T0)
    world.index.refresh()
    with pytest.raises(IndexFault, match="weibo:77"):
        world.rebuild()
    assert (world.edition(), world.posts()) == (Edition(VERSION, 1), 6)


def test_lost_indices_come_back(world: World) -> None:
    """Somebody deleted the months: a rebuild from the files is the way back."""
    world.score([mention(n) for n in range(5)])
    world.load()
    found = world.index.server.ask(
        "GET", f"/{world.index.names.pattern(world.edition().name)}/_settings"
    )
    world.index.server.tell("DELETE", f"/{','.join(found)}")
    world.rebuild()
    assert (world.edition(), world.posts()) == (Edition(VERSION, 2), 5)


def test_nobody_sees_the_swap(world: World, node: Node) -> None:
    """A reader in a loop and loads beside two rebuilds: no error, no count lower than before."""
    world.score([mention(n) for n in range(200)])
    world.load()
    done = Event()

    def watch() -> list[int]:
        reader, seen = open_engine(node, world.index.names.alias), []
        while not done.is_set():
            seen.append(reader.count(All(), None).posts)
        reader.close()
        return seen

    def feed() -> int:
        n = 1000
        while not done.is_set():
            world.score([mention(n + k) for k in range(5)])
            world.load()
            n += 5
            done.wait(0.2)
        return n - 1000

    with ThreadPoolExecutor(2) as pool:
        watching, feeding = pool.submit(watch), pool.submit(feed)
        try:
            for n in range(2):
                world.rebuild(T0 + n * HOUR)
        finally:
            done.set()
        counts, fed = watching.result(), feeding.result()
    assert world.edition() == Edition(VERSION, 3)
    assert len(counts) > 10
    assert fed > 0
    world.load()
    assert world.posts() == 200 + fed
    assert min(counts) == 200
    assert sorted(counts) == counts


def test_a_new_month_after_the_swap_is_read(world: World) -> None:
    """The new edition's template carries the alias, the old one's no longer does."""
    world.score([mention(1)])
    world.load()
    world.rebuild()
    world.score([mention(2, at=T0 - timedelta(days=100))])
    world.load()
    assert world.posts() == 2
    old = f"{world.index.names.template(f'v{VERSION}-1')}-2020.01"
    world.index.server.create(old)
    assert old not in world.index.state.indices()


def test_the_embedded_index_is_rebuilt_in_place(tmp_path: Path, node: Node) -> None:
    """A file that is gone, or of an older version, is filled again from all batches."""
    world = World(tmp_path, node)
    plan = (ROOT / "keqing.toml").read_bytes()
    (tmp_path / "keqing.toml").write_bytes(plan)
    world.settings = load_settings(tmp_path, env={})
    world.score([mention(n) for n in range(7)])
    world.load()
    for path in embedded(world.settings).parent.glob("mentions-*.db*"):
        path.unlink()
    assert world.rebuild() == (1, 0)
    assert open_index(world.settings).count(All(), None).posts == 7
    assert not isinstance(open_index(world.settings), ElasticEngine)
