"""New words are proposed by how they stand in texts, and a person decides."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keqing.errors import BadConfig, UsageError
from keqing.settings import load_settings
from nlp.bursts import Telling, bursts
from nlp.newwords import candidates
from nlp.segment import in_dictionary, make_segmenter
from nlp.topics import Topics
from nlp.words import accepted, decide, decisions

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
OPENERS = ["昨天", "朋友", "终于", "下班", "周末", "今早", "顺路", "同事"]
CLOSERS = ["喝完", "好贵", "排队", "不错", "涨价", "没货", "上头", "平平"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    return tmp_path


def texts(word: str, n: int) -> list[str]:
    draw = random.Random(5)
    return [f"{draw.choice(OPENERS)}{word}{draw.choice(CLOSERS)}" for _ in range(n)]


def test_a_planted_word_is_found_whole(root: Path) -> None:
    """A string that stands in free company is proposed, its parts and known phrases are not."""
    segmenter = make_segmenter(load_settings(root, env={}))
    said = texts("椰椰拿铁", 60) + texts("排队时间", 60)
    found = [one.word for one in candidates(said, in_dictionary(segmenter), segmenter.cut)]
    assert found[:1] == ["椰椰拿铁"]
    assert not {"椰椰", "拿铁", "椰拿", "排队时间"} & set(found)


def test_what_staff_accept_is_one_token_and_a_new_version(root: Path) -> None:
    """The newest decision counts; an accepted word is never cut again."""
    settings = load_settings(root, env={})
    before = make_segmenter(settings)
    assert "轻乳茶局" not in before.tokens("来杯轻乳茶局吧")
    decide(root, ["轻乳茶局", "咕噜门"], "accepted", "li", AT)
    decide(root, ["咕噜门"], "rejected", "li", AT)
    after = make_segmenter(settings)
    assert accepted(root) == ("轻乳茶局",)
    assert decisions(root)["咕噜门"].state == "rejected"
    assert "轻乳茶局" in after.tokens("来杯轻乳茶局吧")
    assert after.version != before.version


def test_a_bad_word_and_a_bad_line_are_named(root: Path) -> None:
    """Nothing is written for a word that is none; a damaged line is named with its number."""
    with pytest.raises(UsageError, match="no blanks"):
        decide(root, ["好 词"], "accepted", "li", AT)
    assert not (root / "words.tsv").exists()
    decide(root, ["好词"], "accepted", "li", AT)
    with open(root / "words.tsv", "a", encoding="utf-8") as file:
        file.write("坏行\n")
    with pytest.raises(BadConfig, match="line 3"):
        make_segmenter(load_settings(root, env={}))


def test_a_term_that_many_tell_rises() -> None:
    """Five stories of three authors are a rise; one author's ten, and what was always said, are none."""
    calm = [Telling(f"a{n}", frozenset({"奶茶", "排队"})) for n in range(100)]
    now = [Telling(f"b{n}", frozenset({"奶茶", "异物"})) for n in range(6)]
    now += [Telling("spam", frozenset({"加盟"})) for _ in range(10)]
    assert [one.term for one in bursts(now, calm)][:1] == ["异物"]
    assert "加盟" not in {one.term for one in bursts(now, calm)}
    assert "奶茶" not in {one.term for one in bursts(now[:6], calm)}
    assert bursts([], calm) == []


def test_words_of_one_matter_are_one_rise() -> None:
    """Of words that the same stories tell the strongest is a rise and the others stand beside it."""
    calm = [Telling(f"a{n}", frozenset({"奶茶", f"w{n}"})) for n in range(200)]
    fire = [Telling(f"b{n}", frozenset({"起火", "消防", f"x{n}"})) for n in range(9)]
    recall = [Telling(f"c{n}", frozenset({"召回", f"y{n}"})) for n in range(5)]
    late = [Telling("d", frozenset({"起火"}))]
    found = bursts([*fire, *recall, *late], calm)
    assert [(one.term, one.now, one.beside) for one in found] == [
        ("起火", 10, ("消防",)),
        ("召回", 5, ()),
    ]


def test_a_word_that_rises_beyond_a_matter_is_a_rise_of_its_own() -> None:
    """A word of the strongest rise counts for itself by the stories that it does not share."""
    both = [Telling(f"b{n}", frozenset({"起火", "门店"})) for n in range(8)]
    own = [Telling(f"c{n}", frozenset({"门店"})) for n in range(4)]
    alone = [Telling(f"d{n}", frozenset({"起火"})) for n in range(6)]
    calm = [Telling(f"a{n}", frozenset({"奶茶"})) for n in range(100)]
    assert [one.term for one in bursts([*both, *own, *alone], calm)] == ["起火", "门店"]
    assert [one.term for one in bursts([*both, *own[:3], *alone], calm)] == ["起火"]


def test_topics_are_the_plans_to_edit() -> None:
    """A plan's topic joins the shipped ones, replaces one of its name, and removes it when empty."""
    read = Topics({"新品": ["青提冻"], "物流": ["骑手"], "员工": []}).read
    assert read("骑手送来的青提冻，客服态度差") == ("服务", "物流", "新品")
    assert read("快递丢件") == ()
    assert "员工" not in Topics({"员工": []}).names
    assert Topics({}).read("快递丢件，物流没更新")[0] == "物流"
