"""Corrections by staff: shown, kept through re-scoring, split once, never mixed with the model's own."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.engine import open_index
from index.run import mentions_of
from keqing.cli.main import main
from keqing.errors import UsageError
from keqing.landing import Landing
from keqing.records import (
    BrandHit,
    Mention,
    Polarity,
    Post,
    Rejection,
    SeverityHit,
    Versions,
)
from keqing.settings import load_settings
from keqing.workflow import batches, corrections, db
from keqing.workflow.corrections import Correction, half
from keqing.workflow.overlay import laid_over

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
PLAN = """
demo = false
[brands.tea]
name = "木槿壶"
aliases = ["木槿壶"]
exclude = ["木槿壶口瀑布"]
[brands.rival]
name = "青稚茶"
ours = false
aliases = ["青稚茶"]
[nlp.second_stage]
model = "off"
[receivers.desk]
to = "desk@localhost"
"""
TEXTS = {
    "bad": "木槿壶太难喝了，服务也差，再也不来了", "good": "木槿壶的青提冻很好喝，推荐",
    "fall": "周末去木槿壶口瀑布玩", "poor": "青稚茶喝了拉肚子，太气人了",  # the one of the judging half
}  # fmt: skip


def post(id_: str, text: str, at: datetime = NOW) -> Post:
    return Post(
        id=f"demo:{id_}", platform="demo", source="talk", text=text, first_seen_at=at,
        collected_at=at, published_at=at, run_id="r",
    )  # fmt: skip


def mention(**values: Any) -> Mention:
    hit = BrandHit(
        brand="tea", entity="木槿壶", alias="木槿壶", start=0, end=3, where="own",
        reason="accepted", polarity=Polarity.NEGATIVE, p=0.8,
    )  # fmt: skip
    base: dict[str, Any] = {
        "post": post("x", "木槿壶太差，青稚茶还行"), "brands": (hit,), "polarity": Polarity.NEGATIVE,
        "p_negative": 0.8, "p_neutral": 0.1, "p_positive": 0.1, "intent": "投诉",
        "intents": ("投诉", "求助"), "emotion": "愤怒", "story": "s1", "risk": 64.0,
        "severity": (SeverityHit(name="食品安全", term="拉肚子", confidence=0.8),),
        "versions": Versions(model="m1", dictionary="d1", rules="r1", plan="p1"), "scored_at": NOW,
    }  # fmt: skip
    return Mention(**(base | values))


def row(field: str, to: str, **values: Any) -> Correction:
    base: dict[str, Any] = {
        "post": "demo:x", "field": field, "was": "negative", "to": to, "by": "li", "at": NOW,
        "reason": "读过", "stamp": "m1 d1 r1 p1", "story": "s1",
    }  # fmt: skip
    return Correction(**(base | values))


# --- laid over a Mention -----------------------------------------------------------------------


def test_a_polarity_by_a_person_wins_and_the_models_stays_beside() -> None:
    """Stage human, probabilities of the person, risk without the model's fear, hits that follow."""
    shown = laid_over(mention(), [row("polarity", "neutral")])
    assert (shown.polarity, shown.stage) == ("neutral", "human")
    assert (shown.p_negative, shown.p_neutral, shown.p_positive) == (0, 1, 0)
    assert shown.risk == 24.0
    assert [hit.polarity for hit in shown.brands] == ["neutral"]
    [beside] = shown.corrected
    assert (beside.field, beside.model, beside.to, beside.by) == (
        "polarity", "negative", "neutral", "li",
    )  # fmt: skip


def test_a_hit_that_felt_otherwise_keeps_its_feeling() -> None:
    """A rival that was praised in a negative post is still praised when the post is corrected."""
    own = mention()
    rival = own.brands[0].model_copy(update={"brand": "rival", "polarity": Polarity.POSITIVE})
    shown = laid_over(
        own.model_copy(update={"brands": (*own.brands, rival)}), [row("polarity", "neutral")]
    )
    assert [hit.polarity for hit in shown.brands] == ["neutral", "positive"]


def test_a_confirmation_changes_no_value() -> None:
    """The person agrees: a human stage, the model's probabilities."""
    shown = laid_over(mention(), [row("polarity", "negative")])
    assert (shown.stage, shown.p_negative, shown.risk) == ("human", 0.8, 64.0)
    assert len(shown.corrected) == 1


