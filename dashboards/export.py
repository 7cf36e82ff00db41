"""Posts as CSV: a stream that a spreadsheet opens without running anything.

In:  a query tree, a window. Out: UTF-8 lines with a mark at the start (spreadsheets need it).
A cell that begins like a formula gets an apostrophe; numbers of ours stay numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from dashboards.site import Site
from dashboards.times import absolute
from index.query import Hit, Node, Sort, Window
from keqing.untrusted import clean, safe_url

MOST_ROWS, CHUNK = 10_000, 100
FORMULA = tuple("=+-@\t\r\n＝＋－＠")
COLUMNS = (
    "编号", "信源", "类型", "发布时间（北京时间）", "作者", "标题", "正文", "情感", "负面概率", "品牌",
    "敏感", "意图", "转发", "评论", "点赞", "事由", "链接",
)  # fmt: skip


def csv_lines(site: Site, node: Node, window: Window, sort: Sort) -> Iterator[str]:
    """Header and rows, fetched page by page."""
    yield "\ufeff" + _line(COLUMNS)
    cursor: str | None = None
    for _ in range(MOST_ROWS // CHUNK):
        page = site.index.search(node, window, sort, CHUNK, cursor)
        yield from (_line(_row(site, hit)) for hit in page.hits)
        cursor = page.next_cursor
        if cursor is None:
            return


def cell(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    text = clean(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _row(site: Site, hit: Hit) -> tuple[object, ...]:
    brands = "、".join(site.brand_name(brand) for brand in hit.brands)
    return (
        hit.id, site.source_title(hit.source), hit.kind, absolute(hit.published_at),
        hit.author_name or hit.author, hit.title, hit.text, hit.polarity, round(hit.p_negative, 3),
        brands, "、".join(hit.severity), hit.intent, hit.reposts, hit.comments, hit.likes,
        hit.story, safe_url(hit.url),
    )  # fmt: skip


def _line(cells: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([cell(value) for value in cells])
    return out.getvalue()
