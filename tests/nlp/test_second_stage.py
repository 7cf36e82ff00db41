"""The second stage reads what the first one doubts, by itself, and never costs a post."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from keqing.errors import ModelError, UnknownLabels
from keqing.settings import SecondStage, Settings, load_settings
from nlp import linear
from nlp.cascade import Cascade, Watch, build
from nlp.encoder import Classifier
from nlp.understand import Reader
from tests.nlp.tiny import build as build_tiny

ROOT = Path(__file__).resolve().parents[2]
TRI = ["negative", "neutral", "positive"]
TEXTS = ["店差", "店好", "嗯，店", "差差好", "店"]


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return build_tiny(tmp_path / "tiny", TRI, TRI)


def test_it_reads_by_its_words(tiny: Path) -> None:
    """The model's own words decide; each row sums to 1."""
    p = Classifier(tiny, {}).predict(TEXTS)
    assert [TRI[n] for n in p[:4].argmax(axis=1)] == ["negative", "positive", "neutral", "negative"]
    assert p.sum(axis=1) == pytest.approx(1.0)


def test_alone_is_in_a_batch(tiny: Path) -> None:
    """Bit-equal alone, in a batch, shuffled, with one thread and four."""
    together = Classifier(tiny, {}, threads=4).predict(TEXTS)
    alone = np.stack([Classifier(tiny, {}, threads=1).predict([text])[0] for text in TEXTS])
    back = Classifier(tiny, {}).predict(TEXTS[::-1])[::-1]
    assert (together == alone).all()
    assert (together == back).all()


@pytest.mark.parametrize(
    ("labels", "means"),
    [
        (["差评", "好评"], ["negative", "positive"]),
        (
            ["1 star", "2 stars", "3 stars", "4 stars", "5 stars"],
            ["negative", "negative", "neutral", "positive", "positive"],
        ),
    ],
)
def test_two_and_five_classes(tmp_path: Path, labels: list[str], means: list[str]) -> None:
    """Two classes have no neutral, five stars are added up."""
    model = Classifier(build_tiny(tmp_path / "m", labels, means), {})
    p = model.predict(["店差", "店好"])
    assert (p.argmax(axis=1) == [0, 2]).all()
    assert model.has_neutral == (len(labels) == 5)