def test_other_fields_leave_the_polarity_alone() -> None:
    """Intent, emotion and severity are corrected each for itself."""
    shown = laid_over(
        mention(), [row("intent", "咨询"), row("emotion", "none"), row("severity", "none")]
    )
    assert (shown.intent, shown.intents) == ("咨询", ("咨询", "求助"))
    assert (shown.emotion, shown.severity) == (None, ())
    assert (shown.polarity, shown.stage) == ("negative", "linear")
    assert [c.model for c in shown.corrected] == ["愤怒", "投诉", "食品安全"]


def test_a_severity_that_a_person_asserts_is_sure() -> None:
    """It alarms alone, as a class above .8 does."""
    [hit] = laid_over(mention(severity=()), [row("severity", "食品安全")]).severity
    assert (hit.name, hit.confidence) == ("食品安全", 1.0)


def test_a_brand_is_taken_away_with_its_reason() -> None:
    """误报: no hit, no risk, a rejection by a person."""
    shown = laid_over(mention(), [row("brand:tea", "no")])
    assert (shown.brands, shown.risk) == ((), None)
    assert [(r.brand, r.alias, r.reason) for r in shown.rejected] == [("tea", "木槿壶", "HUMAN")]


def test_a_brand_is_given_where_its_name_stands() -> None:
    """关联: the rejected name becomes a hit at its place, with the corrected polarity."""
    own = mention(rejected=(Rejection(brand="rival", alias="青稚茶", reason="NO_CONTEXT"),))
    shown = laid_over(own, [row("brand:rival", "yes"), row("polarity", "neutral")])
    hit = shown.brands[-1]
    assert (hit.brand, hit.start, hit.end, hit.reason) == ("rival", 6, 9, "HUMAN")
    assert hit.polarity == "neutral"
    assert shown.rejected == ()


def test_a_brand_that_no_word_names_is_given_all_the_same() -> None:
    """A person knows more than the words; the hit is empty at the begin."""
    shown = laid_over(mention(brands=(), risk=None), [row("brand:tea", "yes")])
    assert [(h.brand, h.start, h.end) for h in shown.brands] == [("tea", 0, 0)]
    assert shown.risk == 40.0


FIELDS = ("polarity", "intent", "emotion", "severity", "brand:tea", "brand:rival")


@given(st.dictionaries(st.sampled_from(FIELDS), st.integers(0, 20), max_size=6), st.randoms())
def test_the_order_of_corrections_moves_nothing(picked: dict[str, int], random: Any) -> None:
    """Any valid corrections, in any order, give one valid Mention; the model's values are beside."""
    rows = []
    for field, n in picked.items():
        allowed = corrections.values(field)
        rows.append(row(field, allowed[n % len(allowed)]))
    own, shuffled = mention(), random.sample(rows, len(rows))
    shown = laid_over(own, rows)
    assert laid_over(own, shuffled) == shown
    assert Mention.model_validate_json(shown.model_dump_json()) == shown
    assert {c.field: c.to for c in shown.corrected} == {r.field: r.to for r in rows}
    assert all(c.model == corrections.own_value(own, c.field) for c in shown.corrected)
    assert all(corrections.own_value(shown, r.field) == r.to for r in rows)


# --- rows --------------------------------------------------------------------------------------


def test_the_newest_counts_and_model_withdraws(tmp_path: Path) -> None:
    """Rows only grow; each post and field stands by its newest row."""
    engine = db.open_file(tmp_path / "k.db")
    with db.begin(engine) as tx:
        for n, to in enumerate(("neutral", "positive")):
            corrections.correct(
                tx, mention(), "polarity", to, by="li", reason="读过", now=NOW + timedelta(hours=n)
            )
        corrections.correct(tx, mention(), "emotion", "喜悦", by="wu", reason="笑", now=NOW)
        standing = corrections.of_posts(tx, ["demo:x", "demo:y"])
    assert {r.field: r.to for r in standing["demo:x"]} == {
        "polarity": "positive",
        "emotion": "喜悦",
    }
    assert standing["demo:x"][0].stamp == "m1 d1 r1 p1"
    with db.begin(engine) as tx:
        corrections.correct(tx, mention(), "polarity", "model", by="li", reason="看错", now=NOW)
        assert [r.field for r in corrections.of_posts(tx, ["demo:x"])["demo:x"]] == ["emotion"]
        assert len(corrections.every(tx)) == 4
        assert corrections.forget(tx, ["demo:x"]) == 4
        assert corrections.every(tx) == []


