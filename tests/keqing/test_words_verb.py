"""`keqing words` proposes from what was scored, and what a person decided is not proposed again."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from keqing.cli import main

ROOT = Path(__file__).resolve().parents[2]
OPENERS = ["昨天", "朋友", "终于", "下班", "周末", "今早", "顺路", "同事"]
CLOSERS = ["喝完", "好贵", "排队", "不错", "涨价", "没货", "上头", "平平"]
FILLERS = [
    "门口的灯坏了", "店员认真听", "杯子有点烫", "等了八分钟", "袋子很结实", "旁边在修路", "音乐太吵",
    "座位靠窗", "小票没打", "地铁口右转", "吸管软了", "积分没到账", "冰块太多", "地面很滑", "空调很足",
]  # fmt: skip
OFF = '\n[nlp.second_stage]\nmodel = "off"\n'


def asked(root: Path, capsys: pytest.CaptureFixture[str], *more: str) -> Any:
    capsys.readouterr()
    assert main(["words", "--json", "--root", str(root), *more]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_new_word_is_proposed_until_it_is_decided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A word of many authors is proposed; once turned down it is left out; staff read its brand's name."""
    plan = (ROOT / "keqing.toml").read_text(encoding="utf-8")
    (tmp_path / "keqing.toml").write_text(plan + OFF, encoding="utf-8")
    draw = random.Random(5)
    texts = [
        f"{draw.choice(OPENERS)}椰椰拿铁{draw.choice(CLOSERS)}，木槿壶"
        + "".join(draw.sample(FILLERS, 5))
        for _ in range(80)
    ]  # told each in words of its own, or they fold into one story
    rows = [f"{n},{text},作者{n}" for n, text in enumerate(texts)]
    (tmp_path / "a.csv").write_text("\n".join(["编号,正文,作者", *rows]), encoding="utf-8")
    for verb in (["import", str(tmp_path / "a.csv")], ["score"]):
        assert main([*verb, "--root", str(tmp_path)]) == 0
    report = asked(tmp_path, capsys)
    assert "椰椰拿铁" in {one["word"] for one in report["new"]}
    assert "mujinhu" in report["rising"]
    assert main(["words", "--root", str(tmp_path)]) == 0
    assert "\n木槿壶：" in capsys.readouterr().out
    assert main(["words", "--reject", "椰椰拿铁", "--root", str(tmp_path)]) == 0
    assert "椰椰拿铁" not in {one["word"] for one in asked(tmp_path, capsys)["new"]}