def test_plain_labels_are_asked_for(tmp_path: Path) -> None:
    """LABEL_0 says nothing: refused with what was found and the line to write; then it works."""
    folder = build_tiny(tmp_path / "m", ["LABEL_0", "LABEL_1"], ["negative", "positive"])
    with pytest.raises(UnknownLabels, match=r"LABEL_0.*\[nlp.second_stage\] labels"):
        Classifier(folder, {})
    named = {"LABEL_0": "negative", "LABEL_1": "positive"}
    assert Classifier(folder, named).predict(["店差"]).argmax() == 0
    with pytest.raises(UnknownLabels, match="map to"):
        Classifier(folder, {"LABEL_0": "negative", "LABEL_1": "good"})


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.onnx"])
def test_a_damaged_folder_is_refused(tiny: Path, name: str) -> None:
    """A file that is missing or cut is named, with what to do."""
    body = (tiny / name).read_bytes()
    (tiny / name).write_bytes(body[: len(body) // 2])
    with pytest.raises(ModelError, match=name.replace(".", r"\.")):
        Classifier(tiny, {})
    (tiny / name).unlink()
    with pytest.raises(ModelError, match=name.replace(".", r"\.")):
        Classifier(tiny, {})


def test_only_doubtful_rows_go_there(tiny: Path) -> None:
    """With margin 0 nothing goes, with margin 1 all; a sure row keeps the first stage's answer."""
    first = linear.load()
    texts = ["太差了，再也不买了，退款！", "店差", "店好"]
    plain = first.score(texts)
    all_rows, stages = Cascade(first, Classifier(tiny, {}), 1.01).score(texts)
    assert stages == ["second"] * 3
    assert [str(p) for p in all_rows.polarity[1:]] == ["negative", "positive"]
    same, stages = Cascade(first, Classifier(tiny, {}), 0.0).score(texts)
    assert stages == ["linear"] * 3
    assert (same.p == plain.p).all()


def test_a_model_without_neutral_keeps_the_first_ones(tmp_path: Path) -> None:
    """How polar a text is stays the first stage's word if the second knows two classes."""
    folder = build_tiny(tmp_path / "m", ["差评", "好评"], ["negative", "positive"])
    first = linear.load()
    scores, _ = Cascade(first, Classifier(folder, {}), 1.01).score(["店好"])
    assert scores.p[0, 1] == pytest.approx(first.score(["店好"]).p[0, 1], abs=2e-4)


@dataclass(frozen=True)
class Sure:
    """A first stage that is sure: of each text, p(negative) and p(complaint) as given."""

    negative: tuple[float, ...]
    complaint: tuple[float, ...]
    version: str = "sure"

    def score(self, texts: list[str]) -> linear.Scores:
        p = np.array([[n, 0.0, 1 - n] for n in self.negative])
        polarity = [linear.CLASSES[k] for k in p.argmax(axis=1)]
        said = np.array(self.complaint)
        return linear.Scores(p, polarity, said, ["无"] * len(texts), np.zeros((len(texts), 3)))


def test_what_may_feed_an_alarm_goes_there(tiny: Path) -> None:
    """A watched row that is negative or perhaps a complaint goes there, however sure it is."""
    first = Sure(negative=(0.99, 0.01, 0.01, 0.4), complaint=(0.9, 0.5, 0.1, 0.1))
    cascade = Cascade(first, Classifier(tiny, {}), 0.0)  # type: ignore[arg-type]
    texts = ["店"] * 4
    assert cascade.score(texts, [Watch.YES] * 4)[1] == ["second", "second", "linear", "second"]
    assert cascade.score(texts, [Watch.NO] * 4)[1] == ["linear"] * 4
    assert cascade.score(texts, [Watch.CLOSELY] * 4)[1] == ["second"] * 4


def test_a_failing_model_loses_nothing(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first stage's answer stays, marked degraded."""

    def broken(self: Classifier, texts: object) -> None:
        raise ModelError("out of memory")

    first, second = linear.load(), Classifier(tiny, {})
    monkeypatch.setattr(Classifier, "predict", broken)
    scores, stages = Cascade(first, second, 1.01).score(["店差", "店好"])
    assert stages == ["degraded", "degraded"]
    assert (scores.p == first.score(["店差", "店好"]).p).all()


def test_the_plan_switches_it_on(tiny: Path, tmp_path: Path) -> None:
    """Off, readings differ in nothing but stage and model; on, the version names both models."""
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    settings = load_settings(tmp_path, env={})
    off = Reader(planned(settings, SecondStage(model="off")))
    on = Reader(planned(settings, SecondStage(model="tiny", margin=0.0)))
    assert on.version.startswith(off.version + "+second-")
    texts = ["太阳从东边升起", "店好"]
    assert on.read(texts, ["", ""]) == off.read(texts, ["", ""])
    forced = replace(on.parts.cascade, margin=1.01)
    assert forced.score(texts)[1] == ["second", "second"]
    assert build(off.parts.model, SecondStage(model="off"), tmp_path).second is None


def planned(settings: Settings, stage: SecondStage) -> Settings:
    nlp = settings.plan.nlp.model_copy(update={"second_stage": stage})
    return settings.model_copy(update={"plan": settings.plan.model_copy(update={"nlp": nlp})})


def test_no_torch(tiny: Path) -> None:
    """The stage runs where torch cannot be imported."""
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from pathlib import Path; from nlp.encoder import Classifier\n"
        f"print(Classifier(Path({str(tiny)!r}), {{}}).predict(['店差']).argmax())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0"
