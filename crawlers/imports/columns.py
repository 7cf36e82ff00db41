"""Which column means what: header synonyms, or the caller's map.

In:  a header, an optional TOML map (`text = "正文"`), an optional text column.
Out: our field → their column, and the columns that nobody claimed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from keqing.errors import BadConfig, UsageError

SYNONYMS: dict[str, tuple[str, ...]] = {
    "id": ("id", "工单号", "工单编号", "编号", "note_id", "weibo_id", "comment_id"),
    "text": ("text", "内容", "正文", "诉求", "描述", "微博正文", "content", "review", "评论内容"),
    "title": ("title", "标题", "主题"),
    "published_at": ("published_at", "受理时间", "创建时间", "发布时间", "时间", "完整日期", "date",
                     "created_at", "create_date_time"),
    "author": ("author", "客户号", "手机号", "user_id", "作者", "作者id"),
    "rating": ("rating", "满意度", "评分", "星级", "score"),
    "region": ("region", "地区", "地域", "ip_location", "发布位置"),
    "url": ("url", "链接", "网址", "note_url"),
    "likes": ("likes", "点赞数", "liked_count"),
    "comments": ("comments", "评论数", "comments_count"),
    "reposts": ("reposts", "转发数", "shared_count"),
}  # fmt: skip


def columns_of(
    header: Sequence[str], map_file: Path | None, text_column: str | None
) -> tuple[dict[str, str], list[str]]:
    """Our field → their column, and the unclaimed columns.

    Raises:
        UsageError: no column holds the text; lists the header.
        BadConfig: the map names an unknown field or a column that is not there.
    """
    claimed = _by_name(header)
    if map_file is not None:
        claimed |= _mapped(header, map_file)
    if text_column is not None:
        claimed["text"] = text_column
    if claimed.get("text") not in header:
        raise UsageError(f"no text column among {list(header)}; name it by --text-column")
    return claimed, [name for name in header if name not in claimed.values()]


def _by_name(header: Sequence[str]) -> dict[str, str]:
    plain = {name.strip().lower(): name for name in header}
    found: dict[str, str] = {}
    for field, names in SYNONYMS.items():
        column = next((plain[name] for name in names if name in plain), None)
        if column is not None:
            found[field] = column
    return found


def _mapped(header: Sequence[str], path: Path) -> dict[str, str]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: no readable map: {error}") from error
    for field, column in table.items():
        if field not in SYNONYMS:
            raise BadConfig(f"{path}: {field}: unknown field; use one of {list(SYNONYMS)}")
        if column not in header:
            raise BadConfig(f"{path}: {field}: the file has no column {column!r}")
    return {field: str(column) for field, column in table.items()}
