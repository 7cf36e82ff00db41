"""What is made before and after the training program; the program itself needs torch."""

from __future__ import annotations

import csv
import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from keqing.errors import ModelError, UsageError
from nlp.reading import plain
from nlp.second import base, export, stack, teach
from nlp.second.judge import judged, three
from nlp.second.prepare import prepare
from nlp.second.steps import embedder as teach_embedder
from nlp.second.steps import heads as teach_heads
from nlp.second.steps import steps
from tests.nlp import graph

OUTPUTS = 10
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "好", "差", "店", "繁", "##好", "龘", "!"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A base of one layer with its tokenizer."""
    graph.build(tmp_path / "base.onnx", len(WORDS))
    tokenizer = Tokenizer(models.WordPiece({w: n for n, w in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def write(path: Path, rows: list[tuple[str, str]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("text", "label"), *rows])


def test_weights_go_out_and_back(tmp_path: Path) -> None:
    """The linear weights of a graph are found by their nodes' names and written back unchanged."""
    made = graph.build(tmp_path / "base.onnx")
    read = base.read(tmp_path / "base.onnx")
    assert {name: value.shape for name, value in read.items()} == {
        n: v.shape for n, v in made.items()
    }
    assert (read[graph.WEIGHT] == made[graph.WEIGHT]).all()
    doubled = {name: 2 * value for name, value in made.items()}
    import onnx

    onnx.save(base.write(tmp_path / "base.onnx", doubled), str(tmp_path / "again.onnx"))
    assert (base.read(tmp_path / "again.onnx")[graph.WEIGHT] == 2 * made[graph.WEIGHT]).all()


def test_another_graph_is_refused(tmp_path: Path) -> None:
    """A graph that is no BERT encoder is named, with what was found in it."""
    from tests.nlp.tiny import build

    build(tmp_path, ["a", "b"], ["negative", "positive"])
    with pytest.raises(ModelError, match="no BERT encoder"):
        base.read(tmp_path / "model.onnx")


def test_heads_read_the_first_token_and_the_mean(tmp_path: Path) -> None:
    """Logits are the heads' product with [CLS] beside the mean of the tokens that stand there."""
    arrays = graph.build(tmp_path / "base.onnx")
    random = np.random.default_rng(2)
    arrays["heads.weight"] = random.normal(size=(OUTPUTS, 2 * graph.WIDTH)).astype(np.float32)
    arrays["heads.bias"] = random.normal(size=OUTPUTS).astype(np.float32)
    model = export.classifier(tmp_path / "base.onnx", arrays)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    ids = np.array([[3, 4, 5, 0]])
    mask = np.array([[1, 1, 1, 0]])
    got = session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": ids * 0})[
        0
    ]
    x = arrays[graph.WORDS][[3, 4, 5]] @ arrays[graph.WEIGHT].T
    pooled = np.concatenate([x[0], x.mean(0)])
    assert got[0] == pytest.approx(arrays["heads.weight"] @ pooled + arrays["heads.bias"], rel=1e-3)


def test_prepared_rows_hold_every_label_once(folder: Path, tmp_path: Path) -> None:
    """One text of two sets is one row with both labels; dev texts are marked; files without a task
    give texts without labels; tokens that nothing uses are dropped, common characters stay."""
    data = tmp_path / "data"
    data.mkdir()
    write(data / "tri_a_train.csv", [("好店", "pos"), ("店", "neu")])
    write(data / "emo_a_train.csv", [("好店", "happy")])
    write(data / "bin_b_train.csv", [("差店", "neg")])
    write(data / "tri_a_dev.csv", [("差差", "neg")])
    write(data / "topic_c_train.csv", [("店店店", "x")])
    prepare([data], folder, tmp_path / "work")
    with np.load(tmp_path / "work" / "rows.npz") as rows:
        assert rows["labels"].tolist() == [
            [-1, 1, -1, -1], [0, 0, 4, -1], [1, -1, -1, -1], [-1] * 4, [-1] * 4,
        ]  # fmt: skip
        assert rows["dev"].tolist() == [0, 0, 0, 0, 1]
        assert (rows["dev_rows"].tolist(), rows["dev_truth"].tolist()) == ([4], [0])
        assert rows["offsets"].tolist() == [0, 4, 8, 11, 16, 20]
    kept = json.loads((tmp_path / "work" / "tokenizer.json").read_text())["model"]["vocab"]
    assert set(WORDS) - set(kept) == {"龘", "繁"} - {w for w in ("繁",) if w in kept}
    with np.load(tmp_path / "work" / "base.npz") as held:
        assert held[graph.WORDS].shape == (len(kept), graph.WIDTH)
        assert held["special"].tolist() == [0, 1, 2, 3, 4]


