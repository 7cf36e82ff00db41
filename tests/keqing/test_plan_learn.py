"""`keqing plan learn`: staff's 关联 and 误报 teach which sense of a name is meant."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keqing.cli.main import main
from keqing.landing import Landing
from keqing.records import Post
from keqing.settings import load_settings
from keqing.workflow import corrections, db
from keqing.workflow.corrections import Correction, Half, half
from nlp import homonyms
from nlp.understand import Reader

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
SENSES = Path(__file__).resolve().parents[1] / "nlp" / "labels" / "senses.tsv"
PLAN = """
[brands.xiaomi]
name = "小米"
aliases = ["小米"]
exclude = ["小米粥"]
context = ["手机"]
need_context = true
[nlp.second_stage]
model = "off"
[receivers.desk]
to = "desk@localhost"
"""


def named(n: int, wanted: Half) -> str:
    """A post id of one half."""
    return next(i for k in range(99) if half(i := f"demo:{n}x{k}") == wanted)


def posts() -> list[tuple[Post, bool]]:
    lines = [line.split("\t") for line in SENSES.read_text("utf-8").splitlines()]
    rows = [
        (text, sense == "yes")
        for key, sense, text in (x for x in lines if len(x) == 3)
        if key == "xiaomi"
    ]
    return [
        (Post(id=named(n, "judge" if n % 3 == 2 else "train"), platform="demo", source="talk",
              text=text, first_seen_at=NOW, collected_at=NOW, run_id="r"), ours)
        for n, (text, ours) in enumerate(rows)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("learn")
    (root / "keqing.toml").write_text(PLAN, encoding="utf-8")
    with Landing(root / "var" / "landing").writer("talk", NOW, "run00001") as writer:
        writer.append([post for post, _ in posts()])
    assert main(["score", "--root", str(root)]) == 0
    return root


@pytest.fixture
def root(scored: Path, tmp_path: Path) -> Path:
    shutil.copytree(scored, tmp_path / "line")
    return tmp_path / "line"


def label(root: Path, flip: bool = False, most: int = 99) -> None:
    """What a person said of each post."""
    rows = [
        Correction(post.id, "brand:xiaomi", "no", "yes" if ours != flip else "no", "li", NOW,
                   "读过", "m d p", post.id)
        for post, ours in posts()[:most]
    ]  # fmt: skip
    with db.begin(db.open_workflow(load_settings(root))) as tx:
        corrections.add(tx, rows)


def learn(root: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    capsys.readouterr()
    code = main(["plan", "learn", "--brand", "xiaomi", "--root", str(root), "--json"])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_labels_teach_and_the_next_batch_reads_by_them(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Forty labels teach, twenty judge; `score` reads by it and its version says so."""
    label(root)
    before = Reader(load_settings(root))
    code, report = learn(root, capsys)
    assert (code, report["active"], report["judged"]) == (0, True, 20)
    assert (report["yes"], report["no"]) == (20, 20)
    assert report["before"] == {"right": 0, "wrong": 0, "missed": 10, "left": 10}
    assert report["after"]["right"] + report["after"]["left"] >= 19
    after = Reader(load_settings(root))
    text = "小米泡软了再打豆浆，小米真香"
    assert after.read([text], [""])[0].matches.rejected[0].clause.startswith("learned")
    assert before.read([text], [""])[0].matches.rejected[0].clause == "need_context"
    assert after.parts.dictionary != before.parts.dictionary
    assert "senses-" in after.parts.dictionary


def test_what_is_not_better_is_not_used(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Labels by chance: exit 3, nothing is written, what stood before stays."""
    label(root)
    assert learn(root, capsys)[0] == 0
    kept = (root / "var" / homonyms.FOLDER / homonyms.FILE).read_bytes()
    with db.begin(db.open_workflow(load_settings(root))) as tx:
        rows = [r for r in corrections.every(tx) if r.half == "train"]
        corrections.add(tx, [
            Correction(r.post, r.field, r.was, ("yes", "no")[n // 2 % 2], "wu", NOW, "?", "m", r.story)
            for n, r in enumerate(rows)
        ])  # fmt: skip
    code, report = learn(root, capsys)
    assert (code, report["active"]) == (3, False)
    assert (root / "var" / homonyms.FOLDER / homonyms.FILE).read_bytes() == kept


def test_too_few_labels_are_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The judging half never counts towards the thirty."""
    label(root, most=36)
    assert main(["plan", "learn", "--brand", "xiaomi", "--root", str(root)]) == 2
    assert "12 yes, 12 no; 30 are needed" in capsys.readouterr().err
    assert not (root / "var" / homonyms.FOLDER).exists()


def test_an_unknown_brand_is_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The error names those of the plan."""
    assert main(["plan", "learn", "--root", str(root)]) == 2
    assert "xiaomi" in capsys.readouterr().err
