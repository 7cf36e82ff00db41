"""Any sequence classifier replaces the second stage; what cannot be run safely is refused."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from keqing.errors import BadConfig, ModelError
from keqing.settings import SecondStage
from nlp import encoder, linear
from nlp.cascade import build
from nlp.encoder import Classifier
from nlp.hub import folder_of
from tests.nlp.tiny import build as build_tiny

TRI = ["negative", "neutral", "positive"]
COMMIT = "0" * 40


def test_pickles_are_refused(tmp_path: Path) -> None:
    """A folder whose weights are a pickle is named, with what to do."""
    folder = build_tiny(tmp_path / "m", TRI, TRI)
    (folder / "model.onnx").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin are pickles"):
        Classifier(folder, {})


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed")
def test_safetensors_without_torch_say_what_to_install(tmp_path: Path) -> None:
    """Without the extra the sentence names it."""
    folder = build_tiny(tmp_path / "m", TRI, TRI)
    (folder / "model.onnx").rename(folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"keqing\[torch\]"):
        Classifier(folder, {})


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is in no lock: install keqing[torch]")
def test_safetensors_are_run_by_torch(tmp_path: Path) -> None:
    """A random BERT of two layers gives one row of probabilities a text, alone as in a batch."""
    from transformers import BertConfig, BertForSequenceClassification

    folder = build_tiny(tmp_path / "m", TRI, TRI)
    shape = BertConfig(
        vocab_size=9, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=32, num_labels=3,
        id2label=dict(enumerate(TRI)), label2id={name: n for n, name in enumerate(TRI)},
    )  # fmt: skip
    BertForSequenceClassification(shape).save_pretrained(str(folder))
    (folder / "model.onnx").unlink()
    model = Classifier(folder, {})
    p = model.predict(["店差", "店好好"])
    assert p.sum(axis=1) == pytest.approx(1.0)
    assert (p[0] == model.predict(["店差"])[0]).all()


@pytest.mark.parametrize("model", ["hub:a/b", "hub:a/b@main", "hub:b@" + COMMIT])
def test_a_hub_model_needs_its_commit(tmp_path: Path, model: str) -> None:
    """A name alone may be another model tomorrow."""
    with pytest.raises(BadConfig, match="commit"):
        folder_of(model, tmp_path, allow_download=True)


def test_nothing_is_fetched_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without allow_download only the cache is looked at, and no socket is opened."""

    def refuse(*args: object, **more: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    plan = SecondStage(model=f"hub:owner/name@{COMMIT}")
    with pytest.raises(ModelError, match="allow_download"):
        build(linear.load(), plan, tmp_path)


def test_swapped_labels_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that reads plain praise as blame is loaded with a warning."""
    told: list[tuple[str, int]] = []

    class Log:
        def info(self, event: str, **more: int) -> None:
            told.append(("info", more["right"]))

        def warning(self, event: str, **more: int) -> None:
            told.append(("warning", more["right"]))

    monkeypatch.setattr(encoder, "log", Log())
    monkeypatch.setattr(encoder, "PLAIN", (("差", "negative"), ("好", "positive")))
    Classifier(build_tiny(tmp_path / "right", TRI, TRI), {})
    Classifier(build_tiny(tmp_path / "swapped", TRI, TRI[::-1]), {})
    assert told == [("info", 2), ("warning", 0)]
