"""A file of rows, read as it is: CSV (UTF-8, GB18030), JSON lines, XLSX; also gzipped.

In:  a path. Out: Rows with their number in the file, or Bad rows with the reason; nothing is lost.
Formulas are never evaluated.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl

from keqing.errors import UsageError

MAX_UNPACKED = 200 * 2**20
csv.field_size_limit(2**24)


@dataclass(frozen=True)
class Row:
    """One row; the header of a table is row 1."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Bad:
    """A row that cannot be read."""

    number: int
    raw: str
    reason: str


def read_rows(path: Path) -> Iterator[Row | Bad]:
    """All rows of a file, by its name's ending.

    Raises:
        UsageError: no such file, an unknown kind, no known encoding (with the byte's place), or an
            archive that unpacks to more than 200 MB.
    """
    name = path.name.removesuffix(".gz").lower()
    if name.endswith(".xlsx"):
        return _xlsx(path)
    if name.endswith(".csv"):
        return _csv(_text(path))
    if name.endswith((".jsonl", ".ndjson")):
        return _json_lines(_text(path))
    raise UsageError(f"{path.name}: unknown kind of file; give .csv, .jsonl or .xlsx")


def _text(path: Path) -> str:
    try:
        body = _limited(path) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as utf8:
        try:
            return body.decode("gb18030")
        except UnicodeDecodeError:
            place = f"byte {utf8.start}"
            raise UsageError(f"{path.name}: neither UTF-8 nor GB18030 at {place}") from utf8


def _limited(path: Path) -> bytes:
    with gzip.open(path) as packed:
        body = packed.read(MAX_UNPACKED + 1)
    if len(body) > MAX_UNPACKED:
        raise UsageError(f"{path.name}: unpacks to more than 200 MB; split it")
    return body


def _csv(text: str) -> Iterator[Row | Bad]:
    lines = csv.reader(io.StringIO(text, newline=""))
    header = next(lines, [])
    for number, cells in enumerate(lines, start=2):
        if not any(cells):
            continue
        if len(cells) != len(header):
            reason = f"{len(cells)} cells, the header has {len(header)}"
            yield Bad(number, ",".join(cells), reason)
        else:
            yield Row(number, dict(zip(header, cells, strict=True)))


def _json_lines(text: str) -> Iterator[Row | Bad]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            yield Bad(number, line, f"not JSON: {error}")
            continue
        if isinstance(value, dict):
            yield Row(number, {str(k): "" if v is None else str(v) for k, v in value.items()})
        else:
            yield Bad(number, line, "no JSON object")


def _xlsx(path: Path) -> Iterator[Row | Bad]:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(part.file_size for part in archive.infolist())
        if size > MAX_UNPACKED:
            raise UsageError(f"{path.name}: unpacks to more than 200 MB; split it")
        sheet = openpyxl.load_workbook(path, read_only=True, data_only=True).active
        rows = sheet.iter_rows(values_only=True)
        header = [_cell(value) for value in next(rows, ())]
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise UsageError(f"{path.name}: no readable XLSX: {error}") from error
    for number, values in enumerate(rows, start=2):
        cells = [_cell(value) for value in values]
        if any(cells):
            yield Row(number, dict(zip(header, cells, strict=False)))


def _cell(value: object) -> str:
    return "" if value is None else str(value)
