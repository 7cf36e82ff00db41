"""Names with two senses, told apart by few labels; what is too few, damaged, or from elsewhere."""

from __future__ import annotations

import csv
import gzip
import json
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import xxhash

from keqing.errors import ModelError, UsageError
from keqing.settings import Brand
from nlp import homonyms, relevance
from nlp.brands import Matcher
from nlp.homonyms import Sense, Senses
from nlp.relevance import Labelled

LABELS = Path(__file__).parent / "labels"
PLAN = {
    key: Brand.model_validate(row)
    for key, row in tomllib.loads((LABELS / "brands.toml").read_text("utf-8")).items()
}
RULES = Matcher(PLAN)
BRANDS = ("apple", "xiaomi", "dazhong")


def labelled(brand: str) -> list[Labelled]:
    lines = (LABELS / "senses.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [Labelled(text, sense == "yes") for key, sense, text in rows if key == brand]


def teach(brand: str) -> list[Labelled]:
    return [row for n, row in enumerate(labelled(brand)) if n % 3 != 2]


def judge(brand: str) -> list[Labelled]:
    return labelled(brand)[2::3]


@pytest.fixture(scope="module")
def senses() -> dict[str, Sense]:
    return {brand: relevance.learn(RULES, brand, teach(brand)) for brand in BRANDS}


def counts(matcher: Matcher, brand: str, rows: Sequence[Labelled]) -> tuple[int, int, int]:
    """Rightly accepted, wrongly accepted, wrongly rejected."""
    said = [any(h.brand == brand for h in matcher.find(None, row.text).hits) for row in rows]
    right = sum(hit and row.ours for hit, row in zip(said, rows, strict=True))
    return right, sum(said) - right, sum(row.ours for row in rows) - right


def test_forty_labels_tell_homonyms_apart(senses: dict[str, Sense]) -> None:
    """On sentences that taught nothing: precision ≥ .95, recall ≥ .90, over three words."""
    learned = Matcher(PLAN, Senses(senses))
    sums = [sum(n) for n in zip(*(counts(learned, b, judge(b)) for b in BRANDS), strict=True)]
    right, wrong, missed = sums
    assert right / (right + wrong) >= 0.95
    assert right / (right + missed) >= 0.90


def test_the_plans_words_alone_miss_most(senses: dict[str, Sense]) -> None:
    """Without labels a word that needs context is found by its context words alone."""
    right, _, missed = [
        sum(n) for n in zip(*(counts(RULES, b, judge(b)) for b in BRANDS), strict=True)
    ]
    assert right / (right + missed) < 0.5


def test_the_accuracy_told_is_of_folds_that_taught_nothing(senses: dict[str, Sense]) -> None:
    """It stands beside the sense, below what the teaching posts would give."""
    assert all(0.85 <= sense.accuracy <= 1.0 for sense in senses.values())
    noise = [replace(row, ours=n % 2 == 0) for n, row in enumerate(teach("xiaomi")[::2])]
    noise += [replace(row, ours=n % 2 == 0) for n, row in enumerate(teach("xiaomi")[1::2])]
    assert relevance.learn(RULES, "xiaomi", noise).accuracy < 0.75


def test_a_word_of_the_plan_goes_before_what_was_learned(senses: dict[str, Sense]) -> None:
    """五谷 beside 小米 rejects, 手机 beside it accepts, whatever the regression says."""
    learned = Matcher(PLAN, Senses(senses))
    [no] = learned.find(None, "小米是五谷之一").rejected
    assert (no.reason, no.clause) == ("NOT_CONTEXT", "五谷")
    [yes] = [h for h in learned.find(None, "小米手机煮粥都不如").hits if h.brand == "xiaomi"]
    assert yes.clause == "context: 手机"


def test_a_learned_rejection_says_so(senses: dict[str, Sense]) -> None:
    """Reason NO_CONTEXT, with the probability."""
    [no] = Matcher(PLAN, Senses(senses)).find(None, "小米泡软了再打豆浆").rejected
    assert no.reason == "NO_CONTEXT"
    assert no.clause.startswith("learned: 0.")


def test_under_thirty_labels_nothing_is_learned() -> None:
    """29 labels, or seven of one sense, are refused with their number; a thin Sense is mute."""
    rows = teach("apple")
    with pytest.raises(UsageError, match="15 yes, 14 no"):
        relevance.learn(RULES, "apple", rows[:29])
    yes = [row for row in labelled("apple") if row.ours]
    no = [row for row in labelled("apple") if not row.ours]
    with pytest.raises(UsageError, match="30 yes, 7 no"):
        relevance.learn(RULES, "apple", yes + no[:7])


def test_a_sense_with_few_labels_is_mute(senses: dict[str, Sense]) -> None:
    """A file that claims fewer labels than needed rejects nothing and accepts nothing."""
    thin = Senses({"xiaomi": replace(senses["xiaomi"], yes=20, no=9)})
    for row in labelled("xiaomi"):
        assert Matcher(PLAN, thin).find(None, row.text) == RULES.find(None, row.text)


def test_posts_without_the_name_are_no_labels() -> None:
    """A post that does not name the brand, or only in an excluded phrase, teaches nothing."""
    rows = [Labelled("今天天气真好", True)] * 20 + [Labelled("喝点小米粥", False)] * 20
    with pytest.raises(UsageError, match="0 yes, 0 no"):
        relevance.learn(RULES, "xiaomi", rows)


def test_a_brand_without_labels_is_untouched(senses: dict[str, Sense]) -> None:
    """What one brand learned never rejects another's name."""
    learned = Matcher(PLAN, Senses(senses))
    for text in ("木槿壶又上新了", "青稚茶涨价", "买了两袋木瑾壶"):
        assert learned.find(None, text) == RULES.find(None, text)


def test_learning_twice_gives_the_same_bytes(senses: dict[str, Sense]) -> None:
    """Same labels, same weights: the version names them."""
    again = relevance.learn(RULES, "apple", teach("apple"))
    assert again == senses["apple"]
    assert Senses({"apple": again}).version == Senses({"apple": senses["apple"]}).version
    assert Senses(senses).version != Senses({"apple": again}).version


def test_source_and_hashtags_are_features() -> None:
    """Two usages that differ in their source, or in a hashtag, differ in their rows."""
    plain = homonyms.Usage("买了", "小米", "很好")
    rows = homonyms.features([plain, replace(plain, source="shop"), replace(plain, tags=("美食",))])
    assert rows.shape == (3, 1536)
    assert abs(rows[0] - rows[1]).max() > 0
    assert abs(rows[0] - rows[2]).max() > 0


def test_seeds_come_from_the_plans_own_words() -> None:
    """A post with a context word teaches yes, one of the other sense no, the rest nothing."""
    posts = [
        Labelled("小米手机发热", False), Labelled("小米是五谷之一", True), Labelled("买小米", True),
    ]  # fmt: skip
    seeds = relevance.seeds_of(RULES, "xiaomi", posts, 5)
    assert [(seed.text, seed.ours) for seed in seeds] == [
        ("小米手机发热", True),
        ("小米是五谷之一", False),
    ]


def test_what_was_learned_is_kept(tmp_path: Path, senses: dict[str, Sense]) -> None:
    """Written and read again it judges the same; where nothing was learned there is no judge."""
    assert homonyms.load(tmp_path) is None
    homonyms.save(tmp_path, senses)
    read = homonyms.load(tmp_path)
    assert read is not None
    assert read.version == Senses(senses).version
    text = "小米泡软了再打豆浆"
    assert Matcher(PLAN, read).find(None, text) == Matcher(PLAN, Senses(senses)).find(None, text)


@pytest.mark.parametrize("body", ["", "[]", "{", '{"xiaomi": {"yes": 1}}', '{"xiaomi": 7}'])
def test_a_damaged_file_is_an_error(tmp_path: Path, body: str) -> None:
    """Never a silent return to rules alone: the error names the file and the verb."""
    (tmp_path / homonyms.FILE).write_text(body)
    with pytest.raises(ModelError, match=r"senses.*keqing plan learn"):
        homonyms.load(tmp_path)


@pytest.mark.parametrize("change", [{"embedder": "other"}, {"weights": "AAAA"}, {"weights": "é"}])
def test_weights_of_another_embedder_are_refused(
    tmp_path: Path, senses: dict[str, Sense], change: dict[str, str]
) -> None:
    """Vectors of another model mean something else."""
    homonyms.save(tmp_path, {"xiaomi": senses["xiaomi"]})
    row = json.loads((tmp_path / homonyms.FILE).read_text("utf-8"))
    row["xiaomi"] |= change
    (tmp_path / homonyms.FILE).write_text(json.dumps(row))
    with pytest.raises(ModelError, match="repeat keqing plan learn"):
        homonyms.load(tmp_path)


def test_real_titles_are_told_apart(shared_data: Path) -> None:
    """Hot-search titles read once: precision ≥ .95, recall ≥ .90 over three words, from own sentences."""
    rows = (LABELS / "senses_hotsearch.tsv").read_text("utf-8").splitlines()[1:]
    truth = {(key, name): said == "yes" for key, name, said in (row.split("\t") for row in rows)}
    path = shared_data / "topics" / "weibo_hotsearch_2024H2_2026H1.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        titles = {row["title"] for row in csv.DictReader(file)}
    hashes = {xxhash.xxh64_hexdigest(title.encode()): title for title in titles}
    learned = Matcher(
        PLAN, Senses({brand: relevance.learn(RULES, brand, labelled(brand)) for brand in BRANDS})
    )
    found = [
        counts(learned, brand, [Labelled(hashes[name], ours)])
        for (brand, name), ours in truth.items()
    ]
    right, wrong, missed = (sum(column) for column in zip(*found, strict=True))
    assert len(truth) == 101
    assert right / (right + wrong) >= 0.95
    assert right / (right + missed) >= 0.90
