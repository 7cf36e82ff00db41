"""Heads over vectors and findings: what they may add, what they may doubt, and what they never do."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.golden.rows import WRITERS, posts, settings, taught
from bench.golden.teach import mended
from keqing.errors import ModelError
from keqing.records import Polarity, SeverityHit
from nlp import evidence, heads, weighed
from nlp.embed import Embedder, shipped
from nlp.heads import ASPECTS, COLUMNS, GROUPS, ROWS, SHIPPED, Leaning
from nlp.understand import Reader

SURE = 0.8
CALM = (0.0, 1.0, 0.0)
TEXTS = [
    "络驰停在地库里半夜自己烧起来了，旁边三台车都成了铁架子",
    "岩屿的床垫躺下去弹簧一根根硌着腰，一晚上没合眼",
    "请问星蠡支持无线充电吗",
    "今天天气不错",
]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return shipped()


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
    """The card names the weights that ship by their sha256."""
    card = tomllib.loads((SHIPPED.parent / "card.toml").read_text(encoding="utf-8"))
    assert card["weights"]["sha256"] == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    written = sum(len(taught(writer)) for writer in WRITERS)
    assert card["taught_by"]["posts"] == written + len(mended())


def test_no_post_that_is_judged_has_taught() -> None:
    """Posts that teach and posts that judge share no text."""
    texts = {post.text for writer in WRITERS for post in taught(writer)}
    assert not texts & {post.text for post in posts()}
    assert all(
        one.anchor in post.text
        for writer in WRITERS
        for post in taught(writer)
        for one in post.aspects
    )


@pytest.mark.parametrize("body", [b"", b"no numpy"])
def test_a_broken_file_of_weights_is_named(tmp_path: Path, embedder: Embedder, body: bytes) -> None:
    """Weights that cannot be read are an error that names the file."""
    (tmp_path / "weights.npz").write_bytes(body)
    with pytest.raises(ModelError, match=r"weights\.npz"):
        heads.load(embedder, tmp_path / "weights.npz")
    with pytest.raises(ModelError, match="restore it"):
        heads.load(embedder, tmp_path / "none.npz")


def test_weights_of_another_code_are_refused(tmp_path: Path, embedder: Embedder) -> None:
    """Heads of other classes or features are told apart by their shape."""
    path = tmp_path / "weights.npz"
    np.savez(path, posts=np.zeros((ROWS, COLUMNS - 1)), places=np.zeros((len(ASPECTS), 513)))
    with pytest.raises(ModelError, match="needed"):
        heads.load(embedder, path)


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
    text = "络驰停在地库里半夜自己烧起来了，旁边三台车都成了铁架子"
    (said,) = reader.read([text], [""])
    (lists,) = Reader(settings(), weigh=False).read([text], [""])
    new = [hit for hit in said.aspect_hits if hit.name not in lists.aspects]
    assert new
    assert all(hit.term == text[hit.start : hit.end].strip(evidence.MARKS) for hit in new)


def test_a_danger_by_likeness_shows_its_words_and_never_alarms() -> None:
    """A danger that no word names is below what an alarm asks, and its term is the clause."""
    (hit,) = weighed.dangers((), leaning(dangers={"人身安全": 0.99}))
    assert (hit.name, hit.term) == ("人身安全", "烧起来了")
    assert weighed.LIKELY < hit.confidence < SURE


def test_a_rivals_danger_is_not_found_by_likeness() -> None:
    """A clause about a rival alone gives no danger of ours."""
    assert weighed.dangers((), leaning(dangers={"人身安全": 0.99}), (), lambda _: True) == ()


def test_an_unlikely_danger_is_doubted_but_not_lost() -> None:
    """A word of danger in a post that tells of none keeps a small confidence."""
    hit = SeverityHit(name="人身安全", term="炸裂", confidence=0.9)
    (doubted,) = weighed.dangers((hit,), leaning(dangers={"人身安全": 0.01}))
    assert doubted.confidence == weighed.DOUBTED
    (kept,) = weighed.dangers((hit,), leaning(dangers={"人身安全": 0.3}))
    assert kept == hit


def test_a_word_of_the_house_is_never_doubted() -> None:
    """Who writes a danger into a list of one's own means it."""
    hit = SeverityHit(name="人身安全", term="老虎跑了", confidence=0.9)
    assert weighed.dangers((hit,), leaning(), {"老虎跑了"}) == (hit,)


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


def test_the_likeliest_intent_comes_first() -> None:
    """The primary intent is the likeliest; the others follow by priority; none is none."""
    flat = leaning()
    said = replace(flat, intents=flat.intents | {"意见": 0.9, "求助": 0.5, "投诉": 0.6})
    assert weighed.wants(said, CALM) == ("意见", "投诉", "求助")
    assert weighed.wants(flat, CALM) == ()


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


def test_a_failing_embedder_loses_no_post(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the heads fail, the lists' answer stands and the post is marked to be read again."""
    reader = Reader(settings())
    assert reader.parts.heads is not None

    def fails(*_: object) -> list[Leaning]:
        raise ModelError("no")

    monkeypatch.setattr(reader.parts.heads, "weigh", fails)
    said = reader.read(TEXTS, [""] * len(TEXTS))
    assert [one.stage == "degraded" for one in said] == [True, True, True, False]
