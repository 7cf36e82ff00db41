"""The card of the second stage: what it is made of, with which numbers and limits.

In:  facts of one training run. Out: card.toml (read by nlp/second/model.py) and card.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nlp.second.stack import Stack

PAGE = """# 二级模型（Transformer）

4 层、宽 512 的 BERT 编码器，int8，由 onnxruntime 运行；四个任务头：中性与否、正负取向、情绪、投诉。
与首级线性模型的对数几率叠加（logistic stacking）后给出三分类概率。

- 权重 sha256：`{sha256}`
- 首级：{first}
- 底座：bge-small-zh-v1.5（BAAI，MIT 许可），词表裁剪后先在公开文本上继续掩码训练，再以五折教师模型的
  折外概率蒸馏微调；步骤与试验记录见 docs/models.md
- 训练行数：{rows}

## 开发集 macro-F1（叠加参数以五折交叉拟合，不含被评行）
| 集 | 行数 | 首级 | 编码器 | 叠加 |
|---|---:|---:|---:|---:|
{figures}

## 数据与许可
训练语料大多没有写明许可，仓库中不含其中任何文本。NLPCC2013 一份来自 MIT 仓库，另一持有者注明不得商用，
列为有争议；`keqing train --stage second --without nlpcc2013` 可在没有它的情况下重建。
weibo_senti_100k 只用去掉表情的一份的标签；带表情的原文只作无标签文本。
权重来自研究用途的数据：商用前请法务判断，或用自己的帖文重新训练。

## 局限
- 各语料对“中性”的定义不同；微博标注在 2012–2020 年；没有真实品牌的人工标注帖文。
- 一次读 {tokens} 个词元；更长的帖文分段读，取各段的均值。
- int8 在不同指令集的处理器上末位可有差异：逐字节重放以同型处理器为限。
- 投诉头在游戏论坛上训练，标注有噪声；情绪标签部分来自话题标签，不单独用于预警。
"""


def write(
    folder: Path, sha256: str, first: str, stack: Stack,
    figures: Mapping[str, Mapping[str, float]], rows: Mapping[str, int],
) -> None:  # fmt: skip
    """Write both cards of the model in `folder`."""
    from nlp.second.windows import MAX_TOKENS

    lines = ["[weights]", f'sha256 = "{sha256}"', f'first = "{first}"', "", "[stack]"]
    lines += [f"{head} = [{a:.6f}, {b:.6f}, {c:.6f}]" for head, (a, b, c) in stack.weights.items()]
    lines += ["", "[decision]", f"negative = {stack.bias[0]}", f"neutral = {stack.bias[1]}"]
    lines += ["", "[rows]", *(f"{name} = {count}" for name, count in rows.items())]
    for name, found in figures.items():
        lines += ["", f"[dev.{name}]", f"rows = {int(found['rows'])}"]
        lines += [f"{key} = {found[key]:.4f}" for key in ("first", "encoder", "both")]
    (folder / "card.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    table = "\n".join(
        f"| {name} | {int(f['rows']):,} | {f['first']:.3f} | {f['encoder']:.3f} | {f['both']:.3f} |"
        for name, f in figures.items()
    )
    page = PAGE.format(
        sha256=sha256, first=first, figures=table, tokens=MAX_TOKENS,
        rows="，".join(f"{name} {count:,}" for name, count in rows.items()),
    )  # fmt: skip
    (folder / "card.md").write_text(page, encoding="utf-8")


EMBEDDER = """# 向量模型

bge-small-zh-v1.5（BAAI，MIT 许可）：4 层、宽 512，int8，取 [CLS] 归一化；词表裁剪为公开文本用到的词元与
常用字。用于相似帖文、事件聚类与话题。在底座之上，由本项目自写的事件帖文（bench/told/taught，品牌均为虚构）学会
“哪些帖文说的是同一件事”，并辅以公开语料中同一话题标签的帖文；其余帖文之间的远近保持底座原样（关系蒸馏）。

- 权重 sha256：`{sha256}`
- 步骤：`python -m bench.events_teach`，`keqing train --stage embedder`；试验与数字见 docs/models.md
- 数据与许可：自写帖文随仓库；带话题标签的公开语料大多没有写明许可，仓库中不含其中任何文本。商用前请法务判断，
  或只用自写帖文重新训练
"""


def write_embedder(folder: Path, sha256: str) -> None:
    """Write both cards of the embedder in `folder`."""
    lines = [
        "[weights]",
        f'sha256 = "{sha256}"',
        'base = "bge-small-zh-v1.5"',
        'licence = "MIT; corpora of research origin beside it"',
    ]
    (folder / "card.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "card.md").write_text(EMBEDDER.format(sha256=sha256), encoding="utf-8")
