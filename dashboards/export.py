"""Posts as CSV: a stream that a spreadsheet opens without running anything.

In:  a query tree, a window. Out: UTF-8 lines with a mark at the start (spreadsheets need it). The cells
are those of `keqing export`; a verified organisation stands under its public name.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from dashboards.site import Site
from index.query import Node, Sort, Window
from index.table import COLUMNS, FORMULA, cell, row

MOST_ROWS, CHUNK = 10_000, 100


def csv_lines(site: Site, node: Node, window: Window, sort: Sort) -> Iterator[str]:
    """Header and rows, fetched page by page."""
    yield "\ufeff" + _line(COLUMNS)
    cursor: str | None = None
    for _ in range(MOST_ROWS // CHUNK):
        page = site.index.search(node, window, sort, CHUNK, cursor)
        for hit in page.hits:
            yield _line(row(hit, site.source_title, site.brand_name, hit.author_name))
        cursor = page.next_cursor
        if cursor is None:
            return


def _line(cells: Sequence[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


__all__ = ["COLUMNS", "FORMULA", "MOST_ROWS", "cell", "csv_lines"]
