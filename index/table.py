"""Posts as rows of a table that a spreadsheet opens without running anything.

In:  Hits, names of brands and sources. Out: cells in the order of COLUMNS. A cell that begins like a
formula gets an apostrophe; numbers of ours stay numbers. Of the author only the pseudonym is given,
unless the caller passes another word.
"""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from index.answers import Hit
from keqing.untrusted import clean, safe_url

FORMULA = tuple("=+-@\t\r\n＝＋－＠")
COLUMNS = (
    "编号", "信源", "类型", "发布时间（北京时间）", "作者", "标题", "正文", "情感", "负面概率", "品牌",
    "敏感", "意图", "转发", "评论", "点赞", "事由", "链接",
)  # fmt: skip
BEIJING = ZoneInfo("Asia/Shanghai")

Cell = str | int | float | None
Name = Callable[[str], str]


def row(hit: Hit, source: Name, brand: Name, author: str | None = None) -> tuple[Cell, ...]:
    """Cells of one post, safe to open.

    Args:
        source, brand: how a source and a brand are called.
        author: a public name in place of the pseudonym.
    """
    cells: tuple[Cell, ...] = (
        hit.id, source(hit.source), hit.kind,
        hit.published_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M"), author or hit.author,
        hit.title, hit.text, hit.polarity, round(hit.p_negative, 3),
        "、".join(brand(key) for key in hit.brands), "、".join(hit.severity), hit.intent,
        hit.reposts, hit.comments, hit.likes, hit.story, safe_url(hit.url),
    )  # fmt: skip
    return tuple(cell(value) for value in cells)


def cell(value: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    text = clean(value)
    return f"'{text}" if text.startswith(FORMULA) else text
