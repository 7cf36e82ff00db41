"""The card of a model folder: what it is made of, with which numbers and limits.

In:  facts of one training run.
Out: `card.toml` (read by linear.load) and `card.md` (read by people).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PAGE = """# 首级线性模型

三分类（负面、中性、正面）由两个线性头合成：中性与否，正负取向。另有投诉头与情绪头。
特征为哈希的 1–3 字与 1–2 词；推理只用 numpy，不含 pickle。

- 权重 sha256：`{sha256}`
- 种子 {seed}，C = {c}；{versions}
- 训练行数：{rows}

## 数据与许可
训练语料大多没有写明许可，仓库中不含其中任何文本。NLPCC2013 一份来自 MIT 仓库，另一持有者注明不得商用，
列为有争议；`train(..., without=["nlpcc2013"])` 可在没有它的情况下重建。
weibo_senti_100k 只用去掉表情的一份，因为原标签由表情生成。
权重来自研究用途的数据：商用前请法务判断，或用自己的帖文重新训练。

## 局限
- 各语料对“中性”的定义不同；微博标注在 2012–2020 年。
- 投诉头在游戏论坛上训练，标注有噪声。
- 情绪标签部分来自话题标签，不单独用于预警。
- 没有真实品牌的人工标注帖文；数字见 `python -m nlp.evaluate`。
"""


def write(
    folder: Path,
    *,
    sha256: str,
    seed: int,
    c: float,
    versions: Mapping[str, str],
    calibration: Mapping[str, tuple[float, float]],
    decision: tuple[float, float],
    rows: Mapping[str, int],
) -> None:
    """Write both cards of the model in `folder`."""
    lines = ["[weights]", f'sha256 = "{sha256}"', f"seed = {seed}", f"c = {c}", ""]
    for head, (slope, offset) in calibration.items():
        lines += [f"[{head}]", f"slope = {slope:.6f}", f"offset = {offset:.6f}", ""]
    lines += ["[decision]", f"negative = {decision[0]}", f"neutral = {decision[1]}", ""]
    lines += ["[versions]", *(f'{name} = "{value}"' for name, value in versions.items()), ""]
    lines += ["[rows]", *(f"{name} = {count}" for name, count in rows.items()), ""]
    (folder / "card.toml").write_text("\n".join(lines), encoding="utf-8")
    page = PAGE.format(
        sha256=sha256,
        seed=seed,
        c=c,
        versions="，".join(f"{name} {value}" for name, value in versions.items()),
        rows="，".join(f"{name} {count:,}" for name, count in rows.items()),
    )
    (folder / "card.md").write_text(page, encoding="utf-8")
