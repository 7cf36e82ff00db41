"""`keqing themes` clusters what no topic holds, and says what it lacks."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from keqing.cli import main
from nlp.themes import FEWEST
from nlp.topics import shipped

ROOT = Path(__file__).resolve().parents[2]
ABOUT = ("断电", "打人", "摄像头", "代言")
NAMED = {"mujinhu": "木槿壶", "lian": "砾岸酒店", "qingzhi": "青稚茶"}
OFF = '\n[nlp.second_stage]\nmodel = "off"\n'


def scored(root: Path, more: str = "") -> Path:
    """An installation without a taxonomy in which four happenings were told and scored."""
    plan = (ROOT / "keqing.toml").read_text(encoding="utf-8")
    none = "".join(f'"{name}" = []\n' for name in shipped())
    (root / "keqing.toml").write_text(f"{plan}\n[topics]\n{none}{more}", encoding="utf-8")
    book = tomllib.loads((ROOT / "bench" / "happenings.toml").read_text(encoding="utf-8"))
    told = [
        f"{NAMED[one['brand']]}：{text.format(b='')}"
        for one in book["happening"] if one["id"] in ABOUT
        for text in [*one["what"], *one["more"]]
    ]  # fmt: skip
    rows = [f"{n},{text},作者{n}" for n, text in enumerate(told)]
    (root / "a.csv").write_text("\n".join(["编号,正文,作者", *rows]), encoding="utf-8")
    for verb in (["import", str(root / "a.csv")], ["score"]):
        assert main([*verb, "--root", str(root)]) == 0
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scored(tmp_path_factory.mktemp("themes"))


def said(root: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["themes", "--root", str(root), *more])
    out, err = capsys.readouterr()
    return code, out, err


def test_themes_are_told_with_their_posts(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Staff read that a machine put them together, what they are called, and posts; JSON holds the same."""
    code, out, _ = said(root, capsys)
    assert code == 0
    assert out.startswith("自动聚类：近 168 小时不属任何话题的事由 48 个（木槿壶 24，")
    assert "负面" in out
    assert "未成主题" in out
    code, out, _ = said(root, capsys, "--json", "--k", "4")
    report = json.loads(out.splitlines()[-1])
    assert report["how"] == "自动聚类"
    assert report["k"] == 4
    assert sum(one["size"] for one in report["themes"]) + report["rest"] == 48
    words = {word for one in report["themes"] for word in one["label"]}
    assert {"林屿", "偷拍"} & words
    assert not words & set(NAMED.values())
    assert all(len(one["posts"]) == 3 and one["posts"][0]["text"] for one in report["themes"])


def test_too_few_and_unknown_are_said(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A brand with few posts: how many are needed; a brand of no plan: which there are; no hours."""
    code, _, err = said(root, capsys, "--brand", "qingzhi")
    assert code == 1
    assert "事由 12 个" in err
    assert f"至少要 {FEWEST} 个" in err
    code, _, err = said(root, capsys, "--brand", "nobody")
    assert code == 2
    assert "beichuang, lian, mujinhu, qingzhi" in err
    assert said(root, capsys, "--hours", "0")[0] == 2
    assert said(root, capsys, "--k", "40")[0] == 2


def test_without_vectors_it_says_what_to_switch_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Posts scored with the second stage off have no vectors: the key of the plan is named."""
    code, _, err = said(scored(tmp_path, OFF), capsys)
    assert code == 1
    assert "48 个事由中只有 0 个有文本向量" in err
    assert '[nlp.second_stage] model = "builtin"' in err
