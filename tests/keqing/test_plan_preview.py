"""`keqing plan preview`: what a plan takes and leaves, before it is saved."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from keqing.cli import plan as verb
from keqing.cli.main import main
from keqing.landing import Landing
from keqing.records import Post

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
PLAN = """
demo = false
[brands.millet]
name = "小米"
aliases = ["小米"]
exclude = ["小米粥"]
context = ["手机"]
not_context = ["五谷"]
need_context = true
[brands.tea]
name = "木槿壶"
aliases = ["木槿壶"]
[brands.rival]
name = "青稚茶"
ours = false
aliases = ["青稚茶"]
[receivers.desk]
to = "desk@localhost"
"""
TEXTS = {
    "a": "小米手机发热", "b": "喝小米粥", "c": "小米是五谷之一", "d": "买了两袋小米",
    "e": "木槿壶好喝，加我 13800000000", "f": "青稚茶太甜", "g": "今天天气真好",
    "h": "木槿壶和小米粥都要",
}  # fmt: skip
Preview = Callable[..., tuple[int, Any]]


def post(id_: str, text: str, at: datetime = NOW, source: str = "talk") -> Post:
    return Post(
        id=f"demo:{id_}", platform="demo", source=source, text=text, first_seen_at=at,
        collected_at=at, published_at=at, run_id="r",
    )  # fmt: skip


def land(root: Path, posts: Sequence[Post], at: datetime = NOW, run: str = "run00001") -> None:
    with Landing(root / "var" / "landing").writer("talk", at, run) as writer:
        writer.append(posts)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "keqing.toml").write_text(PLAN, encoding="utf-8")
    land(tmp_path, [post(id_, text) for id_, text in TEXTS.items()])
    monkeypatch.setattr(verb, "now", lambda: NOW + timedelta(hours=1))
    return tmp_path


@pytest.fixture
def preview(root: Path, capsys: pytest.CaptureFixture[str]) -> Preview:
    def run(*args: str) -> tuple[int, Any]:
        code = main(["plan", "preview", "--root", str(root), "--json", *args])
        return code, json.loads(capsys.readouterr().out.splitlines()[-1])

    return run


def brand(report: Any, key: str) -> Any:
    return next(row for row in report["brands"] if row["brand"] == key)


def test_each_brand_is_counted_by_outcome(preview: Preview) -> None:
    """Accepted, and rejected by reason; a post that names nobody is only read."""
    code, report = preview()
    assert (code, report["posts"]) == (0, len(TEXTS))
    millet = brand(report, "millet")
    assert millet["accepted"] == 1
    assert millet["rejected"] == {"EXCLUDED_PHRASE": 2, "NOT_CONTEXT": 1, "NO_CONTEXT": 1}
    assert brand(report, "tea")["accepted"] == 2
    assert brand(report, "rival")["accepted"] == 1


def test_samples_say_which_clause_matched(preview: Preview) -> None:
    """Every sampled post has its reason, alias and the words that decided."""
    _, report = preview("--brand", "millet")
    assert [row["brand"] for row in report["brands"]] == ["millet"]
    why = {s["post"]: (s["reason"], s["clause"]) for s in report["brands"][0]["rejected_sample"]}
    assert why == {
        "demo:b": ("EXCLUDED_PHRASE", "小米粥"),
        "demo:h": ("EXCLUDED_PHRASE", "小米粥"),
        "demo:c": ("NOT_CONTEXT", "五谷"),
        "demo:d": ("NO_CONTEXT", "need_context"),
    }
    [taken] = report["brands"][0]["accepted_sample"]
    assert (taken["post"], taken["clause"]) == ("demo:a", "context: 手机")


def test_samples_are_masked(preview: Preview) -> None:
    """No telephone number leaves the landing by a preview."""
    _, report = preview("--brand", "tea")
    said = json.dumps(report, ensure_ascii=False)
    assert "[电话]" in said
    assert "138" not in said


def test_samples_are_drawn_by_the_seed(root: Path, preview: Preview) -> None:
    """The same seed draws the same posts, another seed others; --size bounds them."""
    land(root, [post(f"m{n}", f"木槿壶第{n}次") for n in range(200)], run="run00002")
    drawn = [
        [
            s["post"]
            for s in brand(preview("--seed", seed, "--size", "6")[1], "tea")["accepted_sample"]
        ]
        for seed in ("1", "1", "2")
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0]) == 6
    assert brand(preview("--size", "0")[1], "tea")["accepted_sample"] == []


def test_a_changed_plan_tells_gained_and_lost_posts(root: Path, preview: Preview) -> None:
    """Dropping an exclusion gains posts, a new one loses posts; each is shown with why."""
    changed = PLAN.replace('exclude = ["小米粥"]', 'exclude = ["小米手机"]')
    changed = changed.replace('not_context = ["五谷"]', "not_context = []")
    changed = changed.replace("need_context = true", "need_context = false")
    (root / "new.toml").write_text(changed, encoding="utf-8")
    _, report = preview("--plan", str(root / "new.toml"))
    millet = brand(report, "millet")
    assert (millet["accepted"], millet["gained"], millet["lost"]) == (4, 4, 1)
    assert {s["post"] for s in millet["gained_sample"]} == {f"demo:{c}" for c in "bcdh"}
    [lost] = millet["lost_sample"]
    assert (lost["post"], lost["reason"], lost["clause"]) == (
        "demo:a", "EXCLUDED_PHRASE", "小米手机",
    )  # fmt: skip
    assert (brand(report, "tea")["gained"], brand(report, "tea")["lost"]) == (0, 0)


def test_a_brand_that_a_plan_drops_loses_all_its_posts(root: Path, preview: Preview) -> None:
    """It stands in the report with the posts that would no longer count."""
    start, end = PLAN.index("[brands.rival]"), PLAN.index("[receivers")
    (root / "new.toml").write_text(PLAN[:start] + PLAN[end:], encoding="utf-8")
    _, report = preview("--plan", str(root / "new.toml"))
    rival = brand(report, "rival")
    assert (rival["accepted"], rival["lost"]) == (0, 1)
    assert rival["lost_sample"][0]["reason"] == "NOT_NAMED"


def test_the_plan_itself_gains_and_loses_nothing(root: Path, preview: Preview) -> None:
    """A copy of the plan, in another order, changes nothing."""
    start, end = PLAN.index("[brands.rival]"), PLAN.index("[receivers")
    moved = PLAN[start:end] + PLAN[:start].replace("demo = false\n", "") + PLAN[end:]
    (root / "new.toml").write_text("demo = false\n" + moved, encoding="utf-8")
    _, report = preview("--plan", str(root / "new.toml"))
    assert {(row["gained"], row["lost"]) for row in report["brands"]} == {(0, 0)}


def test_only_the_last_hours_count(root: Path, preview: Preview) -> None:
    """By the time of collection; a post collected again counts once, as it is now."""
    old = NOW - timedelta(days=3)
    land(root, [post("old", "木槿壶旧帖", old)], old, "run00000")
    land(root, [post("e", "木槿壶改了字", NOW + timedelta(minutes=5))], run="run00003")
    _, report = preview("--hours", "24")
    assert report["posts"] == len(TEXTS)
    assert "改了字" in json.dumps(brand(report, "tea"), ensure_ascii=False)
    assert preview("--hours", "100")[1]["posts"] == len(TEXTS) + 1
    assert preview("--hours", "0.95")[1]["posts"] == 1


def test_remarks_name_lines_that_do_nothing(root: Path, preview: Preview) -> None:
    """An exclusion without an alias, context that decides nothing, a word in both lists."""
    bad = PLAN.replace('exclude = ["小米粥"]', 'exclude = ["大米粥"]')
    bad = bad.replace('not_context = ["五谷"]', 'not_context = ["手机"]')
    bad += '[brands.one]\nname = "茶"\naliases = ["茶"]\ncontext = ["奶"]\n'
    (root / "keqing.toml").write_text(bad, encoding="utf-8")
    said = "\n".join(preview()[1]["remarks"])
    assert "brands.millet.exclude: 「大米粥」" in said
    assert "brands.millet: 「手机」" in said
    assert "brands.one.context" in said
    assert "「茶」只有一个字" in said
    assert "brands.tea" not in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('exclude = ["小米粥"]', "exclude = 7", r"new\.toml:6: brands\.millet\.exclude"),
        (
            "need_context = true",
            "need_contxt = true",
            r"new\.toml:9: .*Did you mean 'need_context'",
        ),
        ('aliases = ["木槿壶"]', "aliases = []", r"new\.toml:12: brands\.tea\.aliases"),
        ("[brands.tea]", "[brands.tea", r"new\.toml: not TOML: .*line 10"),
    ],
)
def test_a_bad_plan_is_refused_with_its_place(
    root: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    """Exit 4; file, line and field, and the nearest name for a typo."""
    import re

    (root / "new.toml").write_text(PLAN.replace(old, new), encoding="utf-8")
    code = main(["plan", "preview", "--root", str(root), "--plan", str(root / "new.toml")])
    assert code == 4
    assert re.search(said, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--plan", "none.toml"), "no such file"),
        (("--brand", "mi"), "millet, rival, tea"),
        (("--hours", "0"), "--hours must be over 0"),
        (("--size", "-1"), "--size not below 0"),
    ],
)
def test_bad_arguments_are_usage_errors(
    root: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], said: str
) -> None:
    """Exit 2, and what would be right."""
    assert main(["plan", "preview", "--root", str(root), *args]) == 2
    assert said in capsys.readouterr().err


def test_a_damaged_file_holds_back_no_other(
    root: Path, preview: Preview, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its posts are missing and it is named on stderr; exit 3."""
    land(root, [post("z", "木槿壶又一条")], NOW + timedelta(minutes=1), "run00009")
    landing = Landing(root / "var" / "landing")
    (landing.root / landing.files()[0]).write_bytes(b"no gzip")
    assert main(["plan", "preview", "--root", str(root), "--json"]) == 3
    told = capsys.readouterr()
    assert json.loads(told.out)["posts"] == 1
    assert landing.files()[0] in told.err


def test_people_read_it_in_chinese_first(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts, reasons in words, samples with their clause; nothing landed is said as 0."""
    assert main(["plan", "preview", "--root", str(root)]) == 0
    said = capsys.readouterr().out
    assert "【小米】millet  采用 1 · 未采用 4" in said
    assert "排除词覆盖 (EXCLUDED_PHRASE) 2" in said
    assert "附近是另一义的词 (NOT_CONTEXT) · 小米 · 五谷" in said
    assert main(["plan", "preview", "--root", str(root), "--hours", "0.01"]) == 0
    assert "帖文 0 条" in capsys.readouterr().out
