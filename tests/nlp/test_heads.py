"""Heads over vectors and findings: what they may add, what they may doubt, and what they never do."""

from __future__ import annotations

import hashlib
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.golden.rows import TAUGHT, UNSEEN, posts, settings, written
from bench.golden.teach import labels_of, own, teaching
from keqing.errors import ModelError
from keqing.records import Polarity, SeverityHit
from nlp import evidence, heads, weighed
from nlp.heads import COLUMNS, FILE, GROUPS, ROWS, SARCASM, SHIPPED, Leaning
from nlp.linear import CLASSES
from nlp.understand import Reader

SURE = 0.8
CALM = (0.0, 1.0, 0.0)
TEXTS = [
    "络驰停在地库里半夜自己烧起来了，旁边三台车都成了铁架子",
    "岩屿的床垫躺下去弹簧一根根硌着腰，一晚上没合眼",
    "请问星蠡支持无线充电吗",
    "今天天气不错",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped heads, to be spoilt."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "heads"))


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(settings())


def leaning(
    aspects: Mapping[str, float] | None = None, dangers: Mapping[str, float] | None = None
) -> Leaning:
    """A Leaning of nothing but these."""
    flat = {group: dict.fromkeys(names, 0.0) for group, names in GROUPS.items()}
    clause = (0, "烧起来了")
    places = {group: dict.fromkeys(GROUPS[group], clause) for group in ("aspects", "severity")}
    whole = Leaning(**flat, clauses=places)
    return replace(
        whole,
        aspects=flat["aspects"] | dict(aspects or {}),
        severity=flat["severity"] | dict(dangers or {}),
    )


def test_the_card_is_that_of_the_weights() -> None:
    """The card names the weights that ship and their encoder by sha256."""
    card = tomllib.loads((SHIPPED / "card.toml").read_text(encoding="utf-8"))
    for part, name in (("heads", FILE), ("weights", "model.onnx")):
        body = (SHIPPED / name).read_bytes()
        assert card[part]["sha256"] == hashlib.sha256(body).hexdigest()
    assert card["taught_by"]["posts"] == len(teaching())


def test_no_post_that_is_judged_has_taught() -> None:
    """Posts that teach, posts that bounds are chosen by and posts that judge share no text."""
    teach, choose = (
        {post.text for writer in writers for post in written(writer)}
        for writers in (TAUGHT, UNSEEN)
    )
    assert not teach & choose
    assert not (teach | choose) & {post.text for post in posts()}
    assert all(
        one.anchor in post.text
        for writer in (*TAUGHT, *UNSEEN)
        for post in written(writer)
        for one in post.aspects
    )


@pytest.mark.parametrize("body", [b"", b"no numpy"])
def test_a_broken_file_of_weights_is_named(folder: Path, body: bytes) -> None:
    """Weights that cannot be read are an error that names the file."""
    (folder / FILE).write_bytes(body)
    with pytest.raises(ModelError, match=r"weights\.npz"):
        heads.load(folder)
    (folder / FILE).unlink()
    with pytest.raises(ModelError, match="restore it"):
        heads.load(folder)


def test_weights_of_another_code_are_refused(folder: Path) -> None:
    """Heads of other classes or features are told apart by their shape."""
    np.savez(folder / FILE, posts=np.zeros((ROWS, COLUMNS - 1)), encoder=np.array("0"))
    with pytest.raises(ModelError, match="needed"):
        heads.load(folder)


def test_heads_of_another_encoder_are_refused(folder: Path) -> None:
    """Heads read what one encoder pools; beside another they would read noise."""
    np.savez(folder / FILE, posts=np.zeros((ROWS, COLUMNS)), encoder=np.array("0" * 64))
    with pytest.raises(ModelError, match="learnt with the encoder 000000000000"):
        heads.load(folder)


def test_what_training_reads_is_what_the_reader_sees(tmp_path: Path) -> None:
    """Tokens, numbers and labels of each own post stand in one row."""
    shutil.copy(SHIPPED / "tokenizer.json", tmp_path)
    held = teaching()[:3]
    made = own(held, tmp_path)
    assert made["numbers"].shape == (3, evidence.WIDTH)
    assert made["labels"].tolist() == [labels_of(post) for post in held]
    lengths = np.diff(made["offsets"])
    assert made["offsets"][-1] == len(made["ids"])
    assert all(2 < length <= len(post.text) + 2 for length, post in zip(lengths, held, strict=True))


def test_labels_are_one_a_class() -> None:
    """What training reads has a label for each class of the heads: given, not given, or open."""
    for post in teaching():
        assert len(found := labels_of(post)) == ROWS
        assert set(found) <= {1, 0, -1}


def test_heads_are_part_of_the_version(reader: Reader) -> None:
    """A reading's version tells which heads weighed it, and that none did where there are none."""
    assert reader.parts.heads is not None
    assert reader.parts.heads.version in reader.version
    assert "heads" not in Reader(settings(), weigh=False).version
    assert "heads" not in Reader(settings(second_stage=False)).version


def test_a_post_is_read_alike_alone_and_among_others(reader: Reader) -> None:
    """Neighbours and order move nothing, to the last digit."""
    together = reader.read(TEXTS, [""] * len(TEXTS))
    backwards = reader.read(TEXTS[::-1], [""] * len(TEXTS))[::-1]
    alone = [reader.read([text], [""])[0] for text in TEXTS]
    assert together == backwards == alone


def test_a_post_without_a_brand_is_left_to_the_lists(reader: Reader) -> None:
    """Heads say nothing of posts that name no brand of the plan."""
    text = "停在地库里半夜自己烧起来了，旁边三台车都成了铁架子"
    (plain,) = Reader(settings(), weigh=False).read([text], [""])
    assert reader.read([text], [""]) == [plain]


def test_numbers_are_as_many_as_the_weights_ask(reader: Reader) -> None:
    """Each post gives one row of the width that the weights have."""
    for one in reader.evidence(TEXTS):
        assert len(evidence.numbers(one)) == evidence.WIDTH
        assert all(np.isfinite(evidence.numbers(one)))


def test_an_aspect_by_likeness_stands_at_its_clause(reader: Reader) -> None:
    """A finding without a word of the lists shows the clause that it was found in."""
    text = "飞篮说好半小时，等到面都坨成一块砖才敲门"
    (said,) = reader.read([text], [""])
    (lists,) = Reader(settings(), weigh=False).read([text], [""])
    new = [hit for hit in said.aspect_hits if hit.name not in lists.aspects]
    assert new
    assert all(hit.term == text[hit.start : hit.end].strip(evidence.MARKS) for hit in new)


@pytest.mark.parametrize(("p", "alarms"), [(0.65, False), (0.8, False), (0.99, True)])
def test_a_danger_by_likeness_shows_its_words_and_alarms_where_it_is_sure(
    p: float, alarms: bool
) -> None:
    """A danger that no word names has its clause as term; below SURELY it is shown and wakes nobody."""
    (hit,) = weighed.dangers((), leaning(dangers={"人身安全": p}))
    assert (hit.name, hit.term) == ("人身安全", "烧起来了")
    assert hit.confidence >= 0.5
    assert (hit.confidence >= SURE) is alarms


@pytest.mark.parametrize(
    ("told", "p", "reasons"),
    [((), 0.1, ()), ((), 0.99, ("likeness",)), (("mock",), 0.1, ("mock",)), (("mock",), 0.99, ("mock",))],
)  # fmt: skip
def test_sarcasm_that_reads_so_is_a_reason_where_the_lists_see_none(
    told: tuple[str, ...], p: float, reasons: tuple[str, ...]
) -> None:
    """The lists' reasons stand; without one a sure likeness is the reason."""
    assert weighed.sarcasm(told, replace(leaning(), sarcasm={SARCASM: p})) == reasons


def test_a_rivals_danger_is_not_found_by_likeness() -> None:
    """A clause about a rival alone gives no danger of ours."""
    assert weighed.dangers((), leaning(dangers={"人身安全": 0.99}), lambda _: True) == ()


def test_a_danger_that_a_word_names_is_never_doubted() -> None:
    """However unlikely the heads hold it, an alarm that a word would give is given."""
    hit = SeverityHit(name="人身安全", term="炸裂", confidence=0.9)
    assert weighed.dangers((hit,), leaning(dangers={"人身安全": 0.001})) == (hit,)


@pytest.mark.parametrize(
    "text",
    [
        "幸好络驰没有起火，也没人受伤，虚惊一场",
        "络驰这波发布会直接炸裂，价格杀疯了",
        "万一络驰在高速上起火怎么办啊，有点担心",
        "岩屿昨天搞消防演习，烟雾弹一放大家往楼下跑，还挺像那么回事",
    ],
)
def test_a_danger_that_is_not_asserted_stays_quiet(reader: Reader, text: str) -> None:
    """Denied, figurative, supposed, rehearsed: none wakes anybody."""
    (said,) = reader.read([text], [""])
    assert all(hit.confidence < SURE for hit in said.severity)


def test_a_plain_accident_still_alarms(reader: Reader) -> None:
    """Heads do not doubt what is told plainly."""
    (said,) = reader.read(["络驰充电时起火，车主烧伤送医"], [""])
    assert max(hit.confidence for hit in said.severity) >= SURE
    assert said.polarity == Polarity.NEGATIVE


@given(st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_probabilities_stay_probabilities(values: list[float]) -> None:
    """Whatever both stages and the heads say: within 0 and 1, sum 1, the polarity is a likeliest one."""
    old, new = values[:3], values[3:]
    leant = replace(leaning(), polarity=dict(zip(CLASSES, new, strict=True)))
    said, mixed = weighed.polarity((old[0], old[1], old[2]), leant)
    assert all(0 <= p <= 1 for p in mixed)
    assert sum(mixed) == pytest.approx(1)
    assert mixed[CLASSES.index(said)] == max(mixed)


def test_where_nothing_is_felt_no_side_is_taken() -> None:
    """A neutral post without a trace of praise or blame is neutral, and both are equally unlikely."""
    calm = replace(leaning(), polarity=dict(zip(CLASSES, CALM, strict=True)))
    said, (negative, _, positive) = weighed.polarity(CALM, calm)
    assert (said, negative) == (Polarity.NEUTRAL, positive)


@pytest.mark.parametrize("told", [0.17, 0.63])
def test_a_danger_that_words_take_back_never_alarms_by_likeness(told: float) -> None:
    """Where a word of the class stands denied, asked or passed on, a likeness shows it at most."""
    hit = SeverityHit(name="监管", term="市监局", confidence=told)
    (said,) = weighed.dangers((hit,), leaning(dangers={"监管": 0.99}))
    assert 0.5 <= said.confidence < SURE


def test_a_passed_inspection_wakes_nobody(reader: Reader) -> None:
    """Good results are told with the words of bad ones."""
    (said,) = reader.read(["市监局公布夜查结果，岩屿三家门店抽检全部合格"], [""])
    assert all(hit.confidence < SURE for hit in said.severity)


def test_the_likeliest_intent_comes_first() -> None:
    """The primary intent is the likeliest; the others follow by priority; none is none."""
    flat = leaning()
    said = replace(flat, intents=flat.intents | {"意见": 0.9, "求助": 0.5, "投诉": 0.6})
    assert weighed.wants(said, CALM) == ("意见", "投诉", "求助")
    assert weighed.wants(flat, CALM) == ()


def test_what_the_lists_told_is_likelier() -> None:
    """An intent that a word names needs less of the heads, and alone is not enough."""
    flat = leaning()
    unsure = replace(flat, intents=flat.intents | {"投诉": 0.1})
    assert weighed.wants(unsure, CALM) == ()
    assert weighed.wants(unsure, CALM, ("投诉",)) == ("投诉",)
    assert weighed.wants(flat, CALM, ("投诉",)) == ()


def test_praise_is_less_likely_of_a_post_that_blames() -> None:
    """What a post wants and feels agrees with its polarity, unless it is much likelier."""
    flat = leaning()
    either = replace(
        flat,
        intents=flat.intents | {"表扬": 0.5, "投诉": 0.4},
        emotion=flat.emotion | {"喜悦": 0.5, "愤怒": 0.4},
    )
    assert weighed.wants(either, CALM)[0] == "表扬"
    assert weighed.wants(either, (0.9, 0.05, 0.05))[0] == "投诉"
    assert weighed.emotion(either, (0.9, 0.05, 0.05)) == "愤怒"


def test_failing_heads_lose_no_post(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the heads fail, the lists' answer stands and the post is marked to be read again."""
    reader = Reader(settings())
    assert reader.parts.heads is not None

    def fails(*_: object) -> list[Leaning]:
        raise ModelError("no")

    monkeypatch.setattr(reader.parts.heads, "weigh", fails)
    said = reader.read(TEXTS, [""] * len(TEXTS))
    assert [one.stage == "degraded" for one in said] == [True, True, True, False]
