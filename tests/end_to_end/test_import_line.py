"""From a file to an answer, by the commands that README shows."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from index.ast import All, Tag
from index.sqlite import SqliteEngine
from keqing.cli import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    return tmp_path


def run(root: Path, *args: str) -> int:
    return main([*args, "--root", str(root)])


def dump(root: Path) -> list[dict[str, object]]:
    """All documents without the moments of this run."""
    page = SqliteEngine(root / "var" / "mentions-4.db").search(All(), None, size=1000)
    moments = {"first_seen_at", "collected_at", "published_at"}
    return [
        {name: value for name, value in vars(hit).items() if name not in moments}
        for hit in sorted(page.hits, key=lambda hit: hit.id)
    ]


def write(root: Path, rows: int = 40) -> Path:
    path = root / "posts.csv"
    lines = ["id,正文,作者"] + [
        f"{n},木槿壶第{n % 7}家店{'服务太差' if n % 2 else '很好喝'},a{n % 5}" for n in range(rows)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_file_is_searchable_after_three_commands(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """import, score, load, search: exit 0 each, and the search finds the posts about us."""
    path = write(root)
    for verb in (["import", str(path)], ["score"], ["load"], ["search", "品牌:mujinhu"]):
        assert run(root, *verb) == 0
    assert "帖文 40 · 不同事由" in capsys.readouterr().out
    assert run(root, "verify") == 0


@pytest.mark.parametrize("stage", ["import", "score", "load"])
@pytest.mark.parametrize("after_s", [0.3, 0.9, 1.6])
def test_a_killed_stage_repeats_to_the_same_state(root: Path, stage: str, after_s: float) -> None:
    """kill -9 at three moments of a stage and an immediate re-run give the state of a clean run."""
    path = write(root, 400)
    verbs = {"import": ["import", str(path)], "score": ["score"], "load": ["load"]}
    for name, verb in verbs.items():
        if name == stage:
            command = [sys.executable, "-m", "keqing", *verb, "--root", str(root)]
            victim = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(after_s)
            victim.kill()
            victim.wait()
        assert run(root, *verb) == 0
    clean = root / "clean"
    clean.mkdir()
    (clean / "keqing.toml").write_bytes((root / "keqing.toml").read_bytes())
    (clean / "var" / "secrets").mkdir(parents=True)
    key = "KEQING__PRIVACY__AUTHOR_KEY"
    (clean / "var" / "secrets" / key).write_bytes((root / "var" / "secrets" / key).read_bytes())
    for verb in verbs.values():
        assert run(clean, *verb) == 0
    assert len(dump(root)) == 400
    assert dump(root) == dump(clean)


def test_bare_lines_are_scored(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """score --in gives one flat row a line; a line that is none is named."""
    (root / "in.jsonl").write_text('{"id": "a", "text": "太差了，退款！"}\n', encoding="utf-8")
    assert run(root, "score", "--in", str(root / "in.jsonl")) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["id"], row["polarity"], row["intent"]) == ("a", "negative", "投诉")
    assert row["p_negative"] + row["p_neutral"] + row["p_positive"] == pytest.approx(1)
    (root / "in.jsonl").write_text('{"id": "a"}\n', encoding="utf-8")
    assert run(root, "score", "--in", str(root / "in.jsonl")) == 2
    assert "line 1" in capsys.readouterr().err


def test_ten_thousand_real_posts(root: Path, shared_data: Path) -> None:
    """Real posts without time go through import, score and load; they answer and never alarm."""
    rows: list[list[str]] = []
    for path in sorted((shared_data / "sentiment").glob("*_dev.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows += [
                [row["id"], row["text"]] for row in csv.DictReader(file) if row["text"].strip()
            ]
    rows = list({row[0]: row for row in rows}.values())[:10_000]
    with open(root / "real.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "text"], *rows])
    began = time.process_time()
    for verb in (["import", str(root / "real.csv")], ["score"], ["load"]):
        assert run(root, *verb) == 0
    print(f"{len(rows) / (time.process_time() - began):,.0f} posts per CPU-second, import to index")
    engine = SqliteEngine(root / "var" / "mentions-4.db")
    assert engine.count(All(), None).posts == len(rows)
    negative = engine.count(Tag("polarity", "negative"), None).posts
    assert 0.2 * len(rows) < negative < 0.8 * len(rows)


def test_bare_reposts_are_no_copies_of_each_other(root: Path) -> None:
    """转发微博 and 赞 by different people fold into nothing; a copied sentence folds into one story."""
    texts = ["转发微博", "转发微博", "赞", "赞", "木槿壶今天上新了三款", "木槿壶今天上新了三款"]
    path = root / "posts.csv"
    rows = [f"{n},{text},a{n}" for n, text in enumerate(texts)]
    path.write_text("\n".join(["id,正文,作者", *rows]), encoding="utf-8")
    for verb in (["import", str(path)], ["score"], ["load"]):
        assert run(root, *verb) == 0
    page = SqliteEngine(root / "var" / "mentions-4.db").count(All(), None)
    assert (page.posts, page.stories) == (6, 5)