@pytest.mark.parametrize(
    ("field", "to", "by", "reason", "said"),
    [
        ("mood", "bad", "li", "x", "polarity, intent, emotion, severity"),
        ("polarity", "bad", "li", "x", "negative, neutral, positive, model"),
        ("brand:tea", "maybe", "li", "x", "yes, no, model"),
        ("brand:", "yes", "li", "x", "no such field"),
        ("severity", "食品", "li", "x", "食品安全"),
        ("polarity", "neutral", " ", "x", "who and why"),
        ("polarity", "neutral", "li", "", "who and why"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    tmp_path: Path, field: str, to: str, by: str, reason: str, said: str
) -> None:
    """The error names what would be right, and nothing is written."""
    engine = db.open_file(tmp_path / "k.db")
    with pytest.raises(UsageError, match=said), db.begin(engine) as tx:
        corrections.correct(tx, mention(), field, to, by=by, reason=reason, now=NOW)
    with db.read(engine) as tx:
        assert corrections.every(tx) == []


def test_the_split_is_by_story_and_about_even() -> None:
    """Copies of one story share a half; the halves never change; both are filled."""
    judging = sum(half(f"weibo:{n}") == "judge" for n in range(2000))
    assert 900 < judging < 1100
    assert row("polarity", "neutral", post="demo:a").half == row("emotion", "喜悦").half
    assert [half(f"weibo:{n}") for n in (1, 2, 3, 4)] == ["train", "train", "judge", "judge"]


# --- the whole line ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with four posts, scored and loaded once."""
    root = tmp_path_factory.mktemp("line")
    (root / "keqing.toml").write_text(PLAN, encoding="utf-8")
    with Landing(root / "var" / "landing").writer("talk", NOW, "run00001") as writer:
        writer.append([post(id_, text) for id_, text in TEXTS.items()])
    for stage in ("score", "load"):
        assert main([stage, "--root", str(root)]) == 0
    return root


@pytest.fixture
def root(scored: Path, tmp_path: Path) -> Path:
    shutil.copytree(scored, tmp_path / "line")
    return tmp_path / "line"


@pytest.fixture
def correct(root: Path) -> Callable[..., int]:
    def run(id_: str, field: str, to: str, reason: str = "读过") -> int:
        return main(
            ["correct", f"demo:{id_}", "--field", field, "--to", to, "--reason", reason,
             "--by", "li", "--root", str(root)]
        )  # fmt: skip

    return run


def indexed(root: Path, id_: str) -> Any:
    [hit] = open_index(load_settings(root)).get([f"demo:{id_}"])
    return hit


def test_a_correction_is_shown_at_once(
    root: Path, correct: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """The index answers with the person's value; the Mention file keeps the model's."""
    assert indexed(root, "bad").polarity == "negative"
    assert correct("bad", "polarity", "neutral") == 0
    assert "模型 negative，更正为 neutral（li：读过）" in capsys.readouterr().out
    after = indexed(root, "bad")
    assert (after.polarity, after.negative_brands) == ("neutral", ())
    assert after.detail["stage"] == "human"
    assert after.detail["corrected"][0]["model"] == "negative"
    [file] = (root / "var" / "mentions").rglob("*.gz")
    own = {m.post.id: m for m in mentions_of(file)}["demo:bad"]
    assert (own.polarity, own.corrected) == ("negative", ())


def test_it_survives_scoring_again_and_a_rebuild(root: Path, correct: Callable[..., int]) -> None:
    """The post is collected and scored again, then the index is built anew: still the person's."""
    correct("bad", "polarity", "neutral")
    later = NOW + timedelta(hours=1)
    with Landing(root / "var" / "landing").writer("talk", later, "run00002") as writer:
        writer.append([post("bad", TEXTS["bad"], later)])
    for stage in ("score", "load"):
        assert main([stage, "--root", str(root)]) == 0
    assert indexed(root, "bad").polarity == "neutral"
    assert main(["rebuild", "--root", str(root)]) == 0
    assert indexed(root, "bad").polarity == "neutral"


def test_a_replay_takes_the_corrections_over(
    root: Path, tmp_path: Path, correct: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """The replayed index equals the one that staff corrected."""
    correct("bad", "polarity", "neutral")
    capsys.readouterr()
    assert main(["replay", str(tmp_path / "again"), "--root", str(root), "--json"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (report["index_equal"], report["different"]) == (True, [])


def test_a_withdrawn_correction_gives_the_models_value_back(
    root: Path, correct: Callable[..., int]
) -> None:
    """`--to model` ends it, in the index too."""
    before = indexed(root, "bad")
    correct("bad", "polarity", "positive")
    correct("bad", "polarity", "model")
    assert indexed(root, "bad") == before


def test_a_look_alike_can_be_given_and_a_hit_taken(root: Path, correct: Callable[..., int]) -> None:
    """brand:KEY yes and no change what a brand's questions count."""
    correct("fall", "brand:tea", "yes")
    assert indexed(root, "fall").brands == ("tea",)
    correct("good", "brand:tea", "no")
    assert indexed(root, "good").brands == ()


@pytest.mark.parametrize(
    ("id_", "field", "said"),
    [("none", "polarity", "never scored"), ("bad", "brand:coffee", "no such brand")],
)
def test_unknown_posts_and_brands_are_refused(
    root: Path, correct: Callable[..., int], capsys: pytest.CaptureFixture[str],
    id_: str, field: str, said: str,
) -> None:  # fmt: skip
    """Exit 2 with what is known; no row."""
    assert correct(id_, field, "yes") == 2
    assert said in capsys.readouterr().err
    with db.read(db.open_workflow(load_settings(root))) as tx:
        assert corrections.every(tx) == []


def test_erasing_a_post_erases_its_corrections(root: Path, correct: Callable[..., int]) -> None:
    """Neither the words of the reason nor the value stay behind."""
    correct("bad", "polarity", "neutral", "客户来电说明")
    assert main(["erase", "--post", "demo:bad", "--dry-run", "--root", str(root)]) == 0
    with db.read(db.open_workflow(load_settings(root))) as tx:
        assert len(corrections.every(tx)) == 1
    assert main(["erase", "--post", "demo:bad", "--root", str(root)]) == 0
    with db.read(db.open_workflow(load_settings(root))) as tx:
        assert corrections.every(tx) == []


def test_only_the_training_half_is_exported(
    root: Path, correct: Callable[..., int], tmp_path: Path
) -> None:
    """A labelled CSV as `keqing train` reads it; what judges is not in it."""
    for id_ in TEXTS:
        correct(id_, "polarity", "neutral")
    assert main(["correct", "--export", str(tmp_path / "own"), "--root", str(root)]) == 0
    with open(tmp_path / "own" / "tri_corrections_train.csv", encoding="utf-8") as file:
        texts = {line["text"]: line["label"] for line in csv.DictReader(file)}
    with db.read(db.open_workflow(load_settings(root))) as tx:
        training = {r.post for r in corrections.every(tx) if r.half == "train"}
        [batch] = batches.every(tx)
    found = {m.post.id: m for m in mentions_of(root / "var" / "mentions" / batch.mention_file)}
    assert texts == {found[id_].post.text: "neutral" for id_ in training}
    assert 0 < len(texts) < len(TEXTS)


def test_the_judging_half_tells_then_and_now(
    root: Path, correct: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """`evaluate --corrections` counts the judging half alone, each field for itself."""
    for id_ in TEXTS:
        correct(id_, "polarity", "neutral")
    correct("poor", "brand:rival", "yes")
    capsys.readouterr()
    assert main(["evaluate", "--corrections", "--json", "--root", str(root)]) == 0
    fields = json.loads(capsys.readouterr().out.splitlines()[-1])["fields"]
    assert [(f["name"], f["rows"], f["before"], f["after"]) for f in fields] == [
        ("brand:rival", 1, 1.0, 1.0),
        ("polarity", 1, 0.0, 0.0),
    ]
    assert main(["evaluate", "--corrections", "--root", str(root)]) == 0
    assert "评测用的更正 2 条" in capsys.readouterr().out


def test_a_changed_plan_shows_which_posts_it_gains(
    root: Path, correct: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """A plan that no longer knows the rival is wrong on the post that staff confirmed."""
    correct("poor", "brand:rival", "yes")
    changed = PLAN.replace('aliases = ["青稚茶"]', 'aliases = ["青稚茶饮"]')
    changed = changed.replace('name = "青稚茶"', 'name = "青稚茶饮"')
    (root / "keqing.toml").write_text(changed, encoding="utf-8")
    capsys.readouterr()
    assert main(["evaluate", "--corrections", "--json", "--root", str(root)]) == 0
    [one] = json.loads(capsys.readouterr().out.splitlines()[-1])["fields"]
    assert (one["before"], one["after"], one["lost"]) == (1.0, 0.0, ["demo:poor"])


def test_evaluate_without_anything_to_judge_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither data nor corrections: exit 2; no correction yet: no field."""
    assert main(["evaluate", "--root", str(root)]) == 2
    assert "--data DIR or --corrections" in capsys.readouterr().err
    assert main(["evaluate", "--corrections", "--json", "--root", str(root)]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"fields": []}
