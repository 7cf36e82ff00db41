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
import zlib
from collections.abc import Iterator, Sequence
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
    except (OSError, EOFError, zlib.error) as error:
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
    """Strict: a quote that never closes would take the rest of the file into one cell."""
    source = _Lines(text)
    cells = csv.reader(source, strict=True)
    header: list[str] | None = None
    number = 0
    while True:
        source.taken.clear()
        number += 1
        try:
            found = next(cells, None)
        except csv.Error as error:
            yield Bad(number, "".join(source.taken), f"not CSV: {error}")
            continue
        if found is None:
            return
        if header is None:
            header = _unique(found)
        elif any(found):
            yield _fitted(number, found, header)


class _Lines:
    """Physical lines of a text; `taken` are those since it was last cleared."""

    def __init__(self, text: str) -> None:
        self._source, self.taken = io.StringIO(text, newline=""), list[str]()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._source)
        self.taken.append(line)
        return line


def _unique(header: Sequence[str]) -> list[str]:
    """Column names, each once: one without a name is its number, a second one of a name says so."""
    seen: dict[str, int] = {}
    names = []
    for name in (given if given.strip() else f"#{n}" for n, given in enumerate(header, 1)):
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names


def _fitted(number: int, cells: Sequence[str], header: Sequence[str]) -> Row | Bad:
    if len(cells) != len(header):
        reason = f"{len(cells)} cells, the header has {len(header)}"
        return Bad(number, ",".join(cells), reason)
    return Row(number, dict(zip(header, cells, strict=True)))


def _json_lines(text: str) -> Iterator[Row | Bad]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Bad(number, line, f"not JSON: {error}")
            continue
        if isinstance(value, dict):
            yield Row(number, {str(k): "" if v is None else str(v) for k, v in value.items()})
        else:
            yield Bad(number, line, "no JSON object")


def _xlsx(path: Path) -> Iterator[Row | Bad]:
    try:
        rows = _sheet(path)
        header = _unique([_cell(value) for value in next(rows, ())])
    except UsageError:
        raise
    except Exception as error:  # openpyxl answers damage with whatever its parsers raise
        raise UsageError(f"{path.name}: no readable XLSX: {error}") from error
    number = 1
    while True:
        number += 1
        try:
            values = next(rows, None)
        except Exception as error:
            yield Bad(number, "", f"not XLSX: the sheet ends here: {error}")
            return
        if values is None:
            return
        cells = [_cell(value) for value in values]
        while len(cells) > len(header) and not cells[-1]:
            cells.pop()
        cells += [""] * (len(header) - len(cells))
        if any(cells):
            yield _fitted(number, cells, header)


def _sheet(path: Path) -> Iterator[tuple[object, ...]]:
    with zipfile.ZipFile(path) as archive:
        size = sum(part.file_size for part in archive.infolist())
    if size > MAX_UNPACKED:
        raise UsageError(f"{path.name}: unpacks to more than 200 MB; split it")
    sheet = openpyxl.load_workbook(path, read_only=True, data_only=True).active
    if sheet is None:
        raise UsageError(f"{path.name}: no readable XLSX: it has no sheet")
    rows: Iterator[tuple[object, ...]] = sheet.iter_rows(values_only=True)
    return rows


def _cell(value: object) -> str:
    return "" if value is None else str(value)