def test_a_missing_base_and_missing_weights_say_what_to_do(folder: Path, tmp_path: Path) -> None:
    """Each step names what it lacks."""
    with pytest.raises(UsageError, match=r"one \.onnx"):
        prepare([tmp_path], tmp_path / "none", tmp_path / "work")
    with pytest.raises(UsageError, match="student"):
        steps([tmp_path], folder, tmp_path, tmp_path / "out", (), "finish")
    with pytest.raises(UsageError, match=r"own\.npz.*bench\.golden\.teach --work"):
        teach_heads(folder, tmp_path, tmp_path / "out")
    if find_spec("torch") is None:
        with pytest.raises(UsageError, match="torch"):
            steps([tmp_path], folder, tmp_path, tmp_path / "out", (), "fit")


def test_teachers_soften_only_rows_they_never_saw() -> None:
    """A known label counts half, the unseen teacher the other half; unknown ones get all teachers."""
    labels = np.array([[1, 0, -1, -1], [-1, 1, 2, 1]], np.int8)
    fold = np.array([0, 1], np.int8)
    sure = np.full((2, OUTPUTS), 20.0, np.float32)
    targets, weights = teach.soft(labels, fold, [(0, -sure), (1, sure)])
    assert targets[0, 0] == pytest.approx(0.5)  # label 1, its unseen teacher says 0
    assert targets[1, 1] == pytest.approx(1.0)  # label 1, its unseen teacher says 1
    assert targets[0, 9] == pytest.approx(0.5)  # no label: the mean of both teachers
    assert weights[0].tolist() == [1, 1] + [0.25] * 8
    assert weights[1].tolist() == [0.25] + [1] * 9
    assert targets[1, 2:9].sum() == pytest.approx(1.0)


def test_a_stack_learns_which_stage_to_believe() -> None:
    """Where one stage is noise, the other decides, and judging rows are left out of their fit."""
    random = np.random.default_rng(3)
    known = random.integers(0, 2, (400, 3)).astype(float)
    good, noise = 4 * known - 2 + random.normal(size=(400, 3)), random.normal(size=(400, 3))
    fitted = stack.fit(noise, good, known)
    assert all(abs(b) > 5 * abs(a) for a, b, _ in fitted.weights.values())
    logits = stack.out_of_fold(noise, good, known, np.arange(400) % 5)
    assert ((logits > 0) == (known == 1)).mean() > 0.95


def test_the_bias_keeps_the_share_of_negatives() -> None:
    """A head that calls too much neutral is corrected until the share of negatives is right."""
    random = np.random.default_rng(4)
    truth = random.integers(0, 3, 6000)
    logits = np.stack([3.0 * (truth == 1) - 1.2, 6.0 * (truth == 0) - 3.0, truth * 0.0], axis=1)
    logits += random.normal(size=logits.shape)

    def share(bias: float) -> float:
        spoken = np.log(three(logits[:, 0], logits[:, 1])) + np.array([0, bias, 0])
        return float((spoken.argmax(axis=1) == 0).mean())

    true = float((truth == 0).mean())
    bias = stack.neutral_bias(logits, truth, ["tri_x"] * 6000)
    assert abs(share(0.0) - true) > stack.SHARE
    assert abs(share(bias) - true) <= stack.SHARE
    assert judged(logits[:, 0], logits[:, 1], "tri", truth, bias) >= judged(
        logits[:, 0], logits[:, 1], "tri", truth
    )


@given(st.text(max_size=60))
def test_reading_twice_is_reading_once(text: str) -> None:
    """What the encoder reads does not change when it is read again."""
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("這家店“太差”了", '这家店"太差"了'),
        ("好吃😡🏽😡", "好吃 😡 😡"),
        ("看 http://t.cn/abc @某人 哈哈哈哈哈哈", "看 http @ 哈哈哈"),
        ("ＡＢ１２全文", "ab12"),
    ],
)
def test_the_encoder_reads_plain_words(text: str, read: str) -> None:
    """Simplified, half width, one mark for addresses and names, emoji apart, runs cut."""
    assert plain(text) == read


def test_posts_of_one_happening_are_drawn_together() -> None:
    """The loss is nothing where companions are nearest, large where strangers are; daily talk draws nobody."""
    torch = pytest.importorskip("torch")
    from nlp.second.alike import NOBODY, contrast

    vectors = torch.eye(4)[[0, 0, 1, 1, 2]]
    right, wrong = torch.tensor([0, 0, 1, 1, NOBODY]), torch.tensor([0, 1, 0, 1, NOBODY])
    assert contrast(vectors, right).item() < 0.01
    assert contrast(vectors, wrong).item() > 10


def test_the_embedder_needs_what_happenings_teach(folder: Path, tmp_path: Path) -> None:
    """Without told.npz it says which program writes it."""
    with pytest.raises(UsageError, match=r"bench\.events_teach"):
        teach_embedder(folder, tmp_path, tmp_path / "out")
