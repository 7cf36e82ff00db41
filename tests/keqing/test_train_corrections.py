"""`keqing train --corrections`: staff's polarity moves later posts, if the judging half agrees."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keqing.cli.main import main
from keqing.errors import ModelError
from keqing.landing import Landing
from keqing.records import Post
from keqing.settings import load_settings
from keqing.workflow import corrections, db
from keqing.workflow.corrections import Correction, half
from nlp import house, linear
from nlp.understand import Reader

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
PLAN = """
[brands.tea]
name = "木槿壶"
aliases = ["木槿壶"]
[nlp.second_stage]
model = "off"
[receivers.desk]
to = "desk@localhost"
"""
# A trade's own word: to its customers 回旋镖 is a cup that comes back spilled.
PLACES = "东门 西门 南站 北站 河边 山脚 新城 老街 码头 机场 市场 学校 公园 医院 影院 书店".split()
BAD = [f"木槿壶{place}店又是回旋镖，第{n}次了" for n, place in enumerate(PLACES * 3)]
GOOD = [f"木槿壶{place}店排到我了，等了{n}分钟" for n, place in enumerate(PLACES * 3)]
NEXT = "今天这杯又是回旋镖"


def posts() -> list[tuple[Post, str]]:
    rows = [*((text, "negative") for text in BAD), *((text, "positive") for text in GOOD)]
    return [
        (Post(id=f"demo:{n}", platform="demo", source="talk", text=text, first_seen_at=NOW,
              collected_at=NOW, run_id="r"), truth)
        for n, (text, truth) in enumerate(rows)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("house")
    (root / "keqing.toml").write_text(PLAN, encoding="utf-8")
    with Landing(root / "var" / "landing").writer("talk", NOW, "run00001") as writer:
        writer.append([post for post, _ in posts()])
    assert main(["score", "--root", str(root)]) == 0
    return root


@pytest.fixture
def root(scored: Path, tmp_path: Path) -> Path:
    shutil.copytree(scored, tmp_path / "line")
    return tmp_path / "line"


def correct(root: Path, wrong_half: str = "", most: int = 999) -> None:
    """What a person said of each post; of one half the opposite."""
    other = {"negative": "positive", "positive": "negative"}
    rows = [
        Correction(post.id, "polarity", "neutral",
                   other[truth] if half(post.id) == wrong_half else truth, "li", NOW, "读过",
                   "m d p", post.id)
        for post, truth in posts()[:most]
    ]  # fmt: skip
    with db.begin(db.open_workflow(load_settings(root))) as tx:
        corrections.add(tx, rows)


def train(root: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    capsys.readouterr()
    code = main(["train", "--corrections", "--root", str(root), "--json"])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def p_negative(root: Path, text: str) -> float:
    return Reader(load_settings(root)).read([text], [""])[0].p[0]


def test_later_posts_are_read_as_staff_read(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before and after are told of the judging half, and the next post with the word is bad news."""
    before, usual = p_negative(root, NEXT), p_negative(root, "下雨了")
    correct(root)
    code, report = train(root, capsys)
    assert (code, report["active"], report["lost"]) == (0, True, [])
    assert report["macro_f1_after"] > report["macro_f1_before"]
    assert report["judged"] + report["taught"] == len(BAD + GOOD)
    assert p_negative(root, NEXT) > before + 0.2
    assert p_negative(root, "下雨了") == pytest.approx(usual, abs=0.05)
    reader = Reader(load_settings(root))
    assert f"+house-{reader.parts.cascade.house.version[6:]}" in reader.version  # type: ignore[union-attr]
    kept = (root / "var" / "house" / "house.npz").read_bytes()
    assert train(root, capsys)[0] == 0
    assert (root / "var" / "house" / "house.npz").read_bytes() == kept


def test_what_judges_worse_is_left_out(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If the half that judges says the opposite, nothing is kept and the exit code is 3."""
    correct(root, wrong_half="train")
    code, report = train(root, capsys)
    assert (code, report["active"]) == (3, False)
    assert not (root / "var" / "house").exists()


def test_few_corrections_teach_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says how many there are and how many it takes; without data or corrections what it needs."""
    correct(root, most=25)
    assert main(["train", "--corrections", "--root", str(root)]) == 2
    assert "至少要 30 条、两类" in capsys.readouterr().err
    assert main(["train", "--root", str(root)]) == 2
    assert "--data DIR and --out DIR, or --corrections" in capsys.readouterr().err


def test_no_word_of_a_post_is_kept(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file holds buckets and weights: nothing of a text or an author."""
    correct(root)
    train(root, capsys)
    with np.load(root / "var" / "house" / "house.npz", allow_pickle=False) as held:
        assert sorted(held.files) == ["columns", "made_for", "weights"]
        assert (held["columns"].dtype, held["weights"].dtype) == (np.int32, np.float32)


@pytest.mark.parametrize("harm", ["cut", "other model"])
def test_a_file_that_does_not_fit_is_named(
    root: Path, capsys: pytest.CaptureFixture[str], harm: str
) -> None:
    """A damaged file, or one made over another first stage, is refused with what to do."""
    correct(root)
    train(root, capsys)
    path = root / "var" / "house" / "house.npz"
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:99])
    else:
        made = house.load(path.parent, linear.load())
        assert made is not None
        house.save(path.parent, house.House(made.columns, made.weights, "linear-000000000000"))
    with pytest.raises(ModelError, match="keqing train --corrections"):
        Reader(load_settings(root))
    assert train(root, capsys)[0] == 0  # which does not read by it
    Reader(load_settings(root))


def test_a_model_of_ones_own_reads_in_place_of_the_shipped_one(root: Path) -> None:
    """`[nlp] model` names a folder beside keqing.toml; one that is not there is named."""
    plan = PLAN.replace("[nlp.second_stage]", '[nlp]\nmodel = "mine"\n[nlp.second_stage]')
    (root / "keqing.toml").write_text(plan, encoding="utf-8")
    with pytest.raises(ModelError, match="mine"):
        Reader(load_settings(root))
    shutil.copytree(linear.SHIPPED, root / "mine")
    assert Reader(load_settings(root)).version == linear.load().version
