"""Which brand a post is about: a table of homonyms, and what no change of a plan may do."""

from __future__ import annotations

import tomllib
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keqing.settings import Brand
from nlp.brands import Matcher, Matches, Outcome

LABELS = Path(__file__).parent / "labels"
PLAN = {
    key: Brand.model_validate(row)
    for key, row in tomllib.loads((LABELS / "brands.toml").read_text("utf-8")).items()
}
ROWS = [
    tuple(line.split("\t"))
    for line in (LABELS / "brands.tsv").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
MATCHER = Matcher(PLAN)
PIECES = sorted(
    {word for brand in PLAN.values() for word in (*brand.aliases, *brand.exclude)}
    | {word for brand in PLAN.values() for word in (*brand.context, *brand.not_context)}
    | {"的", "今天去", "，", " ", "#", "//@阿布:", "a", "7", "说", "\n", "ａ", "蘋果"}
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def outcomes(matches: Matches, brand: str) -> set[str]:
    """What became of a brand's names."""
    hits = {hit.reason for hit in matches.hits if hit.brand == brand}
    return hits | {found.reason for found in matches.rejected if found.brand == brand}


def accepted(matches: Matches) -> set[tuple[str, str, int, str]]:
    """Hits by brand, alias and place."""
    return {(hit.brand, hit.alias, hit.start, hit.where) for hit in matches.hits}


@pytest.mark.parametrize(("text", "brand", "expected"), ROWS, ids=lambda v: v[:24])
def test_names_and_their_look_alikes(text: str, brand: str, expected: str) -> None:
    """Each row of the table gets its outcome and no other."""
    assert outcomes(MATCHER.find(None, text), brand) == set(expected.split(",")) - {"-"}


def test_the_table_is_wide() -> None:
    """At least 80 rows, and every outcome at least five times."""
    counts = {reason: sum(reason in row[2] for row in ROWS) for reason in Outcome}
    assert len(ROWS) >= 80
    assert min(counts.values()) >= 5, counts


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("生病了喝点小米粥", "小米粥"),
        ("I miss you", "miss"),
        ("小米是五谷之一", "五谷"),
        ("买了两袋小米", "need_context"),
        ("停电了 来自小米手机客户端", "来自小米手机客户端"),
        ("小米手机发热", "context: 手机"),
        ("#小米手机# #好物# #分享# #日常# #抽奖# #关注#", "6 hashtags"),
    ],
)
def test_the_clause_names_the_words_that_decided(text: str, clause: str) -> None:
    """A rejection without its words cannot be argued with."""
    found = MATCHER.find(None, text)
    assert {x.clause for x in (*found.hits, *found.rejected) if x.brand == "xiaomi"} == {clause}


def test_a_name_in_words_and_in_a_signature_counts_once() -> None:
    """The signature alone is boilerplate; the name in the words is a hit beside it."""
    found = MATCHER.find(None, "小米手机发热 发自我的小米手机")
    assert [hit.start for hit in found.hits] == [0]
    assert [r.reason for r in found.rejected] == ["ONLY_IN_BOILERPLATE"]


def test_a_title_tells_the_sense_of_the_text() -> None:
    """A context word of the title counts for the whole text, however long that is."""
    text = "开箱一周，整体满意，" + "慢慢说。" * 40 + "小米这次做得不错"
    assert MATCHER.find(None, text).hits == ()
    assert {hit.brand for hit in MATCHER.find("手机测评", text).hits} == {"xiaomi"}


def test_a_post_about_a_rival_is_not_about_us() -> None:
    """A rival's name gives a rival's hit alone."""
    ours = {key for key, brand in PLAN.items() if brand.ours}
    for text in ("青稚茶喝出异物", "青稚茶排队两小时，奶茶还洒了", "@青稚茶 退钱"):
        hits = {hit.brand for hit in MATCHER.find(None, text).hits}
        assert hits == {"rival"}
        assert not hits & ours


def test_an_exclusion_silences_its_own_brand_alone() -> None:
    """青稚茶园 is not the rival, and 木槿壶 beside it still counts."""
    found = MATCHER.find(None, "青稚茶园旁边开了家木槿壶")
    assert [hit.brand for hit in found.hits] == ["tea"]
    assert [(r.brand, r.clause) for r in found.rejected] == [("rival", "青稚茶园")]


@given(TEXTS, st.sampled_from(sorted(PLAN)), st.lists(st.sampled_from(PIECES), max_size=4))
def test_an_exclusion_never_adds_hits(text: str, brand: str, phrases: list[str]) -> None:
    """Whatever is excluded, every hit that remains was there before."""
    changed = PLAN[brand].model_copy(
        update={"exclude": (*PLAN[brand].exclude, "".join(phrases) or "苹果的", *phrases)}
    )
    after = Matcher({**PLAN, brand: changed}).find(None, text)
    assert accepted(after) <= accepted(MATCHER.find(None, text))


@given(TEXTS, st.integers(0, 10_000))
def test_the_order_of_a_plan_never_matters(text: str, seed: int) -> None:
    """Brands, aliases and words in any order give equal hits and rejections."""
    random = Random(seed)

    def shuffled(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(random.sample(values, len(values)))

    fields = ("aliases", "exclude", "context", "not_context")
    rows = [
        (key, brand.model_copy(update={name: shuffled(getattr(brand, name)) for name in fields}))
        for key, brand in PLAN.items()
    ]
    random.shuffle(rows)
    assert Matcher(dict(rows)).find(text, text) == MATCHER.find(text, text)


@given(TEXTS)
def test_no_outcome_is_lost(text: str) -> None:
    """Spans name the alias as it is written, and a post without any name has no outcome."""
    found = MATCHER.find(None, text)
    for hit in found.hits:
        assert hit.end - hit.start == len(hit.alias)
    if not any(alias in text for brand in PLAN.values() for alias in brand.aliases):
        assert {r.alias for r in found.rejected} <= {"苹果", "青提冻"}  # 蘋果 is 苹果 too
