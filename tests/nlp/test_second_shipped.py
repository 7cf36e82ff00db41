"""The second stage that ships: what it promises on any machine, without data."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keqing.cli import main
from keqing.errors import ModelError
from keqing.settings import load_settings
from nlp import linear
from nlp.cascade import Cascade
from nlp.evaluate import evaluate, gains
from nlp.rows import read_sets
from nlp.second.model import SHIPPED, Stacked
from nlp.second.stacking import stack_on
from nlp.second.tasks import BINARY
from nlp.second.windows import windows
from nlp.understand import Reader

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "sentiment"
TEXTS = [
    "說好今天送到，結果又拖了三天",
    "客服一问三不知，心累",
    "还行吧，没什么特别的",
    "",
    "😡" * 40,
]


@pytest.fixture(scope="module")
def model() -> Stacked:
    return Stacked()


def test_its_card_promises_more_than_the_first_stage_gives() -> None:
    """At least 3 points on the three-class sets and 1 on the two-class sets, and none worse."""
    dev = tomllib.loads((SHIPPED / "card.toml").read_text(encoding="utf-8"))["dev"]
    gain = {name: one["both"] - one["first"] for name, one in dev.items()}
    assert np.mean([g for name, g in gain.items() if name.startswith("tri")]) >= 0.03
    assert np.mean([g for name, g in gain.items() if name.startswith("bin")]) >= 0.01
    assert min(gain.values()) > 0


def test_alone_is_in_a_batch(model: Stacked) -> None:
    """Bit-equal alone, together and shuffled."""
    together = model.encoder.logits(TEXTS)
    assert (np.concatenate([model.encoder.logits([text]) for text in TEXTS]) == together).all()
    assert (model.encoder.logits(TEXTS[::-1])[::-1] == together).all()


@given(st.integers(2, 2000), st.integers(3, 300))
def test_windows_cover_a_text_and_no_more(length: int, most: int) -> None:
    """Every token is read, no window is too long, one fewer would not do, marks stand on each."""
    ids = list(range(length))
    parts = windows(ids, most)
    assert {token for part in parts for token in part} == set(ids)
    assert all(len(part) <= most and (part[0], part[-1]) == (0, length - 1) for part in parts)
    assert len(parts) == 1 or (len(parts) - 1) * (most - 2) < length - 2


def test_what_stands_at_the_end_of_a_long_post_is_read(model: Stacked) -> None:
    """Four hundred plain words before a complaint do not hide it."""
    before = "今天的会议从九点开到十一点，各部门依次汇报。" * 20
    calm, angry = model.encoder.logits(
        [before, before + "垃圾公司，骗钱，客服态度恶劣，再也不买了！" * 3]
    )
    assert angry[BINARY[1]] > calm[BINARY[1]] + 1


def test_both_scripts_are_one(model: Stacked) -> None:
    """A text in traditional characters is read as its simplified twin."""
    twin = ["说好今天送到，结果又拖了三天"]
    assert (model.encoder.logits(TEXTS[:1]) == model.encoder.logits(twin)).all()


@pytest.mark.parametrize(
    ("text", "polarity"),
    [
        ("等了一个小时，端上来还是凉的", "negative"),
        ("不是不好吃，是根本没法吃", "negative"),
        ("本以为会踩雷，没想到惊喜连连", "positive"),
        ("终于等到了，值得！", "positive"),
    ],
)
def test_plain_feelings_are_read(model: Stacked, text: str, polarity: str) -> None:
    """Sentences whose words alone mislead are read as a person reads them."""
    scores, stages = Cascade(linear.load(), model, 1.01).score([text])
    assert (str(scores.polarity[0]), stages) == (polarity, ["second"])
    assert scores.p[0].sum() == pytest.approx(1.0)


def test_a_grave_sign_is_looked_at_closely() -> None:
    """Danger named or praise in doubt beside a brand of ours goes there; a rival's does not."""

    reader = Reader(load_settings(ROOT, env={"KEQING__NLP__SECOND_STAGE__MARGIN": "0"}))

    def stage(text: str) -> str:
        return reader.read([text], [""])[0].stage

    assert stage("木槿壶很好喝，喜欢爱了，开心") == "linear"
    assert stage("木槿壶喜欢爱了，漏电") == "second"
    assert stage("喜欢爱了，漏电") == "linear"


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    """Weights that are not the card's, a missing card and a card without a stack are named."""
    folder = tmp_path / "second"
    shutil.copytree(SHIPPED, folder)
    with open(folder / "model.onnx", "ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError, match="not the card's"):
        Stacked(folder)
    shutil.copy(SHIPPED / "model.onnx", folder)
    card = (folder / "card.toml").read_text(encoding="utf-8")
    (folder / "card.toml").write_text(card.replace("[stack]", "[other]"), encoding="utf-8")
    with pytest.raises(ModelError, match="no stack"):
        Stacked(folder)
    (folder / "card.toml").unlink()
    with pytest.raises(ModelError, match="no readable card"):
        Stacked(folder)


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/sentiment is absent")
def test_the_pair_beats_the_first_stage_on_real_posts(model: Stacked, tmp_path: Path) -> None:
    """On a sample of real posts that nobody trained on, both stages together read better."""
    rows = [one for one in read_sets([DATA], "dev", ("tri",)) if "covid" not in one.name]
    for one in rows:
        body = [
            "text,label",
            *(f'"{_quoted(t)}",{label}' for t, label in zip(one.texts, one.labels, strict=True)),
        ]
        (tmp_path / f"{one.name}_dev.csv").write_text("\n".join(body[:301]), encoding="utf-8")
    found = list(evaluate(Cascade(linear.load(), model, 0.7), [tmp_path]))
    assert [len(row.truth) for row in found] == [300, 300, 300]
    assert gains(found)[0].low > 0


def _quoted(text: str) -> str:
    return text.replace('"', '""').replace("\n", " ")


def test_after_a_new_first_stage_only_the_stack_is_made_again(tmp_path: Path) -> None:
    """`train --stage second --step stack`: other weights of the stack, the same encoder, a whole card."""
    out, data = tmp_path / "second", tmp_path / "data"
    shutil.copytree(SHIPPED, out)
    data.mkdir()
    rows = [("服务太差，再也不来", "neg"), ("今天开会到五点", "neu"), ("真好喝，还要再买", "pos")]
    for name, said in (("tri_own", rows), ("bin_own", rows[::2])):
        for split in ("train", "dev"):
            lines = "".join(f"{text}{n},{label}\n" for n in range(8) for text, label in said)
            (data / f"{name}_{split}.csv").write_text(f"text,label\n{lines}", encoding="utf-8")
    wants = [("必须退款，我要投诉你们", "complaint"), ("这关怎么过", "other")]
    for split in ("train", "dev"):
        lines = "".join(f"{text}{n},{label}\n" for n in range(8) for text, label in wants)
        (data / f"intent_own_{split}.csv").write_text(f"text,label\n{lines}", encoding="utf-8")
    asked = [
        "train",
        "--stage",
        "second",
        "--step",
        "stack",
        "--data",
        str(data),
        "--out",
        str(out),
    ]
    assert main(asked) == 0
    card = tomllib.loads((out / "card.toml").read_text(encoding="utf-8"))
    shipped = tomllib.loads((SHIPPED / "card.toml").read_text(encoding="utf-8"))
    assert card["weights"]["first"] == linear.load().version
    assert card["weights"]["sha256"] == shipped["weights"]["sha256"]
    assert card["stack"] != shipped["stack"]
    assert card["rows"] == {"bin_own": 16, "intent_own": 16, "tri_own": 24}
    assert Stacked(out).again(["真好喝"], linear.load().score(["真好喝"])).polarity == ["positive"]
    (out / "model.onnx").unlink()
    with pytest.raises(ModelError, match=r"model\.onnx"):
        stack_on([data], out)


def test_the_card_names_the_first_stage_that_ships() -> None:
    """Both stages were put together as they are now: a new first one alone would not do."""
    card = tomllib.loads((SHIPPED / "card.toml").read_text(encoding="utf-8"))
    assert card["weights"]["first"] == linear.load().version
