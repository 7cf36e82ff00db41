"""Posts as a file: CSV, JSON lines or a workbook, whole or not there.

In:  Hits, a path. Out: how many rows. The file is written aside and renamed, so that nobody opens half
of one, and an error leaves what stood there before.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openpyxl

from index.answers import Hit
from index.table import COLUMNS, Name, row
from keqing.errors import UsageError

MOST_SHEET = 1_048_575  # rows of a worksheet below the header
MOST_CELL = 32_767  # characters of a cell
# Of the author the pseudonym alone: neither name nor followers nor what was reckoned of them.
FIELDS = (
    "id", "source", "channel", "kind", "platform", "url", "author", "title", "text", "published_at",
    "published_precision", "first_seen_at", "collected_at", "polarity", "p_negative", "brands",
    "negative_brands", "topics", "aspects", "severity", "intent", "story", "region", "likes",
    "comments", "reposts", "rating", "risk", "keywords",
)  # fmt: skip

Write = Callable[[Path, Iterator[Hit], Name, Name], int]


def checked(path: Path) -> Write:
    """How a file of this name is written.

    Raises:
        UsageError: it cannot be; says why.
    """
    if (write := WRITERS.get(path.suffix.lower())) is None:
        raise UsageError(
            f"{path.name}: 只能导出为 {'、'.join(WRITERS)} (the ending says the kind of file)"
        )
    if path.is_dir() or (path.exists() and not path.is_file()):
        raise UsageError(f"{path}: 不是文件 (no file)")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent}: 没有这个目录 (no such folder)")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"{path.parent}: 不能写入 (not writable)")
    return write


@contextmanager
def aside(path: Path) -> Iterator[Path]:
    """A name to write to; the file takes its place when the block ends well."""
    other = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield other
        other.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    finally:
        other.unlink(missing_ok=True)


def _csv(path: Path, hits: Iterator[Hit], source: Name, brand: Name) -> int:
    n = 0
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for hit in hits:
            table.writerow(row(hit, source, brand))
            n += 1
    return n


def _jsonl(path: Path, hits: Iterator[Hit], source: Name, brand: Name) -> int:
    n = 0
    with open(path, "w", encoding="utf-8") as file:
        for hit in hits:
            file.write(f"{json.dumps(_object(hit), ensure_ascii=False, default=_iso)}\n")
            n += 1
    return n


def _xlsx(path: Path, hits: Iterator[Hit], source: Name, brand: Name) -> int:
    n = 0
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("帖文")
    sheet.append(COLUMNS)
    for hit in hits:
        n += 1
        if n > MOST_SHEET:
            sheet.close()
            raise UsageError(
                f"{path.suffix}: 超过 {MOST_SHEET:,} 行；请缩小时间范围，或导出为 .csv (too many rows)"
            )
        sheet.append([_short(value) for value in row(hit, source, brand)])
    book.save(path)
    return n


def _object(hit: Hit) -> dict[str, Any]:
    return {name: getattr(hit, name) for name in FIELDS}


def _iso(value: Any) -> str:
    return str(value.isoformat())


def _short(value: Any) -> Any:
    return (
        value[: MOST_CELL - 1] + "…" if isinstance(value, str) and len(value) > MOST_CELL else value
    )


WRITERS: dict[str, Write] = {".csv": _csv, ".jsonl": _jsonl, ".xlsx": _xlsx}
